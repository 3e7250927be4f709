//! A door that a test opens when it is time: what the tests have instead of sleeps.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::patience;

/// Closed at first, open for good after [`Gate::open`]. Clones are the same gate.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn open(&self) {
        *self.0.0.lock() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn is_open(&self) -> bool {
        *self.0.0.lock()
    }

    /// Waits until the gate is open; `what` says in a failure what did not happen.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str) {
        assert!(self.wait_for(patience()), "waited in vain until {what}");
    }

    /// Whether the gate opened within the time.
    pub(crate) fn wait_for(&self, time: Duration) -> bool {
        let mut open = self.0.0.lock();
        self.0.1.wait_while_for(&mut open, |open| !*open, time);
        *open
    }
}
