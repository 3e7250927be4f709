//! The first transport over HTTP, for clients that know nothing else (2024-11-05, "HTTP with SSE"): one stream of
//! events to the client, one request for each message of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::unfold;
use http::{Method as HttpMethod, StatusCode};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::mux::{Caller, Hub};
use crate::protocol::code;
use crate::transport::{Duplex, HttpReply, HttpRequest, Incoming, Outgoing};
use crate::wire::Frame;

use super::headers::Headers;
use super::http::{EndpointOptions, events, json, not_allowed, refusal, too_many};
use super::link::{Dialects, LinkOptions, refuse, serve_link};
use super::sessions::unguessable;
use super::sse;

/// Where the stream is.
pub(super) const PATH: &str = "/sse";
/// Where messages go to.
pub(super) const MESSAGES: &str = "/sse/messages";
/// The part of the query that names the session.
const SESSION: &str = "sessionId";
/// How long a message may wait for those before it to be taken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves legacy clients, one session for each stream.
pub(super) struct LegacySse {
    hub: Hub,
    /// Where the messages of each session go to.
    sessions: Mutex<HashMap<String, Outgoing>>,
    /// How many there may be.
    slots: Arc<Semaphore>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// One stream: what is dropped when its client goes. The session ends with it.
struct Stream {
    sse: Arc<LegacySse>,
    id: String,
    incoming: Incoming,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.sse.sessions.lock().remove(&self.id);
    }
}

impl LegacySse {
    pub(super) fn new(hub: &Hub, options: &EndpointOptions) -> Arc<Self> {
        Arc::new(Self {
            hub: hub.clone(),
            sessions: Mutex::default(),
            slots: Arc::new(Semaphore::new(options.max_sessions)),
            tracker: options.tracker.clone(),
            stop: options.stop.clone(),
        })
    }

    /// Opens a session and its stream, which says first where messages go to.
    pub(super) fn open(self: &Arc<Self>, request: &HttpRequest) -> HttpReply {
        if request.method != HttpMethod::GET {
            return not_allowed("GET");
        }
        if !Headers::read(&request.headers).accepts().events {
            return HttpReply::empty(StatusCode::NOT_ACCEPTABLE);
        }
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            return too_many();
        };
        let id = unguessable();
        // What we serve, and the end that this transport holds of it. Sizes are checked where messages come in.
        let (served, held) = Duplex::pair(usize::MAX);
        let options = LinkOptions {
            hub: self.hub.clone(),
            caller: Caller::new(format!("session {id}")),
            dialects: Dialects::Legacy,
            tracker: self.tracker.clone(),
            stop: self.stop.clone(),
        };
        self.tracker.spawn(serve_link(served, options));
        self.sessions.lock().insert(id.clone(), held.outgoing);
        let first = sse::endpoint(&format!("{MESSAGES}?{SESSION}={id}"));
        let stream = Stream {
            sse: self.clone(),
            id,
            incoming: held.incoming,
            _slot: slot,
        };
        events(unfold(
            (Some(first), stream),
            |(first, mut stream)| async move {
                let event = match first {
                    Some(first) => first,
                    None => next(&mut stream.incoming).await?,
                };
                Some((event, (None, stream)))
            },
        ))
    }

    /// Takes a message of a client; what is to be said to it comes on the stream.
    pub(super) async fn message(&self, request: &HttpRequest) -> HttpReply {
        if request.method != HttpMethod::POST {
            return not_allowed("POST");
        }
        if !Headers::read(&request.headers).is_json() {
            return HttpReply::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let Some(id) = request.target.query().and_then(session_of) else {
            let why = "the query names no `sessionId`";
            return refusal(StatusCode::BAD_REQUEST, code::INVALID_REQUEST, why);
        };
        let session = self.sessions.lock().get(id).cloned();
        let Some(session) = session else {
            let why = "the session is not known (any more)";
            return refusal(StatusCode::NOT_FOUND, code::INVALID_REQUEST, why);
        };
        if let Err(malformed) = Frame::parse(request.body.clone()) {
            return json(StatusCode::BAD_REQUEST, refuse(&malformed));
        }
        match timeout(PATIENCE, session.send(request.body.clone())).await {
            Ok(Ok(())) => HttpReply::empty(StatusCode::ACCEPTED),
            Ok(Err(_)) => HttpReply::empty(StatusCode::NOT_FOUND),
            Err(_) => {
                let why = "the client does not take what it was sent";
                refusal(StatusCode::SERVICE_UNAVAILABLE, code::OVERLOADED, why)
            }
        }
    }
}

/// The next message as an event; `None` at the end of the session.
async fn next(incoming: &mut Incoming) -> Option<Bytes> {
    let frame = incoming.next().await?.ok()?;
    Some(sse::message(frame, None))
}

fn session_of(query: &str) -> Option<&str> {
    let mut members = query.split('&').filter_map(|member| member.split_once('='));
    let found = members.find(|(key, _)| *key == SESSION);
    found.map(|(_, id)| id).filter(|id| !id.is_empty())
}
