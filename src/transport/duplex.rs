//! A two-way pipe of frames, whatever is underneath.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::outbox::{Inlet, Outlet, outbox};
use super::queue::{QUEUE_FRAMES, Queued, pump};
use super::{EventStream, TransportError};
use crate::wire::LineDecoder;

/// Frames from this size on count towards [`BULK`].
const LARGE: usize = 64 * 1024;
/// How many bytes of large frames may wait for one peer.
/// One frame that is larger than this alone takes all of it.
const BULK: usize = 16 * 1024 * 1024;
/// The first and the largest size of the read buffer; it grows when reads fill it.
const READ_MIN: usize = 8 * 1024;
pub(super) const READ_MAX: usize = 64 * 1024;

/// One frame, or why it could not be had.
pub(super) type Received = Result<Bytes, TransportError>;

/// Both directions of a link.
pub struct Duplex {
    /// What the other side sends.
    pub incoming: Incoming,
    /// What we send.
    pub outgoing: Outgoing,
}

impl Duplex {
    /// Lines over a pair of byte streams. Frames may have up to `limit` bytes.
    /// One task on `tracker` writes; it ends when all clones of `outgoing` are gone or the pipe breaks.
    pub fn over<R, W>(reader: R, writer: W, limit: usize, tracker: &TaskTracker) -> Self
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let (outgoing, outlet) = Outgoing::lines();
        tracker.spawn(pump(outlet, writer, CancellationToken::new()));
        Self {
            incoming: Incoming::lines(reader, limit),
            outgoing,
        }
    }

    /// Two ends in one process: what one sends, the other receives.
    pub fn pair(limit: usize) -> (Self, Self) {
        let (to_right, from_left) = Outgoing::new();
        let (to_left, from_right) = Outgoing::new();
        let left = Self {
            incoming: Incoming::memory(from_right, limit),
            outgoing: to_right,
        };
        let right = Self {
            incoming: Incoming::memory(from_left, limit),
            outgoing: to_left,
        };
        (left, right)
    }
}

/// The frames that the other side sends, in order.
pub struct Incoming(Source);

enum Source {
    Lines(Lines),
    Batches {
        queue: mpsc::Receiver<Vec<Received>>,
        ready: VecDeque<Received>,
    },
    Memory {
        queue: mpsc::Receiver<Queued>,
        limit: usize,
    },
    Events(Box<EventStream>),
}

impl Incoming {
    pub(super) fn lines(reader: impl AsyncRead + Send + Unpin + 'static, limit: usize) -> Self {
        Self(Source::Lines(Lines {
            reader: Some(Box::new(reader)),
            decoder: LineDecoder::new(limit),
            buffer: vec![0; READ_MIN],
        }))
    }

    pub(super) fn batches(queue: mpsc::Receiver<Vec<Received>>) -> Self {
        Self(Source::Batches {
            queue,
            ready: VecDeque::new(),
        })
    }

    /// The messages of an event stream; events of other types are left out.
    pub(super) fn events(stream: EventStream) -> Self {
        Self(Source::Events(Box::new(stream)))
    }

    fn memory(queue: mpsc::Receiver<Queued>, limit: usize) -> Self {
        Self(Source::Memory { queue, limit })
    }

    /// The next frame if it has been received already; what was read at once is handled at once.
    pub fn ready(&mut self) -> Option<Result<Bytes, TransportError>> {
        match &mut self.0 {
            Source::Lines(lines) => lines.ready(),
            Source::Batches { ready, .. } => ready.pop_front(),
            Source::Memory { .. } | Source::Events(_) => None,
        }
    }

    /// The next frame without its newline; `None` at the end of the link.
    ///
    /// Bytes that are no JSON are passed up like any other. [`TransportError::TooLarge`] is reported
    /// once for a frame and the link goes on; every other error is followed by `None`.
    /// Cancel safe: a frame is never lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Bytes, TransportError>> {
        match &mut self.0 {
            Source::Lines(lines) => lines.next().await,
            Source::Batches { queue, ready } => loop {
                if let Some(frame) = ready.pop_front() {
                    return Some(frame);
                }
                *ready = queue.recv().await?.into();
            },
            Source::Events(stream) => loop {
                let event = match stream.next().await? {
                    Ok(event) => event,
                    Err(error) => return Some(Err(error)),
                };
                if event.is_message() {
                    return Some(Ok(event.data));
                }
            },
            Source::Memory { queue, limit } => loop {
                match queue.recv().await? {
                    Queued::Frame(frame, _) if frame.len() > *limit => {
                        return Some(Err(TransportError::TooLarge { limit: *limit }));
                    }
                    Queued::Frame(frame, _) => return Some(Ok(frame)),
                    Queued::Flush(done) => {
                        // Whoever asked may have stopped waiting.
                        let _ = done.send(());
                    }
                }
            },
        }
    }
}

/// Splits a byte stream into frames.
struct Lines {
    /// Gone once it has ended or failed.
    reader: Option<Box<dyn AsyncRead + Send + Unpin>>,
    decoder: LineDecoder,
    buffer: Vec<u8>,
}

impl Lines {
    fn ready(&mut self) -> Option<Received> {
        let frame = self.decoder.next()?;
        Some(frame.map_err(TransportError::from))
    }

    async fn next(&mut self) -> Option<Received> {
        loop {
            if let Some(frame) = self.ready() {
                return Some(frame);
            }
            match self.reader.as_mut()?.read(&mut self.buffer).await {
                Ok(0) => {
                    self.reader = None;
                    return self.decoder.finish().map(Ok);
                }
                Ok(count) => self.read(count),
                Err(error) => {
                    self.reader = None;
                    return Some(Err(TransportError::reading(&error)));
                }
            }
        }
    }

    fn read(&mut self, count: usize) {
        self.decoder.push(&self.buffer[..count]);
        if count == self.buffer.len() && count < READ_MAX {
            self.buffer = vec![0; count * 2];
        }
    }
}

/// Where frames are handed in. Clones share one bounded queue; each sender's order is kept.
#[derive(Clone)]
pub struct Outgoing {
    queue: Queue,
    bulk: Arc<Semaphore>,
}

#[derive(Clone)]
enum Queue {
    /// Frames are received one by one.
    Frames(mpsc::Sender<Queued>),
    /// They are written to a stream of bytes.
    Lines(Inlet),
}

impl Outgoing {
    /// Towards somebody who receives frames.
    pub(super) fn new() -> (Self, mpsc::Receiver<Queued>) {
        let (queue, receiver) = mpsc::channel(QUEUE_FRAMES);
        (Self::over(Queue::Frames(queue)), receiver)
    }

    /// Towards somebody who writes lines.
    pub(super) fn lines() -> (Self, Outlet) {
        let (inlet, outlet) = outbox();
        (Self::over(Queue::Lines(inlet)), outlet)
    }

    fn over(queue: Queue) -> Self {
        let bulk = Arc::new(Semaphore::new(BULK));
        Self { queue, bulk }
    }

    /// Queues one frame; the newline is added here. Waits while 256 frames, or 16 MiB of frames
    /// over 64 KiB, are queued already. A success does not mean that it was read.
    pub async fn send(&self, frame: Bytes) -> Result<(), TransportError> {
        let Err(frame) = self.send_small_now(one_line(frame)) else {
            return Ok(());
        };
        // Apart: a queue is seldom full, and whoever sends need not have room for the wait.
        Box::pin(self.send_in_turn(frame)).await
    }

    /// Gives back what is large, or finds no room at once.
    fn send_small_now(&self, frame: Bytes) -> Result<(), Bytes> {
        if room_for(&frame).is_some() {
            return Err(frame);
        }
        match &self.queue {
            Queue::Lines(inlet) => inlet.try_send(&frame, None).map_err(|_| frame),
            Queue::Frames(queue) => {
                let Ok(place) = queue.try_reserve() else {
                    return Err(frame);
                };
                place.send(Queued::Frame(frame, None));
                Ok(())
            }
        }
    }

    async fn send_in_turn(&self, frame: Bytes) -> Result<(), TransportError> {
        let room = match room_for(&frame) {
            Some(room) => Some(self.bulk_room(room).await?),
            None => None,
        };
        match &self.queue {
            Queue::Lines(inlet) => inlet.send(&frame, room).await,
            Queue::Frames(queue) => {
                let sent = queue.send(Queued::Frame(frame, room)).await;
                sent.map_err(|_| TransportError::Closed)
            }
        }
    }

    /// Queues one frame if there is room at once, else [`TransportError::Full`].
    pub fn try_send(&self, frame: Bytes) -> Result<(), TransportError> {
        let room = match room_for(&frame) {
            Some(room) => {
                let bulk = self.bulk.clone().try_acquire_many_owned(room);
                Some(bulk.map_err(|_| TransportError::Full)?)
            }
            None => None,
        };
        let frame = one_line(frame);
        match &self.queue {
            Queue::Lines(inlet) => inlet.try_send(&frame, room),
            Queue::Frames(queue) => {
                let sent = queue.try_send(Queued::Frame(frame, room));
                sent.map_err(|error| match error {
                    mpsc::error::TrySendError::Full(_) => TransportError::Full,
                    mpsc::error::TrySendError::Closed(_) => TransportError::Closed,
                })
            }
        }
    }

    /// Waits until everything queued so far has been written.
    pub async fn flushed(&self) -> Result<(), TransportError> {
        let written = match &self.queue {
            Queue::Lines(inlet) => inlet.flush()?,
            Queue::Frames(queue) => {
                let (done, written) = oneshot::channel();
                let sent = queue.send(Queued::Flush(done)).await;
                sent.map_err(|_| TransportError::Closed)?;
                written
            }
        };
        written.await.map_err(|_| TransportError::Closed)
    }

    /// Waits until nothing can be sent any more.
    pub async fn closed(&self) {
        match &self.queue {
            Queue::Lines(inlet) => inlet.closed().await,
            Queue::Frames(queue) => queue.closed().await,
        }
    }

    async fn bulk_room(&self, room: u32) -> Result<OwnedSemaphorePermit, TransportError> {
        tokio::select! {
            permit = self.bulk.clone().acquire_many_owned(room) => {
                permit.map_err(|_| TransportError::Closed)
            }
            () = self.closed() => Err(TransportError::Closed),
        }
    }
}

/// How much of [`BULK`] a frame takes.
fn room_for(frame: &Bytes) -> Option<u32> {
    (frame.len() >= LARGE).then(|| frame.len().min(BULK) as u32)
}

/// A line break ends a frame, and JSON that was written over several lines has some between its
/// tokens. Inside of a JSON string they cannot occur, so a space in their place changes nothing.
fn one_line(frame: Bytes) -> Bytes {
    if memchr::memchr2(b'\n', b'\r', &frame).is_none() {
        return frame;
    }
    frame
        .iter()
        .map(|&byte| {
            if matches!(byte, b'\n' | b'\r') {
                b' '
            } else {
                byte
            }
        })
        .collect()
}

#[cfg(test)]
#[path = "duplex_tests.rs"]
mod tests;
