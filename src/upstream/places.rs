//! The places that a server has for calls, and who waits for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::UpstreamError;

/// How many calls may wait for a free place, beside those under way.
const MAX_WAITING: usize = 1_024;

/// As many places as a server may have calls under way at once (`maxConcurrentCalls`).
pub(super) struct Places {
    pub(super) slots: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// Counts a waiting call for as long as it waits.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(count)),
            waiting: AtomicUsize::new(0),
        }
    }

    /// How many are free.
    pub(super) fn free(&self) -> usize {
        self.slots.available_permits()
    }

    /// A place, if one is free and nobody waits for it.
    pub(super) fn take_now(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().try_acquire_owned().ok()
    }

    /// A place, first come, first served; [`UpstreamError::Overloaded`] if none has become free until `deadline`, or if
    /// too many wait already.
    pub(super) async fn take(
        &self,
        deadline: Instant,
    ) -> Result<OwnedSemaphorePermit, UpstreamError> {
        if let Some(permit) = self.take_now() {
            return Ok(permit);
        }
        let waiting = Waiting(&self.waiting);
        if waiting.0.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
            return Err(UpstreamError::Overloaded);
        }
        match timeout_at(deadline, self.slots.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(UpstreamError::Replaced),
            Err(_) => Err(UpstreamError::Overloaded),
        }
    }

    /// There is no place any more: whoever waits for one is told to ask the server that comes in this one's place.
    pub(super) fn close(&self) {
        self.slots.close();
    }
}
