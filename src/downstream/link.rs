//! One client at the other end of a two-way link: stdio, a WebSocket, or HTTP with a stream of events.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::mux::{Caller, Hub};
use crate::protocol::{CallParams, Method, ProtocolVersion, RpcError, code, notification};
use crate::transport::{Duplex, Incoming, Outgoing, TransportError};
use crate::wire::{
    Frame, Json, Malformed, MalformedKind, Message, Notification, Request, RequestId, Response,
};

use super::batch::Batch;
use super::modern::ModernRequest;
use super::reply::{Item, Last, Reply};
use super::running::{Desk, Kind, Running};
use super::session::Session;
use super::{answer, legacy};

/// How long requests under way may take once the client has closed its side.
const DRAIN: Duration = Duration::from_secs(2);
/// How many requests of the client may be under way.
const MAX_IN_FLIGHT: usize = 1_024;

/// Which dialects are spoken on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialects {
    /// Those of both eras.
    Both,
    /// That with a handshake.
    Legacy,
}

/// What a link needs besides its two directions.
pub(super) struct LinkOptions {
    pub(super) hub: Hub,
    /// Who is at the other end.
    pub(super) caller: Caller,
    pub(super) dialects: Dialects,
    /// Runs the tasks of the link.
    pub(super) tracker: TaskTracker,
    /// Ends the link.
    pub(super) stop: CancellationToken,
}

/// What the tasks of one link share.
struct Client {
    hub: Hub,
    outgoing: Outgoing,
    tracker: TaskTracker,
    caller: Caller,
    dialects: Dialects,
    ended: CancellationToken,
    /// The legacy client, once it has shaken hands.
    session: Mutex<Option<Arc<Session>>>,
}

/// A client, and its requests under way.
struct Link {
    client: Arc<Client>,
    running: Running<Reply>,
}

/// Serves the client on our own stdin and stdout until it closes its side or `stop`.
pub async fn serve_stdio(duplex: Duplex, hub: Hub, tracker: TaskTracker, stop: CancellationToken) {
    let options = LinkOptions {
        hub,
        caller: Caller::new("stdio"),
        dialects: Dialects::Both,
        tracker,
        stop,
    };
    serve_link(duplex, options).await;
}

/// Serves the client until it closes its side or `stop`. Requests under way may take a moment longer if it can still be
/// reached, and are cancelled then.
pub(super) async fn serve_link(duplex: Duplex, options: LinkOptions) {
    let Duplex { incoming, outgoing } = duplex;
    let stop = options.stop.clone();
    let mut link = Link::new(Client::new(outgoing, options));
    link.serve(incoming, stop).await;
    link.end();
    let client = link.client;
    if let Some(session) = client.session.lock().take() {
        session.cancel_all();
    }
    drop(client.outgoing.flushed().await);
}

impl Link {
    fn new(client: Arc<Client>) -> Self {
        let outgoing = client.outgoing.clone();
        Self {
            running: Running::new(move |desk| Box::pin(deliver(desk, outgoing.clone()))),
            client,
        }
    }

    async fn serve(&mut self, mut incoming: Incoming, stop: CancellationToken) {
        let client = self.client.clone();
        let (mut stopped, mut ended) = (pin!(stop.cancelled()), pin!(client.ended.cancelled()));
        loop {
            let mut next = incoming.ready();
            if next.is_none() {
                next = tokio::select! {
                    // The end first, since a client may send without a pause.
                    biased;
                    () = &mut stopped => return self.drain().await,
                    () = &mut ended, if !self.running.is_over() => {
                        self.running.end();
                        continue;
                    }
                    () = self.running.work() => {
                        self.end();
                        continue;
                    }
                    next = incoming.next() => next,
                };
            }
            let said = match next {
                Some(Ok(frame)) => self.take(frame),
                Some(Err(error @ TransportError::TooLarge { .. })) => {
                    Some(without_id(code::INVALID_REQUEST, &error.to_string()))
                }
                Some(Err(
                    TransportError::WebSocket { .. } | TransportError::NoWebSocket { .. },
                ))
                | None => {
                    self.running.end_subscriptions();
                    return self.drain().await;
                }
                Some(Err(error)) => return warn!(%error, "reading from the client failed"),
            };
            if let Some(frame) = said {
                self.send(frame).await;
            }
        }
    }

    /// Lets requests under way finish: scripts write their requests and close.
    async fn drain(&mut self) {
        tokio::select! {
            done = timeout(DRAIN, self.running.all_done()) => drop(done),
            () = self.client.outgoing.closed() => {}
            () = self.client.ended.cancelled() => {}
        }
    }

    /// Sends one message; requests under way go on meanwhile.
    async fn send(&mut self, frame: Bytes) {
        tokio::select! {
            biased;
            () = self.client.send(frame) => {}
            () = self.running.work() => self.end(),
        }
    }

    /// Nobody is there any more.
    fn end(&mut self) {
        self.client.ended.cancel();
        self.running.end();
    }

    /// Heeds one frame: what is to be said at once.
    fn take(&mut self, frame: Bytes) -> Option<Bytes> {
        match Frame::parse(frame) {
            Ok(Frame::One(Message::Request(request))) => self.request(request),
            Ok(Frame::One(Message::Notification(heard))) => {
                self.heed(&heard);
                None
            }
            Ok(Frame::One(Message::Response(response))) => {
                self.client.answered(response);
                None
            }
            Ok(Frame::Batch(messages)) => self.batch(messages),
            Err(malformed) => Some(refuse(&malformed)),
        }
    }

    fn heed(&mut self, heard: &Notification) {
        if heard.method.as_ref() == notification::CANCELLED
            && let Some(id) = cancelled(heard)
        {
            self.running.cancel(&id);
        }
        self.client.heed(heard);
    }

    /// Begins to answer a request, unless the answer is there already.
    fn request(&mut self, request: Request) -> Option<Bytes> {
        let id = request.id.clone();
        let reply = self.client.open(request);
        if let Reply::Ready(last) = reply {
            return last.map(Last::frame);
        }
        if self.running.count() >= MAX_IN_FLIGHT {
            let error = RpcError::new(code::OVERLOADED, "too many requests are under way");
            return Some(answer::error(&id, &error).frame());
        }
        let (kind, id) = match reply {
            Reply::Listen(_) => (Kind::Subscription, Some(id)),
            Reply::Modern(_) => (Kind::Request, Some(id)),
            _ => (Kind::Request, None),
        };
        self.running.begin(reply, kind, id);
        None
    }

    /// A batch, which only revision 2025-03-26 has: its messages are taken one by one, its responses sent as
    /// one array.
    fn batch(&mut self, messages: Vec<Result<Message, Malformed>>) -> Option<Bytes> {
        let version = self
            .client
            .session
            .lock()
            .as_ref()
            .map(|session| session.version());
        if version != Some(ProtocolVersion::V2025_03_26) {
            return Some(no_batches());
        }
        let mut batch = Batch::default();
        for message in messages {
            match message {
                Ok(Message::Request(request)) => batch.add(self.client.open(request)),
                Ok(Message::Notification(heard)) => self.heed(&heard),
                Ok(Message::Response(response)) => self.client.answered(response),
                Err(malformed) => batch.refuse(refuse(&malformed)),
            }
        }
        self.client.clone().answer_batch(batch);
        None
    }
}

/// Sends all messages of one reply after the other, until the client cannot be reached any more.
async fn deliver(desk: Arc<Desk<Reply>>, outgoing: Outgoing) {
    loop {
        let mut reply = desk.next().await;
        loop {
            let (frame, is_last) = match reply.next().await {
                Item::Message(frame) => (frame, false),
                Item::Last(last) => (last.frame(), true),
                Item::Cancelled => break,
            };
            if outgoing.send(frame).await.is_err() {
                return;
            }
            if is_last {
                break;
            }
        }
    }
}

impl Client {
    fn new(outgoing: Outgoing, options: LinkOptions) -> Arc<Self> {
        Arc::new(Self {
            hub: options.hub,
            outgoing,
            tracker: options.tracker,
            caller: options.caller,
            dialects: options.dialects,
            ended: CancellationToken::new(),
            session: Mutex::default(),
        })
    }

    async fn send(&self, frame: Bytes) {
        if self.outgoing.send(frame).await.is_err() {
            // Nobody is there any more.
            self.ended.cancel();
        }
    }

    fn answered(&self, response: Response) {
        let session = self.session.lock().clone();
        if let Some(session) = session {
            session.answered(response);
        } else {
            debug!("a response was ignored: nothing was asked");
        }
    }

    fn heed(self: &Arc<Self>, heard: &Notification) {
        let session = self.session.lock().clone();
        if heard.method.as_ref() == notification::INITIALIZED
            && let Some(session) = &session
        {
            self.tracker.spawn(self.clone().tell(session.clone()));
        }
        if let Some(session) = session {
            session.heed(heard);
        }
    }

    /// Tells a legacy client what happens outside its requests.
    async fn tell(self: Arc<Self>, session: Arc<Session>) {
        loop {
            tokio::select! {
                notice = session.subscription.next() => {
                    if let Some(frame) = session.frame(notice) {
                        self.send(frame).await;
                    }
                }
                () = self.ended.cancelled() => return,
            }
        }
    }

    /// The reply to a request, in the dialect in which it came.
    fn open(self: &Arc<Self>, request: Request) -> Reply {
        let read = CallParams::read(request.params.as_ref());
        let id = request.id.clone();
        if self.dialects == Dialects::Both && ModernRequest::is_modern(&read) {
            let opened = ModernRequest::read(request, read)
                .and_then(|request| request.open(&self.hub, &self.caller));
            return opened.unwrap_or_else(|error| Reply::ready(answer::error(&id, &error)));
        }
        let session = self.session.lock().clone();
        match (session, Method::parse(&request.method)) {
            (None, Method::Initialize) => {
                let (session, result) =
                    Session::open(&self.hub, self.caller.clone(), request.params.as_ref());
                *self.session.lock() = Some(session);
                Reply::ready(answer::result(&id, result))
            }
            (Some(session), _) => legacy::open_read(&session, request, read),
            (None, Method::Ping) => Reply::ready(answer::result(&id, Json::from_static("{}"))),
            (None, _) => {
                let why = match self.dialects {
                    Dialects::Both => {
                        "`params._meta` lacks `io.modelcontextprotocol/protocolVersion`, and the client has not sent `initialize`"
                    }
                    Dialects::Legacy => "the client has not sent `initialize`",
                };
                let error = RpcError::new(code::INVALID_PARAMS, why);
                Reply::ready(answer::error(&id, &error))
            }
        }
    }

    fn answer_batch(self: Arc<Self>, batch: Batch) {
        let client = self.clone();
        self.tracker.spawn(async move {
            let run = batch.run(|frame| {
                let client = client.clone();
                async move { client.send(frame).await }
            });
            tokio::select! {
                answer = run => if let Some(frame) = answer { client.send(frame).await },
                () = client.ended.cancelled() => {}
            }
        });
    }
}

/// The request that the client does not want answered any more.
fn cancelled(heard: &Notification) -> Option<RequestId> {
    let id = heard.params.as_ref()?.get("requestId")?;
    RequestId::from_json(&id)
}

/// The error for something that is no message.
pub(super) fn refuse(malformed: &Malformed) -> Bytes {
    let number = match malformed.kind {
        MalformedKind::Parse => code::PARSE,
        MalformedKind::Invalid => code::INVALID_REQUEST,
    };
    let error = RpcError::new(number, malformed.detail.clone());
    Response {
        id: malformed.id.clone(),
        body: Err(error.to_json()),
    }
    .encode()
}

/// The error for a batch where there are none.
pub(super) fn no_batches() -> Bytes {
    let why = "batches exist in revision 2025-03-26 only";
    without_id(code::INVALID_REQUEST, why)
}

fn without_id(code: i64, why: &str) -> Bytes {
    Response {
        id: None,
        body: Err(RpcError::new(code, why).to_json()),
    }
    .encode()
}
