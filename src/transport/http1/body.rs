//! The body of an answer.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::super::TransportError;
use super::super::gather::Gather;
use super::super::place::Place;
use super::framing::{Framing, Piece};
use super::pool::Pool;
use super::response::Head;
use super::wire::Wire;

/// What hyper says of the same, so that both ways of a request read the same.
const CUT_OFF: &str = "end of file before message length reached";

/// A body that has not been read.
pub(crate) enum PlainBody {
    /// It came along with the head. The connection is free again.
    Whole(Bytes),
    /// It is still to be read, from this connection.
    Coming(Coming),
}

pub(crate) struct Coming {
    /// Gone at the end of the body.
    wire: Option<Box<Wire>>,
    framing: Framing,
    keeps: bool,
    pool: Arc<Pool>,
}

impl PlainBody {
    pub(super) fn new(head: &mut Head, mut wire: Box<Wire>, pool: &Arc<Pool>) -> Self {
        let framing = std::mem::replace(&mut head.framing, Framing::Closing);
        if framing.left() == Some(wire.buffer.len() as u64) {
            // Its own bytes, so that it does not hold the whole buffer, nor the buffer it.
            let whole = Bytes::copy_from_slice(&wire.buffer);
            wire.buffer.clear();
            if head.keeps {
                pool.take_back(wire);
            }
            return Self::Whole(whole);
        }
        Self::Coming(Coming {
            wire: Some(wire),
            framing,
            keeps: head.keeps,
            pool: pool.clone(),
        })
    }

    /// How many bytes are still to come, if that is known.
    pub(crate) fn announced(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes) => Some(bytes.len() as u64),
            Self::Coming(coming) => coming.framing.left(),
        }
    }

    /// The next bytes; `None` at the end. Cancel safe.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        match self {
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
            }
            Self::Coming(coming) => coming.chunk().await,
        }
    }

    /// All of it, of at most `limit` bytes.
    pub(crate) async fn bytes(self, limit: usize) -> Result<Bytes, TransportError> {
        match self {
            Self::Whole(bytes) if bytes.len() > limit => Err(TransportError::TooLarge { limit }),
            Self::Whole(bytes) => Ok(bytes),
            // Apart: most bodies come with their head, and their futures need not have room for this.
            Self::Coming(coming) => Box::pin(coming.bytes(limit)).await,
        }
    }
}

impl Coming {
    async fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        loop {
            let Some(wire) = &mut self.wire else {
                return Ok(None);
            };
            match self.framing.next(&mut wire.buffer) {
                Ok(Piece::Data(data)) => return Ok(Some(data)),
                Ok(Piece::End) => self.end(),
                Ok(Piece::More) => match wire.fill().await {
                    Ok(0) if self.framing == Framing::Closing => self.wire = None,
                    Ok(0) => return Err(self.broke(None)),
                    Ok(_) => {}
                    Err(error) => return Err(self.broke(Some(&error))),
                },
                Err(detail) => {
                    self.wire = None;
                    return Err(self.pool.broken(detail));
                }
            }
        }
    }

    async fn bytes(mut self, limit: usize) -> Result<Bytes, TransportError> {
        let mut gather = Gather::new(limit, self.framing.left())?;
        if let Some(left) = self.framing.left() {
            return self.in_place(left as usize).await;
        }
        while let Some(chunk) = self.chunk().await? {
            gather.push(chunk)?;
        }
        Ok(gather.finish())
    }

    /// A body of known length is read to where it stays.
    async fn in_place(mut self, length: usize) -> Result<Bytes, TransportError> {
        let mut body = Place::new(length);
        while let (Some(wire), true) = (&mut self.wire, body.len() < length) {
            if !wire.buffer.is_empty() {
                let held = wire.buffer.len().min(length - body.len());
                body.extend(&wire.buffer.split_to(held));
                continue;
            }
            match wire.fill_into(&mut body).await {
                Ok(0) => return Err(self.broke(None)),
                Ok(_) => {}
                Err(error) => return Err(self.broke(Some(&error))),
            }
        }
        self.end();
        Ok(body.finish())
    }

    /// The body was read to its end.
    fn end(&mut self) {
        if let Some(wire) = self.wire.take()
            && self.keeps
        {
            self.pool.take_back(wire);
        }
    }

    fn broke(&mut self, error: Option<&io::Error>) -> TransportError {
        self.wire = None;
        match error {
            Some(error) => self.pool.broken(error),
            None => self.pool.broken(CUT_OFF),
        }
    }
}

impl Drop for Coming {
    /// What has arrived already may be all: then the connection can be used again.
    fn drop(&mut self) {
        while let Some(wire) = &mut self.wire {
            match self.framing.next(&mut wire.buffer) {
                Ok(Piece::Data(_)) => {}
                Ok(Piece::End) => self.end(),
                Ok(Piece::More) | Err(_) => self.wire = None,
            }
        }
    }
}
