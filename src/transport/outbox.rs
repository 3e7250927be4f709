//! What waits to be written to one stream of bytes. Small frames are copied behind each other as they are handed in: whoever
//! made one has its memory back at once, and the writer finds what it can write.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, oneshot};
use tokio_util::sync::CancellationToken;

use super::TransportError;
use super::queue::{Batch, QUEUE_FRAMES};

/// The two ends of an outbox.
pub(super) fn outbox() -> (Inlet, Outlet) {
    let outbox = Arc::new(Outbox {
        state: Mutex::default(),
        room: Semaphore::new(QUEUE_FRAMES),
        closed: CancellationToken::new(),
    });
    let sender = Arc::new(Sender(outbox.clone()));
    (Inlet(sender), Outlet(outbox))
}

struct Outbox {
    state: Mutex<State>,
    /// One place for each frame.
    room: Semaphore,
    /// Nobody takes anything any more.
    closed: CancellationToken,
}

#[derive(Default)]
struct State {
    batch: Batch,
    /// How many frames it is.
    frames: usize,
    /// Nothing more comes.
    over: bool,
    writer: Option<Waker>,
}

/// Wakes the writer once the outbox is unlocked.
fn wake(mut state: MutexGuard<'_, State>) {
    let writer = state.writer.take();
    drop(state);
    if let Some(writer) = writer {
        writer.wake();
    }
}

/// Where frames are handed in. Clones share one outbox; it ends with the last of them.
#[derive(Clone)]
pub(super) struct Inlet(Arc<Sender>);

struct Sender(Arc<Outbox>);

impl Drop for Sender {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.over = true;
        wake(state);
    }
}

impl Inlet {
    /// Hands in a frame without its newline, and the room that a large one takes. Waits while there is no place.
    pub(super) async fn send(
        &self,
        frame: &Bytes,
        bulk: Option<OwnedSemaphorePermit>,
    ) -> Result<(), TransportError> {
        let outbox = &self.0.0;
        let place = match outbox.room.try_acquire() {
            Ok(place) => place,
            Err(_) => match outbox.room.acquire().await {
                Ok(place) => place,
                Err(_) => return Err(TransportError::Closed),
            },
        };
        place.forget();
        self.put(frame, bulk)
    }

    /// The same if there is a place at once, else [`TransportError::Full`].
    pub(super) fn try_send(
        &self,
        frame: &Bytes,
        bulk: Option<OwnedSemaphorePermit>,
    ) -> Result<(), TransportError> {
        match self.0.0.room.try_acquire() {
            Ok(place) => place.forget(),
            Err(TryAcquireError::NoPermits) => return Err(TransportError::Full),
            Err(TryAcquireError::Closed) => return Err(TransportError::Closed),
        }
        self.put(frame, bulk)
    }

    fn put(&self, frame: &Bytes, bulk: Option<OwnedSemaphorePermit>) -> Result<(), TransportError> {
        let mut state = self.0.0.state.lock();
        if state.over {
            return Err(TransportError::Closed);
        }
        state.batch.push(frame, bulk);
        state.frames += 1;
        wake(state);
        Ok(())
    }

    /// Is told when everything that was handed in so far is written.
    pub(super) fn flush(&self) -> Result<oneshot::Receiver<()>, TransportError> {
        let (done, written) = oneshot::channel();
        let mut state = self.0.0.state.lock();
        if state.over {
            return Err(TransportError::Closed);
        }
        state.batch.flush(done);
        wake(state);
        Ok(written)
    }

    /// Waits until nothing can be handed in any more.
    pub(super) async fn closed(&self) {
        self.0.0.closed.cancelled().await;
    }
}

/// Where the writer takes what is to be written. Dropping it closes the outbox and throws away what is left.
pub(super) struct Outlet(Arc<Outbox>);

impl Outlet {
    /// Waits until there is something. `false`: nothing is there, and nothing comes. Cancel safe.
    pub(super) async fn ready(&mut self) -> bool {
        poll_fn(|context| self.poll_ready(context)).await
    }

    pub(super) fn poll_ready(&mut self, context: &Context<'_>) -> Poll<bool> {
        let mut state = self.0.state.lock();
        if !state.batch.is_empty() {
            return Poll::Ready(true);
        }
        if state.over {
            return Poll::Ready(false);
        }
        match &mut state.writer {
            Some(known) => known.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Takes all that is there, in exchange for an empty batch: how many frames it is.
    pub(super) fn take(&mut self, empty: &mut Batch) -> usize {
        let mut state = self.0.state.lock();
        std::mem::swap(&mut state.batch, empty);
        let frames = std::mem::take(&mut state.frames);
        let over = state.over;
        drop(state);
        if !over {
            self.0.room.add_permits(frames);
        }
        frames
    }

    /// How many frames are there.
    pub(super) fn frames(&self) -> usize {
        self.0.state.lock().frames
    }

    /// Lets nothing more in. What is there is still to be written.
    pub(super) fn close(&mut self) {
        self.0.state.lock().over = true;
        self.0.room.close();
        self.0.closed.cancel();
    }

    /// Whether nothing more is let in.
    pub(super) fn is_closed(&self) -> bool {
        self.0.closed.is_cancelled()
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.close();
        let left = std::mem::take(&mut self.0.state.lock().batch);
        drop(left);
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
