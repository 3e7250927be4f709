//! One client at the other end of a two-way link: stdio, a WebSocket, or HTTP with a stream of events.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::mux::{Caller, Hub};
use crate::protocol::{CallParams, Method, ProtocolVersion, RpcError, code, notification};
use crate::transport::{Duplex, Outgoing, TransportError};
use crate::wire::{
    Frame, Json, Malformed, MalformedKind, Message, Notification, Request, RequestId, Response,
};

use super::batch::Batch;
use super::modern::ModernRequest;
use super::reply::{Item, Reply};
use super::running::{Kind, Running};
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
    slots: Arc<Semaphore>,
    ended: CancellationToken,
    /// Requests under way.
    running: Running,
    /// The legacy client, once it has shaken hands.
    session: Mutex<Option<Arc<Session>>>,
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
    let Duplex {
        mut incoming,
        outgoing,
    } = duplex;
    let stop = options.stop.clone();
    let client = Client::new(outgoing, options);
    loop {
        let mut next = incoming.ready();
        if next.is_none() {
            next = tokio::select! {
                next = incoming.next() => next,
                () = stop.cancelled() => {
                    client.drain().await;
                    break;
                }
            };
        }
        match next {
            Some(Ok(frame)) => client.take(frame).await,
            Some(Err(error @ TransportError::TooLarge { .. })) => {
                let refused = without_id(code::INVALID_REQUEST, &error.to_string());
                client.send(refused).await;
            }
            Some(Err(TransportError::WebSocket { .. } | TransportError::NoWebSocket { .. }))
            | None => {
                client.running.end_subscriptions();
                client.drain().await;
                break;
            }
            Some(Err(error)) => {
                warn!(%error, "reading from the client failed");
                break;
            }
        }
    }
    client.end();
    if let Some(session) = client.session.lock().take() {
        session.cancel_all();
    }
    drop(client.outgoing.flushed().await);
}

impl Client {
    fn new(outgoing: Outgoing, options: LinkOptions) -> Arc<Self> {
        Arc::new(Self {
            hub: options.hub,
            outgoing,
            tracker: options.tracker,
            caller: options.caller,
            dialects: options.dialects,
            slots: Arc::new(Semaphore::new(MAX_IN_FLIGHT)),
            ended: CancellationToken::new(),
            running: Running::default(),
            session: Mutex::default(),
        })
    }

    /// Lets requests under way finish: scripts write their requests and close.
    async fn drain(&self) {
        let all = u32::try_from(MAX_IN_FLIGHT).unwrap_or(u32::MAX);
        tokio::select! {
            idle = timeout(DRAIN, self.slots.acquire_many(all)) => drop(idle),
            () = self.outgoing.closed() => {}
            () = self.ended.cancelled() => {}
        }
    }

    async fn send(&self, frame: Bytes) {
        if self.outgoing.send(frame).await.is_err() {
            self.end();
        }
    }

    /// Nobody is there any more.
    fn end(&self) {
        self.ended.cancel();
        self.running.end();
    }

    async fn take(self: &Arc<Self>, frame: Bytes) {
        match Frame::parse(frame) {
            Ok(Frame::One(message)) => self.message(message).await,
            Ok(Frame::Batch(messages)) => self.batch(messages).await,
            Err(malformed) => self.send(refuse(&malformed)).await,
        }
    }

    async fn message(self: &Arc<Self>, message: Message) {
        match message {
            Message::Request(request) => {
                let id = request.id.clone();
                let reply = self.open(request);
                self.run(id, reply).await;
            }
            Message::Notification(heard) => self.heed(&heard),
            Message::Response(response) => self.answered(response),
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
        match heard.method.as_ref() {
            notification::CANCELLED => {
                let id = heard
                    .params
                    .as_ref()
                    .and_then(|params| params.get("requestId"));
                let id = id.as_ref().and_then(RequestId::from_json);
                if let Some(id) = id {
                    self.running.cancel(&id);
                }
            }
            notification::INITIALIZED => {
                if let Some(session) = &session {
                    self.tracker.spawn(self.clone().tell(session.clone()));
                }
            }
            _ => {}
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
            (Some(session), _) => legacy::open(&session, request),
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

    /// Sends the messages of a reply, in a task of its own unless it is there already.
    async fn run(self: &Arc<Self>, id: RequestId, reply: Reply) {
        if let Reply::Ready(Some(last)) = reply {
            return self.send(last.frame()).await;
        }
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            let error = RpcError::new(code::OVERLOADED, "too many requests are under way");
            return self.send(answer::error(&id, &error).frame()).await;
        };
        let kind = match reply {
            Reply::Listen(_) => Kind::Subscription,
            _ => Kind::Request,
        };
        let Some(place) = self.running.enter(kind) else {
            return;
        };
        if matches!(reply, Reply::Modern(_) | Reply::Listen(_)) {
            self.running.name(&place, id.clone());
        }
        self.running.start(place, |place| {
            let client = self.clone();
            let task = self.tracker.spawn(async move {
                client.deliver(&id, reply).await;
                drop((place, slot));
            });
            task.abort_handle()
        });
    }

    async fn deliver(&self, id: &RequestId, mut reply: Reply) {
        loop {
            match reply.next().await {
                Item::Message(frame) => self.send(frame).await,
                Item::Last(last) => {
                    // Before the response is out: its id may be used again from then on.
                    self.running.forget(id);
                    return self.send(last.frame()).await;
                }
                Item::Cancelled => return,
            }
        }
    }

    /// A batch, which only revision 2025-03-26 has: its messages are taken one by one, its responses sent as
    /// one array.
    async fn batch(self: &Arc<Self>, messages: Vec<Result<Message, Malformed>>) {
        let version = self
            .session
            .lock()
            .as_ref()
            .map(|session| session.version());
        if version != Some(ProtocolVersion::V2025_03_26) {
            return self.send(no_batches()).await;
        }
        let mut batch = Batch::default();
        for message in messages {
            match message {
                Ok(Message::Request(request)) => batch.add(self.open(request)),
                Ok(Message::Notification(heard)) => self.heed(&heard),
                Ok(Message::Response(response)) => self.answered(response),
                Err(malformed) => batch.refuse(refuse(&malformed)),
            }
        }
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
