//! The servers of the hub: the way to each, and how others come in their place.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::catalog::{Conflict, Resolution};
use crate::config::{OnConflict, ServerConfig, Settings};
use crate::protocol::{ServerFeatures, ServerName};
use crate::upstream::{Errand, Outgoing, Succession, Upstream, UpstreamError};

use super::error::CallError;
use super::hub::Mux;
use super::keeper::{Origins, Servers};

/// Servers and settings for the mux to go on with.
pub struct Change {
    /// The servers.
    pub succession: Succession,
    /// The settings.
    pub settings: Arc<Settings>,
    /// Is told when it is made, or why it is not: `onConflict` is `error`, and there are some.
    pub made: oneshot::Sender<Result<(), Vec<Conflict>>>,
}

/// A request that has been sent.
pub(super) struct Sent {
    pub(super) errand: Errand,
    pub(super) upstream: Arc<Upstream>,
    pub(super) timeout: Duration,
    pub(super) deadline: Instant,
}

impl Mux {
    /// Brings up what another configuration has that does not run yet.
    pub fn prepare<'a>(
        &self,
        servers: impl Iterator<Item = &'a ServerConfig>,
        settings: &Settings,
    ) -> Succession {
        self.pool.prepare(servers, settings)
    }

    /// Makes a change in one step, unless there would be conflicts where there may be none.
    pub(super) fn make(&self, change: Change) {
        let Change {
            succession,
            settings,
            made,
        } = change;
        let fatal = match settings.on_conflict {
            OnConflict::Error => conflicts(&succession, &settings),
            OnConflict::First | OnConflict::Suffix => Vec::new(),
        };
        if !fatal.is_empty() {
            drop(made.send(Err(fatal)));
            return;
        }
        self.settings.store(settings.clone());
        for server in self.pool.switch(succession, &settings) {
            self.cache.outdated(&server);
        }
        self.publish();
        drop(made.send(Ok(())));
    }

    pub(super) fn upstream(&self, server: &ServerName) -> Result<Arc<Upstream>, CallError> {
        self.pool.get(server).ok_or_else(|| CallError::Upstream {
            server: server.clone(),
            source: UpstreamError::Unavailable {
                why: "the server is not configured any more".to_owned(),
                retry_in: None,
            },
        })
    }

    pub(super) fn features(&self, server: &ServerName) -> Option<Arc<ServerFeatures>> {
        self.pool
            .get(server)
            .map(|upstream| upstream.status().features)
    }

    /// Leases a connection of the server and sends the request, within the server's time for a call.
    pub(super) async fn sent(
        &self,
        server: &ServerName,
        outgoing: &Arc<Outgoing>,
    ) -> Result<Sent, CallError> {
        let begun = Instant::now();
        loop {
            let upstream = self.upstream(server)?;
            let timeout = upstream.config().call_timeout;
            let deadline = begun + timeout;
            // Apart: it is soon over, and the future of a call would have room for it to the end.
            let sending = Box::pin(async {
                let lease = upstream.lease(outgoing, deadline).await?;
                let sent = timeout_at(deadline, lease.send(outgoing)).await;
                sent.unwrap_or(Err(UpstreamError::Timeout(timeout)))
            });
            let errand = match sending.await {
                Ok(errand) => errand,
                // The one that has come in its place is there already.
                Err(UpstreamError::Replaced) => continue,
                Err(error) => return Err(CallError::of(server, error)),
            };
            return Ok(Sent {
                errand,
                upstream,
                timeout,
                deadline,
            });
        }
    }
}

/// The entries that would not be offered for another one has their name.
fn conflicts(succession: &Succession, settings: &Arc<Settings>) -> Vec<Conflict> {
    let servers: Servers = succession
        .servers()
        .map(|(upstream, config)| (upstream.clone(), config.clone(), upstream.status()))
        .collect();
    let built = Origins::of(&servers, settings.clone()).build(None, 0);
    let dropped = |conflict: &Conflict| conflict.resolution == Resolution::Dropped;
    built.conflicts.into_iter().filter(dropped).collect()
}
