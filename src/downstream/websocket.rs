//! The WebSocket for clients that know nothing else. No revision describes it; SDKs agree on the subprotocol `mcp` and on
//! one message in each text frame.

use std::sync::Arc;

use http::Method as HttpMethod;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::mux::{Caller, Hub};
use crate::transport::{HttpReply, HttpRequest};

use super::http::{EndpointOptions, not_allowed, too_many};
use super::link::{Dialects, LinkOptions, serve_link};
use super::sessions::unguessable;

/// The path of the WebSocket.
pub(super) const PATH: &str = "/ws";
const PROTOCOL: &str = "mcp";

/// Serves clients of both eras, each over a WebSocket.
pub(super) struct WebSockets {
    hub: Hub,
    /// How many may be open.
    slots: Arc<Semaphore>,
    max_message_size: usize,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl WebSockets {
    pub(super) fn new(hub: &Hub, options: &EndpointOptions) -> Self {
        Self {
            hub: hub.clone(),
            slots: Arc::new(Semaphore::new(options.max_sessions)),
            max_message_size: options.max_message_size,
            tracker: options.tracker.clone(),
            stop: options.stop.clone(),
        }
    }

    /// Answers a handshake. The link lives in a task of its own until the client closes it.
    pub(super) fn open(&self, request: &mut HttpRequest) -> HttpReply {
        if request.method != HttpMethod::GET {
            return not_allowed("GET");
        }
        let (reply, upgrade) = match request.accept_websocket(PROTOCOL) {
            Ok(accepted) => accepted,
            Err(refused) => return *refused,
        };
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            return too_many();
        };
        let options = LinkOptions {
            hub: self.hub.clone(),
            caller: Caller::new(format!("link {}", unguessable())),
            dialects: Dialects::Both,
            tracker: self.tracker.clone(),
            stop: self.stop.clone(),
        };
        let limit = self.max_message_size;
        self.tracker.spawn(async move {
            if let Some(duplex) = upgrade.link(limit, &options.tracker).await {
                serve_link(duplex, options).await;
            }
            drop(slot);
        });
        reply
    }
}
