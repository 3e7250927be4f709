//! What was asked for, and what came of it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// Shared by all clients and servers of a run.
pub(super) struct Books {
    pub(super) seed: u64,
    next: AtomicU64,
    /// How often a server began each call.
    begun: Mutex<HashMap<String, usize>>,
    /// How calls ended: `answered`, `cancelled`, or an error's code.
    ended: Mutex<BTreeMap<String, usize>>,
    wrong: Mutex<Vec<String>>,
}

impl Books {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            next: AtomicU64::new(0),
            begun: Mutex::default(),
            ended: Mutex::default(),
            wrong: Mutex::default(),
        }
    }

    /// A word that no other call has.
    pub(super) fn fresh(&self) -> String {
        format!("n{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// A server begins a call.
    pub(super) fn begin(&self, word: &str) {
        *self.begun.lock().entry(word.to_owned()).or_default() += 1;
    }

    pub(super) fn end(&self, how: impl Into<String>) {
        *self.ended.lock().entry(how.into()).or_default() += 1;
    }

    /// What must never be; told when all is over, and at once if it is a client that sees it.
    pub(super) fn wrong(&self, what: String) {
        self.wrong.lock().push(what);
    }

    pub(super) fn check(&self) {
        let wrong = self.wrong.lock();
        assert!(wrong.is_empty(), "{wrong:#?}");
        let begun = self.begun.lock();
        let doubled: Vec<_> = begun
            .iter()
            .filter(|(word, count)| **count > 1 && !word.is_empty())
            .collect();
        assert!(doubled.is_empty(), "begun more than once: {doubled:?}");
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = self.ended.lock();
        let parts: Vec<String> = ended
            .iter()
            .map(|(how, count)| format!("{count} {how}"))
            .collect();
        f.write_str(&parts.join(", "))
    }
}
