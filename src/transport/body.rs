//! The body of an answer, whichever way it comes.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::{Response, Upgraded};

use super::gather::Gather;
use super::http_client::innermost;
use super::http1::PlainBody;
use super::{EventStream, TransportError};

/// A body that has not been read.
pub struct Body {
    pub(super) source: Source,
    pub(super) origin: Arc<str>,
    pub(super) limit: usize,
}

/// Where a body comes from.
pub(super) enum Source {
    Plain(PlainBody),
    // A place of its own, since most bodies are none and should not be moved about with the room for it.
    Client(Box<Response>),
}

impl Body {
    /// The whole body. One that is announced as too large is not read.
    pub async fn bytes(self) -> Result<Bytes, TransportError> {
        let limit = self.limit;
        match self.source {
            Source::Plain(body) => body.bytes(limit).await,
            // Apart: few servers are reached so, and the future of every call would have room for it.
            Source::Client(response) => Box::pin(gathered(response, &self.origin, limit)).await,
        }
    }

    /// The body as an event stream.
    pub fn events(self) -> EventStream {
        let limit = self.limit;
        EventStream::new(self, limit)
    }

    /// How many bytes are announced, if that is known.
    pub fn announced(&self) -> Option<u64> {
        match &self.source {
            Source::Plain(body) => body.announced(),
            Source::Client(response) => response.content_length(),
        }
    }

    /// The connection itself, which the server has agreed to use for something else.
    pub(super) async fn upgraded(self) -> Result<Upgraded, TransportError> {
        match self.source {
            Source::Plain(_) => Err(TransportError::NoWebSocket {
                detail: "the connection is not there for it".to_owned(),
            }),
            Source::Client(response) => {
                let upgraded = response.upgrade().await;
                upgraded.map_err(|error| broken(&error, &self.origin))
            }
        }
    }

    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        match &mut self.source {
            Source::Plain(body) => body.chunk().await,
            Source::Client(response) => chunk(response, &self.origin).await,
        }
    }
}

async fn gathered(
    mut response: Box<Response>,
    origin: &str,
    limit: usize,
) -> Result<Bytes, TransportError> {
    let mut gather = Gather::new(limit, response.content_length())?;
    while let Some(chunk) = chunk(&mut response, origin).await? {
        gather.push(chunk)?;
    }
    Ok(gather.finish())
}

async fn chunk(response: &mut Response, origin: &str) -> Result<Option<Bytes>, TransportError> {
    let chunk = response.chunk().await;
    chunk.map_err(|error| broken(&error, origin))
}

fn broken(error: &reqwest::Error, origin: &str) -> TransportError {
    TransportError::Http {
        origin: origin.to_owned(),
        detail: innermost(error).to_string(),
    }
}
