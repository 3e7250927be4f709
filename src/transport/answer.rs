//! What a server answered, and the event stream in it.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};

use super::{Body, TransportError};
use crate::wire::{SseDecoder, SseEvent};

/// What a server answered. Dropping it closes the stream of the response: on HTTP/2 that stream alone,
/// on HTTP/1 the connection.
pub struct Answer {
    /// The status; redirects that were not followed are here as they came.
    pub status: StatusCode,
    /// The headers; what is said of the body may be left out.
    pub headers: Arc<HeaderMap>,
    /// The body, of which nothing has been read.
    pub body: Body,
    /// What a person can do about a refusal, if credentials were shown that change.
    pub advice: Option<String>,
}

/// The events of a response.
pub struct EventStream {
    /// Gone once it has ended or failed.
    body: Option<Body>,
    decoder: SseDecoder,
}

impl EventStream {
    /// Events may have up to `limit` bytes.
    pub(super) fn new(body: Body, limit: usize) -> Self {
        Self {
            decoder: SseDecoder::new(limit),
            body: Some(body),
        }
    }

    /// The next event; `None` when the server has ended the stream in order. An event that is too large is
    /// reported and the stream goes on; any other error is followed by `None`. Cancel safe.
    pub async fn next(&mut self) -> Option<Result<SseEvent, TransportError>> {
        loop {
            if let Some(event) = self.decoder.next() {
                return Some(event.map_err(TransportError::from));
            }
            match self.body.as_mut()?.chunk().await {
                Ok(Some(chunk)) => self.decoder.push(&chunk),
                Ok(None) => self.body = None,
                Err(error) => {
                    self.body = None;
                    return Some(Err(error));
                }
            }
        }
    }
}
