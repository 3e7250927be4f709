//! Requests to a server of the HTTP+SSE transport (2024-11-05): a POST for each, and one stream for all that it says.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use tokio::time::timeout;

use crate::transport::Endpoint;

use super::UpstreamError;
use super::connection::{Carrier, Connection};
use super::http::{BOTH, JSON, PROTOCOL_VERSION, from_transport, refusal};
use super::pending::{Delivery, UpstreamId};

/// Some servers hold the answer to a POST until they have done what it says: nobody waits for it any longer.
const HELD: Duration = Duration::from_secs(60);
/// An answer to a POST says nothing; up to this size it is read, so that its connection can be used again.
const SMALL: u64 = 4096;

/// Where the messages for one stream go.
pub(super) struct SseCarrier {
    messages: Endpoint,
    version: OnceLock<HeaderValue>,
}

impl SseCarrier {
    pub(super) fn new(messages: Endpoint) -> Self {
        Self {
            messages,
            version: OnceLock::new(),
        }
    }

    /// From now on every message names this revision.
    pub(super) fn agree_on(&self, version: HeaderValue) {
        drop(self.version.set(version));
    }

    /// Sends a message. What answers it comes on the stream.
    pub(super) async fn post(&self, body: Bytes) -> Result<(), UpstreamError> {
        let mut headers = HeaderMap::from_iter([(ACCEPT, BOTH), (CONTENT_TYPE, JSON)]);
        if let Some(version) = self.version.get() {
            headers.insert(PROTOCOL_VERSION, version.clone());
        }
        let answer = self.messages.post(headers, body).await;
        let answer = answer.map_err(|error| from_transport(&error))?;
        if !answer.status.is_success() {
            return Err(match refusal(&answer) {
                UpstreamError::Status(404) => UpstreamError::SessionLost,
                other => other,
            });
        }
        if answer.body.announced().is_some_and(|size| size <= SMALL) {
            drop(answer.body.bytes().await);
        }
        Ok(())
    }
}

impl Connection {
    /// Sends a request whose answer will come on the stream.
    pub(super) async fn post_aside(self: Arc<Self>, id: UpstreamId, body: Bytes) {
        let Carrier::Sse(sse) = &self.carrier else {
            return;
        };
        let sent = tokio::select! {
            sent = timeout(HELD, sse.post(body)) => sent,
            () = self.closed() => return,
        };
        if let Ok(Err(why)) = sent {
            let forgotten = matches!(why, UpstreamError::SessionLost);
            self.pending.finish(id, Delivery::Failed(why));
            if forgotten {
                self.close();
            }
        }
    }
}
