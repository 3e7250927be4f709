//! How servers follow one another when the configuration changes.
//!
//! A server that is reached in another way than before gets a successor, which is brought up beside it. Once it is there,
//! one step puts it in its place: new calls go to it, those under way end where they are, and then the old one ends. A
//! successor that cannot be there beside it starts after that, and its calls wait.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::TaskTracker;
use tracing::{debug, info};

use crate::config::{Replacement, ServerConfig, Settings};
use crate::protocol::ServerName;

use super::pool::{Pool, Upstreams, known_of};
use super::{ServerState, Upstream};

/// What is late beyond its time to start is not waited for much longer.
const LATE: Duration = Duration::from_secs(1);

/// The servers of another configuration. Those that are new run already, but nobody calls them yet. Dropping it ends
/// them again.
pub struct Succession {
    /// All of them, each with its entry.
    next: Vec<(Arc<Upstream>, Arc<ServerConfig>)>,
    /// Those that are new.
    fresh: Vec<Arc<Upstream>>,
    /// Those of them that can be tried.
    beside: Vec<Arc<Upstream>>,
    started: Instant,
}

impl Pool {
    /// Starts what another configuration has that does not run yet. Servers for which the process or connection of now
    /// will do are the same ones in both.
    pub fn prepare<'a>(
        &self,
        servers: impl Iterator<Item = &'a ServerConfig>,
        settings: &Settings,
    ) -> Succession {
        let (mut fresh, mut beside, mut lives) = (Vec::new(), Vec::new(), Vec::new());
        let next = servers.map(|config| {
            let config = Arc::new(config.clone());
            let before = self.get(&config.name);
            let stays = before
                .as_ref()
                .filter(|before| !config.needs_another_link(&before.config()));
            let upstream = stays.cloned().unwrap_or_else(|| {
                let known = self
                    .known(&config)
                    .or_else(|| before.as_deref().and_then(known_of));
                let waits = config.replacement == Replacement::StopFirst;
                let awaited = before.clone().filter(|_| waits);
                let (new, life) = self.create(config.clone(), settings, known, awaited);
                lives.push(life);
                fresh.push(new.clone());
                if before.is_none() || config.replacement == Replacement::StartFirst {
                    beside.push(new.clone());
                }
                new
            });
            (upstream, config)
        });
        let next = next.collect();
        self.begin(lives);
        Succession {
            next,
            fresh,
            beside,
            started: Instant::now(),
        }
    }

    /// Puts them in the place of those that are there, which end when their calls are over. Returns the names of those
    /// that are new or gone.
    pub fn switch(&self, mut succession: Succession, settings: &Settings) -> Vec<ServerName> {
        let next = std::mem::take(&mut succession.next);
        let fresh = std::mem::take(&mut succession.fresh);
        for (upstream, config) in &next {
            upstream.adopt(config, settings, &self.options.tracker);
        }
        let next = next.into_iter().map(|(up, _)| (up.name.clone(), up));
        let next: Arc<Upstreams> = Arc::new(next.collect());
        let before = self.upstreams.swap(next.clone());
        let mut touched: Vec<ServerName> = fresh.iter().map(|up| up.name.clone()).collect();
        for old in before.values() {
            match next.get(&old.name) {
                Some(same) if Arc::ptr_eq(same, old) => continue,
                Some(new) => new.follow_on(old, &self.options.tracker),
                None => touched.push(old.name.clone()),
            }
            old.retire(&self.options.tracker);
        }
        touched
    }
}

impl Succession {
    /// Waits until every new server has been tried once, and a required one until it is up; no longer than they may take
    /// to start.
    pub async fn tried(&self) {
        for upstream in &self.beside {
            let config = upstream.config();
            let mut status = upstream.watch_status();
            let end = self.started + config.startup_timeout + LATE;
            let tried = status.wait_for(|status| {
                status.state == ServerState::Ready || (status.tried && !config.required)
            });
            drop(timeout_at(end, tried).await);
        }
    }

    /// The new servers that are not up, each with what is wrong with it.
    pub fn missing(&self) -> Vec<(Arc<ServerConfig>, String)> {
        let missing = self.beside.iter().filter_map(|upstream| {
            let status = upstream.status();
            let why = status
                .error
                .unwrap_or_else(|| "it is not up yet".to_owned());
            (status.state != ServerState::Ready).then(|| (upstream.config(), why))
        });
        missing.collect()
    }

    /// All servers, each with its entry.
    pub fn servers(&self) -> impl Iterator<Item = (&Arc<Upstream>, &Arc<ServerConfig>)> {
        self.next
            .iter()
            .map(|(upstream, config)| (upstream, config))
    }
}

impl Drop for Succession {
    fn drop(&mut self) {
        for upstream in &self.fresh {
            upstream.stop.cancel();
        }
    }
}

impl Upstream {
    /// Whether another one has come in its place, or none.
    pub fn is_retired(&self) -> bool {
        self.retired.is_cancelled()
    }

    /// Resolves when it was ended, and nothing of it is left.
    pub(super) async fn gone(&self) {
        self.stop.cancelled().await;
        let life = self.extras.life();
        life.close();
        life.wait().await;
    }

    /// From now on, the entry says this. The way to the server is the same.
    fn adopt(&self, entry: &Arc<ServerConfig>, settings: &Settings, tracker: &TaskTracker) {
        self.health.store(Arc::new(settings.health.clone()));
        self.breaker.limit(settings.circuit_breaker.clone());
        let before = self.config();
        if before == *entry {
            return;
        }
        let (old, new) = (before.max_concurrent_calls, entry.max_concurrent_calls);
        for places in [&self.places.slots, &self.extras.places] {
            self.resize(places, (old, new), tracker);
        }
        let mut entry = ServerConfig::clone(entry);
        if entry.rules == before.rules {
            // The very same rules make the very same catalog.
            entry.rules = before.rules.clone();
        }
        self.config.store(Arc::new(entry));
    }

    /// Wants of the server what clients have wanted of the one before it.
    fn follow_on(self: &Arc<Self>, before: &Arc<Self>, tracker: &TaskTracker) {
        let (new, old) = (self.clone(), before.clone());
        let following = async move {
            let level = *old.level.lock();
            if let Some(level) = level {
                new.log_at_least(level).await;
            }
            let deadline = Instant::now() + new.config().call_timeout;
            for uri in old.watches.uris() {
                if let Err(error) = new.watch(&uri, deadline).await {
                    debug!(upstream = %new.name, %error, "a subscription is to be made later");
                    new.watches.add(&uri);
                }
                // It may be another one there.
                new.signals.resource_updated(uri);
            }
            for task in old.watches.tasks() {
                new.follow(&task).await;
            }
        };
        let stop = self.stop.clone();
        tracker.spawn(async move {
            tokio::select! {
                () = following => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// Lets no further call in, and ends the server once those under way are over or have had their time.
    fn retire(self: &Arc<Self>, tracker: &TaskTracker) {
        self.retired.cancel();
        self.places.close();
        self.stays.close();
        let old = self.clone();
        tracker.spawn(async move {
            let patience = old.config().call_timeout;
            tokio::select! {
                over = timeout(patience, old.stays.wait()) => {
                    let calls = old.stays.len();
                    info!(upstream = %old.name, calls, "ends, replaced or removed");
                    drop(over);
                }
                () = old.stop.cancelled() => {}
            }
            old.stop.cancel();
        });
    }

    /// Makes room for another number of calls at once. Those under way stay; a smaller number holds when they are over.
    fn resize(&self, places: &Arc<Semaphore>, (old, new): (usize, usize), tracker: &TaskTracker) {
        if new > old {
            places.add_permits(new - old);
        }
        let excess = u32::try_from(old.saturating_sub(new)).unwrap_or(u32::MAX);
        if excess == 0 {
            return;
        }
        let (places, stop) = (places.clone(), self.stop.clone());
        tracker.spawn(async move {
            tokio::select! {
                // It queues before whoever comes later.
                taken = places.acquire_many_owned(excess) => taken.map_or((), OwnedSemaphorePermit::forget),
                () = stop.cancelled() => {}
            }
        });
    }
}
