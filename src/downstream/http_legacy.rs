//! The legacy dialect over HTTP: sessions, the stream for what belongs to no request, resumption
//! (2025-11-25, "Streamable HTTP").

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::unfold;
use http::{HeaderValue, StatusCode};
use tokio::time::{Instant, interval, sleep_until, timeout};
use tokio_util::task::TaskTracker;

use crate::mux::{Caller, Hub};
use crate::protocol::{CallParams, Era, Method, ProtocolVersion, code};
use crate::transport::HttpReply;
use crate::wire::{Malformed, Message, Notification, Request, Response};

use super::batch::Batch;
use super::headers::{Headers, SESSION_ID};
use super::http::{EndpointOptions, Opened, events, json, refusal, response, too_many};
use super::link::{no_batches, refuse};
use super::reply::{Item, Reply};
use super::session::Session;
use super::sessions::{Busy, HttpSession, LINGER, STANDING, Sessions, unguessable};
use super::stream_log::{LogReader, StreamLog};
use super::{answer, legacy, sse};

/// How often it is looked for idle sessions.
const ROUND: Duration = Duration::from_secs(30);
/// A request that takes longer than this becomes a stream, which can be picked up again.
const SOON: Duration = Duration::from_secs(2);

/// Serves legacy clients.
pub(super) struct LegacyHttp {
    hub: Hub,
    sessions: Sessions,
    tracker: TaskTracker,
}

/// A request whose answer is not there yet.
pub(super) struct Waiting {
    next: Stepping,
    busy: Busy,
    takes_events: bool,
}

type Checked<T> = Result<T, Box<HttpReply>>;

impl LegacyHttp {
    pub(super) fn new(hub: &Hub, options: &EndpointOptions) -> Arc<Self> {
        let legacy = Arc::new(Self {
            hub: hub.clone(),
            sessions: Sessions::new(options.max_sessions, options.session_idle_timeout),
            tracker: options.tracker.clone(),
        });
        let (swept, stop) = (legacy.clone(), options.stop.clone());
        options.tracker.spawn(async move {
            let mut round = interval(ROUND);
            loop {
                tokio::select! {
                    _ = round.tick() => swept.sessions.expire(),
                    () = stop.cancelled() => return swept.sessions.stop_listening(),
                }
            }
        });
        legacy
    }

    pub(super) fn request(
        &self,
        headers: &Headers<'_>,
        request: Request,
        read: Box<CallParams>,
    ) -> Opened<'_> {
        if Method::parse(&request.method) == Method::Initialize {
            return Opened::now(self.initialize(&request));
        }
        match self.session(headers) {
            Ok(session) => Opened::Legacy(Waiting {
                next: step(legacy::open_read(&session.session, request, read)),
                busy: session.busy(),
                takes_events: headers.accepts().events,
            }),
            Err(refused) => Opened::Now(refused),
        }
    }

    fn initialize(&self, request: &Request) -> HttpReply {
        let id = unguessable();
        let caller = Caller::new(format!("session {id}"));
        let (session, result) = Session::open(&self.hub, caller, request.params.as_ref());
        if self.sessions.add(&id, session).is_none() {
            return too_many();
        }
        let mut reply = response(StatusCode::OK, answer::result(&request.id, result));
        if let Ok(id) = HeaderValue::from_str(&id) {
            reply.headers.insert(SESSION_ID, id);
        }
        reply
    }

    /// The session that a message belongs to.
    fn session(&self, headers: &Headers<'_>) -> Checked<Arc<HttpSession>> {
        let unknown = |_: &&str| headers.era() != Some(Era::Legacy);
        if let Some(version) = headers.version().filter(unknown) {
            let why = format!("revision `{}` is not spoken here", version.escape_debug());
            return Err(boxed(StatusCode::BAD_REQUEST, code::INVALID_REQUEST, &why));
        }
        let Some(id) = headers.session() else {
            let why = "neither `params._meta` names a revision nor `Mcp-Session-Id` a session";
            return Err(boxed(StatusCode::BAD_REQUEST, code::INVALID_REQUEST, why));
        };
        self.sessions.get(id).ok_or_else(|| {
            boxed(
                StatusCode::NOT_FOUND,
                code::INVALID_REQUEST,
                "the session is not known (any more)",
            )
        })
    }

    pub(super) fn notification(&self, headers: &Headers<'_>, heard: &Notification) -> HttpReply {
        match self.session(headers) {
            Ok(session) => {
                drop(session.busy());
                session.session.heed(heard);
                HttpReply::empty(StatusCode::ACCEPTED)
            }
            Err(refused) => *refused,
        }
    }

    pub(super) fn response(&self, headers: &Headers<'_>, response: Response) -> HttpReply {
        match self.session(headers) {
            Ok(session) => {
                drop(session.busy());
                session.session.answered(response);
                HttpReply::empty(StatusCode::ACCEPTED)
            }
            Err(refused) => *refused,
        }
    }

    /// One JSON message if the response comes soon and nothing precedes it, else a stream.
    pub(super) async fn answer(&self, waiting: Waiting) -> HttpReply {
        let Waiting {
            busy,
            mut next,
            takes_events,
        } = waiting;
        if !takes_events {
            return alone(next).await;
        }
        let (first, rest) = match timeout(SOON, &mut next).await {
            Ok((Item::Last(last), _)) => return response(StatusCode::OK, last),
            Ok((Item::Cancelled, _)) => return events(futures_util::stream::empty()),
            Ok((Item::Message(frame), reply)) => (Some(frame), step(reply)),
            Err(_) => (None, next),
        };
        let session = busy.session().clone();
        let (name, log) = session.open_stream();
        let ended = session.ended.clone();
        let pumped = log.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                () = pump(&pumped, first, rest) => {}
                () = abandoned(&pumped) => {}
                () = ended.cancelled() => {}
            }
            pumped.end();
            drop(busy);
        });
        let reader = log.read_after(0);
        resumable(&session, (name, log), reader, Some(0))
    }

    /// A batch, which only revision 2025-03-26 has. Its responses come as one array; if anything is said
    /// before them, all of it comes as a stream.
    pub(super) fn batch(
        &self,
        headers: &Headers<'_>,
        messages: Vec<Result<Message, Malformed>>,
    ) -> Opened<'_> {
        match self.session(headers) {
            Ok(session) if session.session.version() == ProtocolVersion::V2025_03_26 => {
                Opened::Apart(Box::pin(self.answer_batch(session, messages)))
            }
            Ok(_) => Opened::now(json(StatusCode::BAD_REQUEST, no_batches())),
            Err(refused) => Opened::Now(refused),
        }
    }

    async fn answer_batch(
        &self,
        session: Arc<HttpSession>,
        messages: Vec<Result<Message, Malformed>>,
    ) -> HttpReply {
        let busy = session.busy();
        let mut batch = Batch::default();
        for message in messages {
            match message {
                Ok(Message::Request(request)) => {
                    batch.add(legacy::open(&session.session, request));
                }
                Ok(Message::Notification(heard)) => session.session.heed(&heard),
                Ok(Message::Response(response)) => session.session.answered(response),
                Err(malformed) => batch.refuse(refuse(&malformed)),
            }
        }
        if batch.is_empty() {
            return HttpReply::empty(StatusCode::ACCEPTED);
        }
        let (name, log) = session.open_stream();
        let pumped = log.clone();
        self.tracker.spawn(async move {
            let run = batch.run(|frame| {
                let pumped = pumped.clone();
                async move { pumped.push(frame).await }
            });
            tokio::select! {
                answer = run => if let Some(frame) = answer { pumped.push(frame).await },
                () = abandoned(&pumped) => {}
            }
            pumped.end();
            drop(busy);
        });
        let mut reader = log.read_after(0);
        let Some((_, first)) = reader.next().await else {
            return HttpReply::empty(StatusCode::ACCEPTED);
        };
        if first.starts_with(b"[") {
            session.close_stream(name);
            return json(StatusCode::OK, first);
        }
        let reader = log.read_after(0);
        resumable(&session, (name, log), reader, None)
    }

    /// The stream for what belongs to no request, or the rest of one that broke off.
    pub(super) fn listen(&self, headers: &Headers<'_>) -> HttpReply {
        let session = match self.session(headers) {
            Ok(session) => session,
            Err(refused) => return *refused,
        };
        if !headers.accepts().events {
            return HttpReply::empty(StatusCode::NOT_ACCEPTABLE);
        }
        match headers.last_event().and_then(StreamLog::parse_id) {
            Some((STANDING, after)) => standing(&session, after),
            Some((name, after)) => {
                let Some(log) = session.stream(name) else {
                    let why = "the stream is not kept any more";
                    return refusal(StatusCode::NOT_FOUND, code::INVALID_REQUEST, why);
                };
                let reader = log.read_after(after);
                resumable(&session, (name, log), reader, None)
            }
            None => standing(&session, session.standing.newest()),
        }
    }

    /// Ends the session.
    pub(super) fn end(&self, headers: &Headers<'_>) -> HttpReply {
        match headers.session() {
            None => HttpReply::empty(StatusCode::BAD_REQUEST),
            Some(id) if self.sessions.remove(id) => HttpReply::empty(StatusCode::NO_CONTENT),
            Some(_) => HttpReply::empty(StatusCode::NOT_FOUND),
        }
    }
}

fn boxed(status: StatusCode, code: i64, why: &str) -> Box<HttpReply> {
    Box::new(refusal(status, code, why))
}

type Stepping = Pin<Box<dyn Future<Output = (Item, Reply)> + Send>>;

/// The next step of a reply, which can be waited for in one place and then in another.
fn step(mut reply: Reply) -> Stepping {
    Box::pin(async move {
        let item = reply.next().await;
        (item, reply)
    })
}

/// The response alone, for a client that takes no stream.
async fn alone(mut next: Stepping) -> HttpReply {
    loop {
        match next.await {
            (Item::Last(last), _) => return response(StatusCode::OK, last),
            (Item::Cancelled, _) => return HttpReply::empty(StatusCode::ACCEPTED),
            (Item::Message(_), reply) => next = step(reply),
        }
    }
}

/// Writes a reply into its stream.
async fn pump(log: &StreamLog, first: Option<Bytes>, mut next: Stepping) {
    if let Some(first) = first {
        log.push(first).await;
    }
    loop {
        match next.await {
            (Item::Message(frame), reply) => {
                log.push(frame).await;
                next = step(reply);
            }
            (Item::Last(last), _) => return log.push(last.frame()).await,
            (Item::Cancelled, _) => return,
        }
    }
}

/// Resolves when the client has not come back for a stream in time.
async fn abandoned(log: &StreamLog) {
    loop {
        let wake = match log.idle_since() {
            Some(since) if since.elapsed() >= LINGER => return,
            Some(since) => since + LINGER,
            None => Instant::now() + LINGER,
        };
        sleep_until(wake).await;
    }
}

/// The events of a stream. `prime`: the number for an event without data that goes first, so that the
/// client can come back before the first message.
fn resumable(
    session: &Arc<HttpSession>,
    (_, log): (u64, Arc<StreamLog>),
    reader: LogReader,
    prime: Option<u64>,
) -> HttpReply {
    let resumes = session.session.version() >= ProtocolVersion::V2025_11_25;
    let prime = prime
        .filter(|_| resumes)
        .map(|number| sse::priming(log.event_id(number)));
    let ended = session.ended.clone();
    events(unfold(
        (prime, reader, ended),
        |(prime, mut reader, ended)| async move {
            if let Some(event) = prime {
                return Some((event, (None, reader, ended)));
            }
            let (id, frame) = tokio::select! {
                biased;
                next = reader.next() => next?,
                () = ended.cancelled() => return None,
            };
            Some((sse::message(frame, Some(id)), (None, reader, ended)))
        },
    ))
}

/// The stream for what belongs to no request, from after the event with this number.
fn standing(session: &Arc<HttpSession>, after: u64) -> HttpReply {
    let replaced = session.take_listener();
    let reader = session.standing.read_after(after);
    let state = (reader, session.busy(), session.clone(), replaced);
    events(unfold(
        state,
        |(mut reader, busy, session, replaced)| async move {
            loop {
                tokio::select! {
                    biased;
                    () = replaced.cancelled() => return None,
                    next = reader.next() => {
                        let (id, frame) = next?;
                        let event = sse::message(frame, Some(id));
                        return Some((event, (reader, busy, session, replaced)));
                    }
                    notice = session.session.subscription.next() => {
                        if let Some(frame) = session.session.frame(notice) {
                            session.standing.push(frame).await;
                        }
                    }
                }
            }
        },
    ))
}
