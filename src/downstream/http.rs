//! The MCP endpoint over HTTP: which dialect serves a request.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, StatusCode};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::mux::Hub;
use crate::protocol::{CallParams, Era, ProtocolVersion};
use crate::transport::{HttpReply, HttpRequest, HttpService};
use crate::wire::{Frame, Message};

use super::http_legacy::LegacyHttp;
use super::http_modern::ModernHttp;
use super::modern::ModernRequest;
use super::sse;
use super::stdio::{no_batches, refuse};

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
    /// Runs the endpoint's tasks.
    pub tracker: TaskTracker,
    /// Ends the sessions.
    pub stop: CancellationToken,
}

/// The MCP endpoint.
pub struct Endpoint {
    modern: ModernHttp,
    legacy: Arc<LegacyHttp>,
}

impl Endpoint {
    /// An endpoint in front of this hub.
    pub fn new(hub: &Hub, options: &EndpointOptions) -> Self {
        Self {
            modern: ModernHttp::new(hub.clone()),
            legacy: LegacyHttp::new(hub, options),
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
                    self.legacy.request(&headers, request).await
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
        if request.path != PATH {
            return HttpReply::empty(StatusCode::NOT_FOUND);
        }
        match request.method {
            HttpMethod::POST => self.post(request).await,
            HttpMethod::GET if !names_modern(&request.headers) => {
                self.legacy.listen(&request.headers)
            }
            HttpMethod::DELETE if !names_modern(&request.headers) => {
                self.legacy.end(&request.headers)
            }
            _ => not_allowed(),
        }
    }
}

fn not_allowed() -> HttpReply {
    let mut reply = HttpReply::empty(StatusCode::METHOD_NOT_ALLOWED);
    reply
        .headers
        .insert(ALLOW, HeaderValue::from_static("GET, POST, DELETE"));
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

fn is_json(headers: &HeaderMap) -> bool {
    text(headers, &CONTENT_TYPE).is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case(JSON)
    })
}

/// Whether a client takes this media type; one that says nothing takes everything.
pub(super) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let family = media_type.split('/').next().unwrap_or_default();
    let Some(value) = text(headers, &ACCEPT) else {
        return true;
    };
    value.split(',').any(|range| {
        let range = range.split(';').next().unwrap_or_default().trim();
        range == "*/*"
            || range.eq_ignore_ascii_case(media_type)
            || range
                .strip_suffix("/*")
                .is_some_and(|start| start.eq_ignore_ascii_case(family))
    })
}

/// An answer that is one message.
pub(super) fn json(status: StatusCode, frame: Bytes) -> HttpReply {
    HttpReply::full(status, JSON, frame)
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
