//! What a server says on its own account, outside any call.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use indexmap::IndexSet;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

use crate::protocol::{Kind, ServerName};
use crate::wire::Json;

use super::RootsWanted;

/// How many different changed URIs are remembered until somebody looks.
const MAX_UPDATED: usize = 4096;

/// News of a server, for the hub.
#[derive(Debug)]
pub enum Event {
    /// What it offers, or how it is, may have changed: look at its inventory and status.
    Changed(ServerName),
    /// Whatever was read of its resources may have changed.
    Outdated(ServerName),
    /// A resource, by its original URI, has changed.
    Updated {
        /// Whose resource.
        server: ServerName,
        /// Its original URI.
        uri: String,
    },
    /// A log message that belongs to no call in particular: the params, verbatim.
    Log {
        /// Who said it.
        server: ServerName,
        /// The params of the notification.
        params: Json,
    },
    /// A URL that some client was asked for has been visited: the params, verbatim.
    Visited {
        /// Who asked for it.
        server: ServerName,
        /// The params of the notification.
        params: Json,
    },
    /// Outside any call, a server wants to know the roots of the client whose connection it is.
    RootsWanted(RootsWanted),
    /// A task changed its state: the params, verbatim.
    Task {
        /// Whose task.
        server: ServerName,
        /// The params of the notification.
        params: Json,
    },
}

/// Collects what the reader of a connection hears for the supervisor. Never blocks, never grows:
/// changes of lists are flags, updates are a set.
#[derive(Default)]
pub(super) struct Signals {
    heard: Mutex<Heard>,
    wake: Notify,
    asks: AtomicBool,
}

/// What was heard since the last look.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Lists that changed.
    pub(super) lists: BTreeSet<Kind>,
    /// Resources that changed.
    pub(super) updated: IndexSet<String>,
    /// For the first time, the server asked something in the middle of a call.
    pub(super) asks: bool,
}

/// Whether a server is known to ask in the middle of calls, on a link that does not show in which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Asks {
    /// It never did.
    #[default]
    Nobody,
    /// It did: two of its calls on one connection would make it unclear whom it asks.
    Somebody,
}

impl Signals {
    /// What is known of a server from its last run.
    pub(super) fn known(asks: Asks) -> Self {
        Self {
            asks: AtomicBool::new(asks == Asks::Somebody),
            ..Self::default()
        }
    }

    /// What is known of the server from its last run, found when it runs already.
    pub(super) fn recall(&self, asks: Asks) {
        self.asks
            .fetch_or(asks == Asks::Somebody, Ordering::Relaxed);
    }

    /// The server asked something in the middle of a call, on a link that does not show in which.
    pub(super) fn asked(&self) {
        if !self.asks.swap(true, Ordering::Relaxed) {
            self.heard.lock().asks = true;
            self.wake.notify_one();
        }
    }

    /// Whether it ever did.
    pub(super) fn asks(&self) -> Asks {
        if self.asks.load(Ordering::Relaxed) {
            Asks::Somebody
        } else {
            Asks::Nobody
        }
    }

    pub(super) fn lists_changed(&self, kinds: &[Kind]) {
        self.heard.lock().lists.extend(kinds.iter().copied());
        self.wake.notify_one();
    }

    pub(super) fn resource_updated(&self, uri: String) {
        let mut heard = self.heard.lock();
        if heard.updated.len() < MAX_UPDATED {
            heard.updated.insert(uri);
        }
        drop(heard);
        self.wake.notify_one();
    }

    /// Waits until there is something, and takes it.
    pub(super) async fn heard(&self) -> Heard {
        loop {
            let heard = std::mem::take(&mut *self.heard.lock());
            if heard.asks || !heard.lists.is_empty() || !heard.updated.is_empty() {
                return heard;
            }
            self.wake.notified().await;
        }
    }

    /// Takes the changed lists, now.
    pub(super) fn take_lists(&self) -> BTreeSet<Kind> {
        std::mem::take(&mut self.heard.lock().lists)
    }
}

/// The way to the hub.
#[derive(Clone)]
pub(super) struct Reporter {
    pub(super) server: ServerName,
    pub(super) events: mpsc::Sender<Event>,
}

impl Reporter {
    /// Reports that the server changed. Waits for a place: this news is never lost.
    pub(super) async fn changed(&self) {
        drop(self.events.send(Event::Changed(self.server.clone())).await);
    }

    /// Reports that the resources may have changed. Waits for a place.
    pub(super) async fn outdated(&self) {
        drop(self.events.send(Event::Outdated(self.server.clone())).await);
    }

    /// Reports a changed resource. Waits for a place.
    pub(super) async fn updated(&self, uri: String) {
        drop(
            self.events
                .send(Event::Updated {
                    server: self.server.clone(),
                    uri,
                })
                .await,
        );
    }

    /// Passes on a log message, or drops it where there is no place: nobody waits for logs.
    pub(super) fn log(&self, params: Json) {
        drop(self.events.try_send(Event::Log {
            server: self.server.clone(),
            params,
        }));
    }

    /// Passes on that a URL was visited, or drops it where there is no place: users can say so as well.
    pub(super) fn visited(&self, params: Json) {
        drop(self.events.try_send(Event::Visited {
            server: self.server.clone(),
            params,
        }));
    }

    /// Passes on a question about roots, or drops it where there is no place.
    pub(super) fn roots_wanted(&self, wanted: RootsWanted) {
        drop(self.events.try_send(Event::RootsWanted(wanted)));
    }

    /// Passes on a task's change, or drops it where there is no place: clients poll as well.
    pub(super) fn task(&self, params: Json) {
        drop(self.events.try_send(Event::Task {
            server: self.server.clone(),
            params,
        }));
    }
}
