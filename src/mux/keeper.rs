//! The one task that publishes catalogs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::catalog::{Before, Built, Catalog, Naming, Source, rebuild};
use crate::config::{ServerConfig, Settings};
use crate::protocol::{Identity, Kind};
use crate::upstream::{Event, ServerState, Status, Upstream};

use super::hub::{Mux, Published};
use super::report::Problems;
use super::servers::Change;
use super::subscriptions::Phase;

/// How long news is collected before a catalog is built.
const DEBOUNCE: Duration = Duration::from_millis(20);
/// Time between two catalogs while servers come up, unless there is nobody left to wait for.
const GATHERING: Duration = Duration::from_millis(50);
/// How often it is looked for what has expired.
const ROUND: Duration = Duration::from_secs(5);

impl Mux {
    /// Publishes a new catalog whenever a server's news ask for one, and makes changes of the configuration, until
    /// `stop`.
    pub async fn keep(
        self: Arc<Self>,
        mut events: mpsc::Receiver<Event>,
        mut changes: mpsc::Receiver<Change>,
        stop: CancellationToken,
    ) {
        // What is known from the last run.
        self.publish();
        let mut built = Instant::now();
        let mut due: Option<Instant> = None;
        let mut round = interval(ROUND);
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let rebuild = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.parked.clear();
                    return;
                }
                () = sleep_until(due.unwrap_or(built)), if due.is_some() => {
                    self.publish();
                    (built, due) = (Instant::now(), None);
                    Rebuild::NotNeeded
                }
                Some(change) = changes.recv() => {
                    self.make(change);
                    Rebuild::NotNeeded
                }
                event = events.recv() => match event {
                    Some(event) => self.heed(event),
                    None => return,
                },
                _ = round.tick() => {
                    self.parked.expire();
                    Rebuild::Needed
                }
            };
            if rebuild == Rebuild::Needed {
                due = Some(self.due(due, built));
            }
        }
    }

    /// When the catalog is to be built that was asked for now: at once where somebody may be waiting for this news and no
    /// other, else together with what comes soon.
    fn due(&self, due: Option<Instant>, built: Instant) -> Instant {
        let before = *self.published.borrow();
        let now = Instant::now();
        if before.settled {
            return due.unwrap_or(now + DEBOUNCE);
        }
        let upstreams = self.pool.all();
        let all = |known: fn(&Status) -> bool| upstreams.values().all(|it| it.is(known));
        if all(|status| status.tried) || (!before.complete && all(is_known)) {
            return now;
        }
        due.unwrap_or((built + GATHERING).max(now))
    }

    fn heed(&self, event: Event) -> Rebuild {
        match event {
            Event::Changed(_) => return Rebuild::Needed,
            Event::Outdated(server) => self.cache.outdated(&server),
            Event::Updated { server, uri } => {
                self.cache.updated(&server, &uri);
                self.resource_updated(&server, &uri);
            }
            Event::Log { server, params } => self.logged(&server, params),
            Event::Visited { server, params } => self.visited(&server, &params),
            Event::RootsWanted(wanted) => self.roots_wanted(wanted),
            Event::Task { server, params } => self.task_changed(&server, params),
        }
        Rebuild::NotNeeded
    }

    /// Builds the catalog anew and tells everybody what is different, if anything is.
    pub(super) fn publish(&self) {
        let settings = self.settings.load_full();
        let upstreams = self.pool.all();
        let servers: Servers = upstreams
            .values()
            .map(|upstream| (upstream.clone(), upstream.config(), upstream.status()))
            .collect();
        let identity = Identity::merge(
            servers
                .iter()
                .map(|(up, _, status)| (up.name.as_str(), status.features.as_ref())),
        );
        self.identity.store(Arc::new(identity));
        let before = *self.published.borrow();
        let origins = Origins::of(&servers, settings);
        let mut now = Published {
            settled: servers.iter().all(|(_, _, status)| status.tried),
            complete: servers.iter().all(|(_, _, status)| is_known(status)),
            ..before
        };
        if origins.are_same_as(&self.origins.read()) {
            self.published.send_if_modified(|published| {
                let news = *published != now;
                *published = now;
                news
            });
            return;
        }
        now.revision += 1;
        let catalog = self.catalog.load_full();
        let built = origins.build(Some((&self.origins.read(), &catalog)), now.revision);
        *self.origins.write() = origins;
        let changed: BTreeSet<Kind> = built.catalog.changed_from(&catalog).into_iter().collect();
        self.remember(Problems {
            conflicts: built.conflicts,
            dead_rules: built.dead_rules,
        });
        if !changed.is_empty() {
            now.at = Some(Instant::now());
            log_change(&built.catalog, &changed);
        }
        self.catalog.store(Arc::new(built.catalog));
        let phase = if before.settled {
            Phase::Running
        } else {
            Phase::Starting
        };
        self.lists_changed(&told(&changed), phase);
        // Last: lists that waited for this are answered now, and what they show is no news.
        self.published.send_replace(now);
    }

    fn remember(&self, problems: Problems) {
        let mut known = self.problems.write();
        for conflict in &problems.conflicts {
            if !known.conflicts.contains(conflict) {
                warn!("{conflict}");
            }
        }
        *known = problems;
    }
}

/// Servers, each with its entry and as it is now.
pub(super) type Servers = Vec<(Arc<Upstream>, Arc<ServerConfig>, Status)>;

/// What a catalog is built from.
#[derive(Default)]
pub(super) struct Origins {
    sources: Vec<Source>,
    settings: Arc<Settings>,
}

impl Origins {
    pub(super) fn of(servers: &Servers, settings: Arc<Settings>) -> Self {
        Self {
            sources: sources(servers, settings.grace),
            settings,
        }
    }

    /// What is as it was in the catalog before, built from those origins, is taken from there.
    pub(super) fn build(&self, before: Option<(&Self, &Catalog)>, revision: u64) -> Built {
        let before = before.map(|(origins, catalog)| Before {
            catalog,
            sources: if self.name_like(origins) {
                &origins.sources
            } else {
                &[]
            },
        });
        rebuild(before, &self.sources, &Naming::of(&self.settings), revision)
    }

    fn name_like(&self, before: &Self) -> bool {
        Naming::of(&self.settings) == Naming::of(&before.settings)
    }

    /// Whether a catalog of these would be the same.
    fn are_same_as(&self, before: &Self) -> bool {
        let pairs = self.sources.iter().zip(&before.sources);
        self.sources.len() == before.sources.len() && self.name_like(before) && { pairs }
            .all(|(source, before)| source.is_same_as(before))
    }
}

fn sources(servers: &Servers, grace: Duration) -> Vec<Source> {
    let offered = servers
        .iter()
        .filter(|(_, _, status)| is_offered(status, grace));
    offered
        .filter_map(|(upstream, config, status)| {
            Some(Source {
                server: upstream.name.clone(),
                rules: config.rules.clone(),
                inventory: status.inventory.clone()?,
            })
        })
        .collect()
}

/// Whether something is known of a server, from this run or the last.
fn is_known(status: &Status) -> bool {
    status.tried || status.inventory.is_some()
}

/// A server that is away stays in the lists for a while, so that they do not flap.
fn is_offered(status: &Status, grace: Duration) -> bool {
    match (&status.state, status.away_since) {
        (ServerState::Ready, _) => true,
        (_, Some(since)) => Instant::now() < since + grace,
        (_, None) => false,
    }
}

/// Templates share the notification of resources.
fn told(changed: &BTreeSet<Kind>) -> BTreeSet<Kind> {
    changed.iter().map(|kind| kind.announced_as()).collect()
}

/// Whether the catalog may be different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rebuild {
    Needed,
    NotNeeded,
}

fn log_change(catalog: &Catalog, changed: &BTreeSet<Kind>) {
    let count = |kind| catalog.entries(kind).len();
    let lists: Vec<&str> = changed.iter().map(|kind| kind.list_member()).collect();
    info!(
        revision = catalog.revision(),
        changed = lists.join(", "),
        tools = count(Kind::Tool),
        resources = count(Kind::Resource),
        templates = count(Kind::Template),
        prompts = count(Kind::Prompt),
        "the catalog is new"
    );
}
