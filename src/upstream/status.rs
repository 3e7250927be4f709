//! How a server is.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::catalog::Inventory;
use crate::protocol::{Era, ServerFeatures};

use super::Upstream;
use super::manifest::Known;

/// Where a server is in its life.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerState {
    /// It is being started or connected to, for the first time or again.
    Connecting,
    /// It answers.
    Ready,
    /// It could not be reached or was lost; it is tried again at this moment.
    Backoff {
        /// The next try.
        until: Instant,
    },
    /// It wants a login.
    NeedsLogin,
    /// The mux is shutting down.
    Stopped,
}

impl ServerState {
    /// The word for people and for `--json`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Ready => "ready",
            Self::Backoff { .. } => "unavailable",
            Self::NeedsLogin => "needs-login",
            Self::Stopped => "stopped",
        }
    }
}

/// Everything that is known of a server at one moment.
#[derive(Clone, Debug)]
pub struct Status {
    /// Where it is in its life.
    pub state: ServerState,
    /// The era that it speaks, once known.
    pub era: Option<Era>,
    /// The revision that was agreed on.
    pub protocol_version: Option<String>,
    /// What it said it offers.
    pub features: Arc<ServerFeatures>,
    /// What it offers, as of the last time that it could be asked.
    pub inventory: Option<Arc<Inventory>>,
    /// How long the last successful connect took.
    pub connect_time: Option<Duration>,
    /// What went wrong last, if it is not ready.
    pub error: Option<String>,
    /// Whether the first attempt has ended, well or not.
    pub tried: bool,
    /// Since when it has been away, if it had been ready before, in this run or the last.
    pub away_since: Option<Instant>,
}

impl Status {
    /// The status before the first attempt: what is known from the last run is offered as that of a server
    /// which is away.
    pub(super) fn initial(known: Option<Known>) -> Self {
        let (features, inventory) = known
            .map(|known| (Arc::new(known.features), Arc::new(known.inventory)))
            .unzip();
        Self {
            state: ServerState::Connecting,
            era: None,
            protocol_version: None,
            features: features.unwrap_or_default(),
            away_since: inventory.as_ref().map(|_| Instant::now()),
            inventory,
            connect_time: None,
            error: None,
            tried: false,
        }
    }
}

impl Upstream {
    /// Whether this holds for its status now.
    pub fn is(&self, so: impl FnOnce(&Status) -> bool) -> bool {
        so(&self.status.borrow())
    }

    /// What it offered in the last run has been found, unless more is known meanwhile.
    pub(super) fn recall(&self, known: Known) {
        self.signals.recall(known.asks);
        self.status.send_if_modified(|status| {
            let is_news = !status.tried && status.inventory.is_none();
            if is_news {
                *status = Status::initial(Some(known));
            }
            is_news
        });
    }
}
