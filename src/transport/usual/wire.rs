//! One connection: what was read from it, and how answers leave.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::super::listener::Accepted;
use super::super::patience::Patience;
use super::super::place::Place;
use super::super::reply::{HttpReply, ReplyBody};
use super::reply::{After, Heads};

/// How much is read at once, while it is not known how much there is.
const AT_ONCE: usize = 8 * 1024;
/// With less room than this, more is made before reading.
const LITTLE: usize = 1024;

/// A connection that carries one request at a time.
pub(super) struct Wire {
    io: Patience<Accepted>,
    /// What was read and not used yet.
    buffer: BytesMut,
    heads: Heads,
    out: Vec<u8>,
}

/// Why a body is not there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoBody {
    /// The client has gone.
    Gone,
    /// It has made too long a pause.
    Late,
}

impl Wire {
    pub(super) fn new(io: Patience<Accepted>) -> Self {
        Self {
            io,
            buffer: BytesMut::new(),
            heads: Heads::default(),
            out: Vec::new(),
        }
    }

    pub(super) fn into_inner(self) -> Patience<Accepted> {
        self.io
    }

    /// What has come, once something has. `None`: the client has gone.
    pub(super) async fn read(&mut self) -> Option<Bytes> {
        while self.buffer.is_empty() {
            let read = poll_fn(|context| self.poll_read(context)).await;
            if read.ok()? == 0 {
                return None;
            }
        }
        Some(self.buffer.split().freeze())
    }

    /// A body of this length, which begins with `begun`. What follows it there is kept for the next request.
    pub(super) async fn body(
        &mut self,
        begun: Bytes,
        length: usize,
        longest_pause: Duration,
    ) -> Result<Bytes, NoBody> {
        if begun.len() >= length {
            if begun.len() > length {
                self.buffer.extend_from_slice(&begun[length..]);
            }
            return Ok(begun.slice(..length));
        }
        // Apart: nearly all bodies have come with their heads.
        Box::pin(self.rest(begun, length, longest_pause)).await
    }

    async fn rest(
        &mut self,
        begun: Bytes,
        length: usize,
        longest_pause: Duration,
    ) -> Result<Bytes, NoBody> {
        let mut body = Place::new(length);
        body.extend(&begun);
        drop(begun);
        while body.len() < length {
            let reading = poll_fn(|context| body.poll_fill(&mut self.io, context));
            match timeout(longest_pause, reading).await {
                Ok(Ok(read)) if read > 0 => {}
                Ok(_) => return Err(NoBody::Gone),
                Err(_) => return Err(NoBody::Late),
            }
        }
        Ok(body.finish())
    }

    /// The outcome of `work`, unless the client goes before.
    pub(super) async fn unless_gone<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.poll_gone(context).map(|()| None),
        })
        .await
    }

    /// Sends an answer. `None`: the client has gone, or takes nothing.
    pub(super) async fn answer(&mut self, reply: HttpReply, after: After) -> Option<()> {
        self.out.clear();
        self.heads.write(&reply, after, &mut self.out);
        match reply.body {
            ReplyBody::Empty => self.io.write_all(&self.out).await.ok(),
            ReplyBody::Full(body) => {
                let mut all = Buf::chain(self.out.as_slice(), body);
                self.io.write_all_buf(&mut all).await.ok()
            }
            // Apart: most answers are complete.
            ReplyBody::Stream(items) => Box::pin(self.stream(items)).await,
        }
    }

    /// Sends a body whose length is not known (RFC 9112, section 7.1).
    async fn stream(&mut self, mut items: impl Stream<Item = Bytes> + Unpin) -> Option<()> {
        self.io.write_all(&self.out).await.ok()?;
        while let Some(item) = self.unless_gone(items.next()).await? {
            if item.is_empty() {
                continue;
            }
            let size = format!("{:x}\r\n", item.len());
            let mut chunk = Buf::chain(size.as_bytes(), item).chain(&b"\r\n"[..]);
            self.io.write_all_buf(&mut chunk).await.ok()?;
        }
        self.io.write_all(b"0\r\n\r\n").await.ok()
    }

    /// Ready when the client has gone. What else comes is kept, and not read on for ever.
    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.buffer.len() < AT_ONCE {
            match self.poll_read(context) {
                Poll::Ready(Ok(read)) if read > 0 => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Pending
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.buffer.capacity() - self.buffer.len() < LITTLE {
            self.buffer.reserve(AT_ONCE);
        }
        pin!(self.io.read_buf(&mut self.buffer)).poll(context)
    }
}
