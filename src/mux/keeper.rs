//! The one task that publishes catalogs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::catalog::{Catalog, Naming, Source, build};
use crate::protocol::{Identity, Kind};
use crate::upstream::{Event, ServerState, Status, Upstream};

use super::hub::{Mux, Published};
use super::report::Problems;
use super::subscriptions::Phase;

/// How long news is collected before a catalog is built.
const DEBOUNCE: Duration = Duration::from_millis(20);
/// How often it is looked for what has expired.
const ROUND: Duration = Duration::from_secs(5);

impl Mux {
    /// Publishes a new catalog whenever a server's news ask for one, until `stop`.
    pub async fn keep(self: Arc<Self>, mut events: mpsc::Receiver<Event>, stop: CancellationToken) {
        // What is known from the last run.
        self.publish();
        let mut round = interval(ROUND);
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let rebuild = tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.heed(event),
                    None => return,
                },
                _ = round.tick() => {
                    self.parked.expire();
                    Rebuild::Needed
                }
                () = stop.cancelled() => {
                    self.parked.clear();
                    return;
                }
            };
            if rebuild == Rebuild::Needed {
                sleep(DEBOUNCE).await;
                while let Ok(event) = events.try_recv() {
                    self.heed(event);
                }
                self.publish();
            }
        }
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
    fn publish(&self) {
        let servers: Servers = self
            .pool
            .iter()
            .map(|upstream| (upstream.clone(), upstream.status()))
            .collect();
        let identity = Identity::merge(
            servers
                .iter()
                .map(|(up, status)| (up.config.name.as_str(), status.features.as_ref())),
        );
        self.identity.store(Arc::new(identity));
        let before = *self.published.borrow();
        let sources = self.sources(&servers);
        let known = |status: &Status| status.tried || status.inventory.is_some();
        let mut now = Published {
            settled: servers.iter().all(|(_, status)| status.tried),
            complete: servers.iter().all(|(_, status)| known(status)),
            ..before
        };
        if same(&sources, &self.sources.read()) {
            self.published.send_if_modified(|published| {
                let news = *published != now;
                *published = now;
                news
            });
            return;
        }
        now.revision += 1;
        let built = build(&sources, &Naming::of(&self.settings), now.revision);
        *self.sources.write() = sources;
        let changed: BTreeSet<Kind> = built
            .catalog
            .changed_from(&self.catalog.load())
            .into_iter()
            .collect();
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

    fn sources(&self, servers: &Servers) -> Vec<Source> {
        let offered = servers.iter().filter(|(_, status)| self.is_offered(status));
        offered
            .filter_map(|(upstream, status)| {
                Some(Source {
                    server: upstream.config.name.clone(),
                    rules: upstream.config.rules.clone(),
                    inventory: status.inventory.clone()?,
                })
            })
            .collect()
    }

    /// A server that is away stays in the lists for a while, so that they do not flap.
    fn is_offered(&self, status: &Status) -> bool {
        match (&status.state, status.away_since) {
            (ServerState::Ready, _) => true,
            (_, Some(since)) => Instant::now() < since + self.settings.grace,
            (_, None) => false,
        }
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

type Servers = Vec<(Arc<Upstream>, Status)>;

/// Whether a catalog of these would be the same.
fn same(sources: &[Source], before: &[Source]) -> bool {
    sources.len() == before.len()
        && sources
            .iter()
            .zip(before)
            .all(|(source, before)| source.is_same_as(before))
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
