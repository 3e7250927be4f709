//! Lists that change, and who is told.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::SubscriptionSink;
use rmcp::{Peer, RoleServer};
use tokio::time::timeout;

/// A listener that does not read is given up after this time.
const PATIENCE: Duration = Duration::from_secs(1);

/// An entry of a list that is there after an odd number of toggles.
#[derive(Default)]
pub(crate) struct Toggle(AtomicBool);

impl Toggle {
    pub(crate) fn flip(&self) {
        self.0.fetch_xor(true, Ordering::SeqCst);
    }

    pub(crate) fn shows(&self, name: &str, toggled: &str) -> bool {
        name != toggled || self.0.load(Ordering::SeqCst)
    }
}

/// Something that clients may want to hear of.
pub(crate) enum Change {
    Tools,
    Prompts,
    Resources,
    Updated(String),
}

/// Where a listener hears of it.
#[derive(Clone)]
pub(crate) enum Ear {
    /// A session of the handshake era, with the URIs it subscribed to.
    Session {
        peer: Peer<RoleServer>,
        uris: HashSet<String>,
    },
    /// One `subscriptions/listen` stream, which filters by itself.
    Stream(SubscriptionSink),
}

/// Everybody who wants to hear of changes, by ticket.
#[derive(Default)]
pub(crate) struct Listeners {
    next: AtomicU64,
    all: Mutex<Vec<(u64, Ear)>>,
}

impl Listeners {
    pub(crate) fn ticket(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn join(&self, ticket: u64, ear: Ear) {
        self.all.lock().push((ticket, ear));
    }

    pub(crate) fn leave(&self, ticket: u64) {
        self.all.lock().retain(|(theirs, _)| *theirs != ticket);
    }

    pub(crate) fn subscribe(&self, ticket: u64, uri: String) {
        self.with_uris(ticket, |uris| uris.insert(uri));
    }

    pub(crate) fn unsubscribe(&self, ticket: u64, uri: &str) {
        self.with_uris(ticket, |uris| uris.remove(uri));
    }

    fn with_uris(&self, ticket: u64, edit: impl FnOnce(&mut HashSet<String>) -> bool) {
        let mut all = self.all.lock();
        let session = all.iter_mut().find(|(theirs, _)| *theirs == ticket);
        if let Some((_, Ear::Session { uris, .. })) = session {
            edit(uris);
        }
    }

    /// Tells everybody, and forgets those who are gone.
    pub(crate) async fn announce(&self, change: Change) {
        let all = self.all.lock().clone();
        for (ticket, ear) in all {
            if timeout(PATIENCE, ear.tell(&change)).await.is_err() || ear.is_deaf() {
                self.leave(ticket);
            }
        }
    }
}

impl Ear {
    /// A change that the listener did not ask for, or a closed connection, is no error here.
    async fn tell(&self, change: &Change) {
        match self {
            Self::Session { peer, uris } => {
                let _ = match change {
                    Change::Tools => peer.notify_tool_list_changed().await,
                    Change::Prompts => peer.notify_prompt_list_changed().await,
                    Change::Resources => peer.notify_resource_list_changed().await,
                    Change::Updated(uri) if uris.contains(uri) => {
                        let params = ResourceUpdatedNotificationParam::new(uri);
                        peer.notify_resource_updated(params).await
                    }
                    Change::Updated(_) => Ok(()),
                };
            }
            Self::Stream(sink) => {
                let _ = match change {
                    Change::Tools => sink.notify_tool_list_changed().await,
                    Change::Prompts => sink.notify_prompt_list_changed().await,
                    Change::Resources => sink.notify_resource_list_changed().await,
                    Change::Updated(uri) => sink.notify_resource_updated(uri).await,
                };
            }
        }
    }

    fn is_deaf(&self) -> bool {
        matches!(self, Self::Session { peer, .. } if peer.is_transport_closed())
    }
}
