//! The endpoints over HTTP: which of them, and which dialect, serves a request.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, StatusCode};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::mux::Hub;
use crate::protocol::{CallParams, Era, ProtocolVersion, code};
use crate::transport::{HttpReply, HttpRequest, HttpService};
use crate::wire::{Frame, Message};

use super::http_legacy::LegacyHttp;
use super::http_modern::ModernHttp;
use super::legacy_sse::{self, LegacySse};
use super::link::{no_batches, refuse};
use super::modern::ModernRequest;
use super::reply::Last;
use super::sse;
use super::websocket::{self, WebSockets};

/// The path of the MCP endpoint.
pub const PATH: &str = "/mcp";
/// Names the revision that a message is written in.
pub(super) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// Names the session of a legacy client.
pub(super) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

const JSON: &str = "application/json";
pub(super) const EVENTS: &str = "text/event-stream";
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

    async fn mcp(&self, request: HttpRequest) -> HttpReply {
        match request.method {
            HttpMethod::POST => self.post(request).await,
            HttpMethod::GET if !names_modern(&request.headers) => {
                self.legacy.listen(&request.headers)
            }
            HttpMethod::DELETE if !names_modern(&request.headers) => {
                self.legacy.end(&request.headers)
            }
            _ => not_allowed("GET, POST, DELETE"),
        }
    }

    async fn post(&self, request: HttpRequest) -> HttpReply {
        let HttpRequest { headers, body, .. } = request;
        if !is_json(&headers) {
            return HttpReply::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        if !accepts(&headers, JSON) && !accepts(&headers, EVENTS) {
            return HttpReply::empty(StatusCode::NOT_ACCEPTABLE);
        }
        match Frame::parse(body) {
            Err(malformed) => json(StatusCode::BAD_REQUEST, refuse(&malformed)),
            Ok(Frame::One(Message::Request(request))) => {
                let read = CallParams::read(request.params.as_ref());
                if ModernRequest::is_modern(&read) || names_modern(&headers) {
                    self.modern.request(&headers, request, read).await
                } else {
                    self.legacy.request(&headers, request, read).await
                }
            }
            Ok(Frame::One(Message::Notification(heard))) => {
                let read = CallParams::read(heard.params.as_ref());
                if ModernRequest::is_modern(&read) || names_modern(&headers) {
                    // Over HTTP, a modern client has nothing to notify of: closing a stream cancels.
                    return HttpReply::empty(StatusCode::ACCEPTED);
                }
                self.legacy.notification(&headers, &heard)
            }
            Ok(Frame::One(Message::Response(response))) => {
                if names_modern(&headers) {
                    return HttpReply::empty(StatusCode::BAD_REQUEST);
                }
                self.legacy.response(&headers, response)
            }
            Ok(Frame::Batch(messages)) => {
                if names_modern(&headers) {
                    return json(StatusCode::BAD_REQUEST, no_batches());
                }
                self.legacy.batch(&headers, messages).await
            }
        }
    }
}

impl HttpService for Endpoint {
    async fn handle(&self, request: HttpRequest) -> HttpReply {
        match (request.target.path(), &self.websocket, &self.legacy_sse) {
            (PATH, ..) => self.mcp(request).await,
            (websocket::PATH, Some(websocket), _) => websocket.open(request),
            (legacy_sse::PATH, _, Some(sse)) => sse.open(&request),
            (legacy_sse::MESSAGES, _, Some(sse)) => sse.message(request).await,
            _ => HttpReply::empty(StatusCode::NOT_FOUND),
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

/// Whether the headers say that a message is modern.
fn names_modern(headers: &HeaderMap) -> bool {
    text(headers, &PROTOCOL_VERSION)
        .and_then(ProtocolVersion::parse)
        .is_some_and(|version| version.era() == Era::Modern)
}

/// A header as text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Whether a body claims to be JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    text(headers, &CONTENT_TYPE)
        .is_some_and(|value| essence(value.as_bytes()).eq_ignore_ascii_case(JSON.as_bytes()))
}

/// Whether a client takes this media type; one that says nothing takes everything.
pub(super) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let Some(value) = text(headers, &ACCEPT) else {
        return true;
    };
    let is_family = |start: &[u8]| {
        let family = media_type.as_bytes().split(|byte| *byte == b'/').next();
        family.is_some_and(|family| family.eq_ignore_ascii_case(start))
    };
    let mut ranges = value.as_bytes().split(|byte| *byte == b',').map(essence);
    ranges.any(|range| {
        range.eq_ignore_ascii_case(media_type.as_bytes())
            || range == b"*/*"
            || range.strip_suffix(b"/*").is_some_and(is_family)
    })
}

/// A media type without its parameters.
fn essence(range: &[u8]) -> &[u8] {
    let end = range.iter().position(|byte| *byte == b';');
    range[..end.unwrap_or(range.len())].trim_ascii()
}

/// An answer that is one message.
pub(super) fn json(status: StatusCode, frame: Bytes) -> HttpReply {
    HttpReply::full(status, JSON, frame)
}

/// An answer that is one response.
pub(super) fn response(status: StatusCode, last: &Last) -> HttpReply {
    HttpReply::pieces(status, JSON, last.response.pieces())
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
