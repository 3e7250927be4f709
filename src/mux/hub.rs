//! The hub itself: what all calls share.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::RwLock;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::catalog::{Catalog, Naming, build};
use crate::config::Settings;
use crate::protocol::{Identity, Kind, LogWish, Method, RoutedBy, Said, Structured};
use crate::upstream::Pool;
use crate::wire::Json;

use super::cache::Cache;
use super::call::Call;
use super::error::CallError;
use super::flow::InFlight;
use super::forward;
use super::keeper::Origins;
use super::logs::Chatter;
use super::parked::{Parked, Resumed};
use super::reads;
use super::report::{Problems, ServerReport};
use super::routes::Learned;
use super::seal::Seal;
use super::skills::{self, Skills};
use super::subscriptions::Subscribers;
use super::tasks::{self, Tasks};
use super::visits::Visits;

/// In the first moments of the mux, lists wait for servers that are still being connected to, since many clients ask
/// once, right away. The wait ends when all have been tried, when no news has come for [`QUIET`] since the first server
/// was ready, and in any case this long after the start.
const FIRST_LISTS: Duration = Duration::from_secs(2);
const QUIET: Duration = Duration::from_millis(700);

/// What all rooms downstream hold of the mux.
pub type Hub = Arc<Mux>;

/// The hub.
pub struct Mux {
    pub(super) pool: Pool,
    pub(super) settings: ArcSwap<Settings>,
    pub(super) tracker: TaskTracker,
    pub(super) catalog: ArcSwap<Catalog>,
    /// What the catalog was built from.
    pub(super) origins: RwLock<Origins>,
    pub(super) identity: ArcSwap<Identity>,
    pub(super) problems: RwLock<Problems>,
    pub(super) published: watch::Sender<Published>,
    pub(super) parked: Parked,
    pub(super) seal: Seal,
    pub(super) visits: Visits,
    pub(super) tasks: Tasks,
    pub(super) links: Learned,
    pub(super) cache: Cache,
    pub(super) skills: Skills,
    pub(super) subscribers: Subscribers,
    pub(super) chatter: Chatter,
    stop: CancellationToken,
    started: Instant,
}

/// What the keeper has published last.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Published {
    pub(super) revision: u64,
    /// When the lists changed last; `None`: they never did.
    pub(super) at: Option<Instant>,
    /// Whether every server's first attempt has ended and is in the catalog.
    pub(super) settled: bool,
    /// Whether something is known of every server, from this run or the last.
    pub(super) complete: bool,
}

/// How a call begins.
pub(super) enum Begun {
    /// It is over already.
    Done(Said),
    /// A server is at it.
    Running(Box<forward::Running>),
}

impl Mux {
    /// A hub over these servers. Its catalog is empty until the keeper fills it.
    pub fn new(
        pool: Pool,
        settings: Arc<Settings>,
        tracker: TaskTracker,
        stop: CancellationToken,
    ) -> Hub {
        let empty = build(&[], &Naming::of(&settings), 0).catalog;
        Arc::new(Self {
            pool,
            cache: Cache::new(settings.cache_size),
            settings: ArcSwap::new(settings),
            tracker,
            catalog: ArcSwap::from_pointee(empty),
            origins: RwLock::default(),
            identity: ArcSwap::default(),
            problems: RwLock::default(),
            published: watch::Sender::default(),
            parked: Parked::default(),
            seal: Seal::default(),
            visits: Visits::default(),
            tasks: Tasks::default(),
            links: Learned::default(),
            skills: Skills::default(),
            subscribers: Subscribers::default(),
            chatter: Chatter::default(),
            stop,
            started: Instant::now(),
        })
    }

    /// Makes a call. Nothing happens until the first step is awaited; dropping it cancels it.
    pub fn call(self: &Arc<Self>, call: Call) -> InFlight {
        if let LogWish::AtLeast(level) = call.logs {
            self.chatter.wished(level);
        }
        InFlight::new(self.clone(), call)
    }

    /// What holds for the whole mux now.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// How long clients may at least consider lists fresh, whatever servers say.
    pub fn list_ttl(&self) -> Duration {
        self.settings.load().list_ttl
    }

    /// Resolves when the mux shuts down: subscriptions are to end in good order.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// What is offered now.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.load_full()
    }

    /// What the mux says of itself now.
    pub fn identity(&self) -> Arc<Identity> {
        self.identity.load_full()
    }

    /// What is odd about the catalog now.
    pub fn problems(&self) -> Problems {
        self.problems.read().clone()
    }

    /// All servers, in the order of the configuration.
    pub fn servers(&self) -> Vec<ServerReport> {
        let upstreams = self.pool.all();
        upstreams.values().map(|up| ServerReport::of(up)).collect()
    }

    /// Waits until every server has been tried once, no longer than this. Whether it came to that.
    pub async fn settled(&self, within: Duration) -> bool {
        timeout(within, self.all_tried()).await.is_ok()
    }

    async fn all_tried(&self) {
        let mut published = self.published.subscribe();
        // The sender lives as long as the hub.
        drop(published.wait_for(|published| published.settled).await);
    }

    /// Waits for servers that are still being connected to, in the first moments of the mux only.
    pub(super) async fn first_lists(&self) {
        let mut published = self.published.subscribe();
        loop {
            let now = *published.borrow_and_update();
            if now.settled || now.complete {
                return;
            }
            let end = self.started + FIRST_LISTS;
            let end = now.at.map_or(end, |at| end.min(at + QUIET));
            if timeout_at(end, published.changed()).await.is_err() {
                return;
            }
        }
    }

    /// What is offered, after a wait as in [`Self::first_lists`] for an entry that is not there yet.
    pub(super) async fn listed(&self, is_there: impl Fn(&Catalog) -> bool) -> Arc<Catalog> {
        let catalog = self.catalog();
        if is_there(&catalog) {
            return catalog;
        }
        // Apart, since calls are moved about with room for whatever they may have to wait for.
        Box::pin(self.first_lists()).await;
        self.catalog()
    }

    pub(super) async fn begin(self: &Arc<Self>, call: &Arc<Call>) -> Result<Begun, CallError> {
        let again = match &call.read.request_state {
            None => None,
            Some(state) => match Box::pin(self.resume(call, state)).await? {
                Resumed::Running(running) => return Ok(Begun::Running(running)),
                Resumed::Again(again) => Some(Arc::new(*again)),
            },
        };
        let call = again.as_ref().unwrap_or(call);
        match call.method.routed_by() {
            RoutedBy::Name(kind) => forward::by_name(self, call, kind).await,
            other => Box::pin(self.begin_other(call, other)).await,
        }
    }

    /// Begins what is no call of a tool and no prompt, apart: a future has room for all that it may do, and calls of tools
    /// are not to be moved about with the room for everything.
    async fn begin_other(&self, call: &Arc<Call>, routed: RoutedBy) -> Result<Begun, CallError> {
        match routed {
            RoutedBy::Mux => match call.method {
                Method::List(kind) => self.list(kind, call).await.map(Begun::Done),
                Method::SkillsList => skills::list(self, call).await.map(Begun::Done),
                Method::Task(_) => tasks::list(self, call).await.map(Begun::Done),
                _ => Err(CallError::UnknownMethod(call.method.to_string())),
            },
            RoutedBy::Name(kind) => forward::by_name(self, call, kind).await,
            RoutedBy::Reference => forward::by_reference(self, call).await,
            RoutedBy::TaskId => tasks::by_task(self, call).await,
            RoutedBy::Uri => reads::read(self, call).await,
        }
    }

    /// A page of a list, from the current catalog.
    async fn list(&self, kind: Kind, call: &Call) -> Result<Said, CallError> {
        self.first_lists().await;
        let cursor = match &call.read.cursor {
            None => None,
            Some(cursor) => Some(cursor.text().ok_or_else(bad_cursor)?),
        };
        let catalog = self.catalog.load();
        let page = catalog
            .page(kind, cursor.as_deref())
            .map_err(|_| bad_cursor())?;
        let body = match (call.client.takes(), page.plain) {
            (Structured::Objects, Some(plain)) => plain,
            _ => page.body,
        };
        let mut hints = catalog.hints(kind);
        let at_least = self.list_ttl().as_millis() as u64;
        hints.ttl_ms = hints.ttl_ms.max(at_least);
        Ok(Said {
            hints: Some(hints),
            ..Said::by_mux(body)
        })
    }

    /// The tool's definition as clients see it, by its public name; for rules that depend on it.
    pub fn tool(&self, public: &str) -> Option<Json> {
        let catalog = self.catalog.load();
        catalog
            .entry(Kind::Tool, public)
            .map(|entry| entry.definition.clone())
    }
}

fn bad_cursor() -> CallError {
    CallError::BadParams("the cursor is not one that this list gave out".to_owned())
}
