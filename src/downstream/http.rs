//! The endpoints over HTTP: which of them, and which dialect, serves a request.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use futures_util::stream::unfold;
use http::header::{ALLOW, CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method as HttpMethod, StatusCode};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::mux::Hub;
use crate::protocol::{CallParams, Era, code};
use crate::transport::{HttpReply, HttpRequest, HttpService};
use crate::wire::{Frame, Message};

use super::headers::{EVENTS, Headers, JSON};
use super::http_legacy::{LegacyHttp, Waiting};
use super::http_modern::ModernHttp;
use super::legacy_sse::{self, LegacySse};
use super::link::{no_batches, refuse};
use super::modern::ModernRequest;
use super::reply::Last;
use super::sse;
use super::websocket::{self, WebSockets};

/// The path of the MCP endpoint.
pub const PATH: &str = "/mcp";
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How often a quiet stream says that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What the endpoint needs besides the hub.
#[derive(Clone)]
pub struct EndpointOptions {
    /// How many legacy sessions there may be.
    pub max_sessions: usize,
    /// How long a legacy session may be idle.
    pub session_idle_timeout: Duration,
    /// The longest message in bytes.
    pub max_message_size: usize,
    /// Whether there is a WebSocket beside the endpoint.
    pub websocket: bool,
    /// Whether clients of the first transport over HTTP are served.
    pub legacy_sse: bool,
    /// Runs the endpoint's tasks.
    pub tracker: TaskTracker,
    /// Ends the sessions.
    pub stop: CancellationToken,
}

/// The MCP endpoint, and what is beside it for clients that cannot use it.
pub struct Endpoint {
    modern: ModernHttp,
    legacy: Arc<LegacyHttp>,
    websocket: Option<WebSockets>,
    legacy_sse: Option<Arc<LegacySse>>,
}

impl Endpoint {
    /// An endpoint in front of this hub.
    pub fn new(hub: &Hub, options: &EndpointOptions) -> Self {
        Self {
            modern: ModernHttp::new(hub.clone()),
            legacy: LegacyHttp::new(hub, options),
            websocket: options.websocket.then(|| WebSockets::new(hub, options)),
            legacy_sse: options.legacy_sse.then(|| LegacySse::new(hub, options)),
        }
    }

    /// Opens the answer to a request.
    fn open<'a>(&'a self, request: &'a mut HttpRequest) -> Opened<'a> {
        match (request.target.path(), &self.websocket, &self.legacy_sse) {
            (PATH, ..) => self.mcp(request),
            (websocket::PATH, Some(websocket), _) => Opened::now(websocket.open(request)),
            (legacy_sse::PATH, _, Some(sse)) => Opened::now(sse.open(request)),
            (legacy_sse::MESSAGES, _, Some(sse)) => Opened::Apart(Box::pin(sse.message(request))),
            _ => Opened::now(HttpReply::empty(StatusCode::NOT_FOUND)),
        }
    }

    fn mcp(&self, request: &mut HttpRequest) -> Opened<'_> {
        let body = std::mem::take(&mut request.body);
        let headers = Headers::read(&request.headers);
        let is_modern = headers.era() == Some(Era::Modern);
        match request.method {
            HttpMethod::POST => self.post(&headers, body),
            HttpMethod::GET if !is_modern => Opened::now(self.legacy.listen(&headers)),
            HttpMethod::DELETE if !is_modern => Opened::now(self.legacy.end(&headers)),
            _ => Opened::now(not_allowed("GET, POST, DELETE")),
        }
    }

    fn post(&self, headers: &Headers<'_>, body: Bytes) -> Opened<'_> {
        let names_modern = headers.era() == Some(Era::Modern);
        let accepts = headers.accepts();
        if !headers.is_json() {
            return Opened::now(HttpReply::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        if !accepts.json && !accepts.events {
            return Opened::now(HttpReply::empty(StatusCode::NOT_ACCEPTABLE));
        }
        match Frame::parse(body) {
            Err(malformed) => Opened::now(json(StatusCode::BAD_REQUEST, refuse(&malformed))),
            Ok(Frame::One(Message::Request(request))) => {
                let read = CallParams::read(request.params.as_ref());
                if ModernRequest::is_modern(&read) || names_modern {
                    self.modern.request(headers, request, read)
                } else {
                    self.legacy.request(headers, request, read)
                }
            }
            Ok(Frame::One(Message::Notification(heard))) => {
                let read = CallParams::read(heard.params.as_ref());
                if ModernRequest::is_modern(&read) || names_modern {
                    // Over HTTP, a modern client has nothing to notify of: closing a stream cancels.
                    return Opened::now(HttpReply::empty(StatusCode::ACCEPTED));
                }
                Opened::now(self.legacy.notification(headers, &heard))
            }
            Ok(Frame::One(Message::Response(response))) => {
                if names_modern {
                    return Opened::now(HttpReply::empty(StatusCode::BAD_REQUEST));
                }
                Opened::now(self.legacy.response(headers, response))
            }
            Ok(Frame::Batch(messages)) => {
                if names_modern {
                    return Opened::now(json(StatusCode::BAD_REQUEST, no_batches()));
                }
                self.legacy.batch(headers, messages)
            }
        }
    }
}

/// The answer to a request, as far as it can be told at once. What there is to wait for is small: it is moved a few times.
pub(super) enum Opened<'a> {
    Now(Box<HttpReply>),
    /// A request of a legacy client.
    Legacy(Waiting),
    Apart(BoxFuture<'a, HttpReply>),
}

impl Opened<'_> {
    pub(super) fn now(reply: HttpReply) -> Self {
        Self::Now(Box::new(reply))
    }
}

impl HttpService for Endpoint {
    async fn handle(&self, request: &mut HttpRequest) -> HttpReply {
        match self.open(request) {
            Opened::Now(reply) => *reply,
            Opened::Legacy(waiting) => self.legacy.answer(waiting).await,
            Opened::Apart(answer) => answer.await,
        }
    }
}

/// The answer to a method other than these.
pub(super) fn not_allowed(allowed: &'static str) -> HttpReply {
    let mut reply = HttpReply::empty(StatusCode::METHOD_NOT_ALLOWED);
    reply
        .headers
        .insert(ALLOW, HeaderValue::from_static(allowed));
    reply
}

/// The answer when there is no room for another session.
pub(super) fn too_many() -> HttpReply {
    let why = "too many sessions are open";
    let mut reply = refusal(StatusCode::SERVICE_UNAVAILABLE, code::OVERLOADED, why);
    reply
        .headers
        .insert(RETRY_AFTER, HeaderValue::from_static("30"));
    reply
}

/// An answer that is one message.
pub(super) fn json(status: StatusCode, frame: Bytes) -> HttpReply {
    HttpReply::full(status, JSON, frame)
}

/// An answer that is one response.
pub(super) fn response(status: StatusCode, last: Last) -> HttpReply {
    HttpReply::pieces(status, JSON, last.message)
}

/// An answer that is one error without an id.
pub(super) fn refusal(status: StatusCode, code: i64, why: &str) -> HttpReply {
    let error = crate::protocol::RpcError::new(code, why).to_json();
    let frame = crate::wire::Response {
        id: None,
        body: Err(error),
    }
    .encode();
    json(status, frame)
}

/// An answer that is a stream of events, with a comment wherever it is quiet for long.
pub(super) fn events(events: impl Stream<Item = Bytes> + Send + 'static) -> HttpReply {
    let mut ticks = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let kept_alive = unfold(
        (Box::pin(events), ticks),
        |(mut events, mut ticks)| async move {
            let next = std::future::poll_fn(|cx| events.as_mut().poll_next(cx));
            let item = tokio::select! {
                biased;
                item = next => item?,
                _ = ticks.tick() => sse::keep_alive(),
            };
            ticks.reset();
            Some((item, (events, ticks)))
        },
    );
    let mut reply = HttpReply::stream(StatusCode::OK, EVENTS, kept_alive);
    reply.headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-transform"),
    );
    reply
        .headers
        .insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    reply
}
