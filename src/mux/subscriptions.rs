//! Who wants to know what, and who has not been told yet.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::mem::take;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indexmap::IndexSet;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::debug;

use crate::catalog::{Route, UriRoute};
use crate::protocol::{Kind, ServerName};
use crate::wire::Json;

use super::call::Caller;
use super::error::{CallError, Unknown};
use super::hub::{Hub, Mux};
use super::logs::with_logger;
use super::notices::{Logs, Notice, Wanted};
use super::reads::is_listed;
use super::tasks::Known;

/// How many log messages and task changes wait for a slow subscriber; the oldest give way.
const MAX_BACKLOG: usize = 256;
/// How many resources one subscriber may watch.
const MAX_WATCHED: usize = 1_024;

/// All subscribers, and how many of them watch each resource and follow each task.
#[derive(Default)]
pub(super) struct Subscribers {
    next: AtomicU64,
    all: Mutex<HashMap<u64, Arc<Inbox>>>,
    watched: Counts,
    followed: Counts,
}

/// How many subscribers want to know of each thing.
#[derive(Default)]
struct Counts(Mutex<HashMap<Route, usize>>);

/// What one subscriber has not been told yet. Lists and resources are sets: a slow subscriber learns the
/// newest state and holds nobody up.
#[derive(Default)]
struct Inbox {
    news: Mutex<News>,
    wake: Notify,
}

#[derive(Default)]
pub(super) struct News {
    pub(super) wanted: Wanted,
    watched: HashMap<String, Route>,
    followed: HashMap<String, Route>,
    /// Lists that the subscriber may have seen in an older state.
    seen: BTreeSet<Kind>,
    lists: BTreeSet<Kind>,
    updated: IndexSet<String>,
    backlog: VecDeque<Notice>,
}

impl News {
    fn next(&mut self) -> Option<Notice> {
        if let Some(kind) = self.lists.pop_first() {
            return Some(Notice::ListChanged(kind));
        }
        self.updated
            .shift_remove_index(0)
            .map(Notice::Updated)
            .or_else(|| self.backlog.pop_front())
    }

    pub(super) fn queue(&mut self, notice: Notice) {
        if self.backlog.len() >= MAX_BACKLOG {
            self.backlog.pop_front();
        }
        self.backlog.push_back(notice);
    }
}

/// One subscriber's wishes. Dropping it ends them.
pub struct Subscription {
    hub: Hub,
    id: u64,
    inbox: Arc<Inbox>,
}

impl Mux {
    /// Wants to be told from now on.
    pub fn subscribe(self: &Arc<Self>, wanted: Wanted) -> Subscription {
        let inbox = Arc::new(Inbox::default());
        inbox.news.lock().wanted = wanted;
        let id = self.subscribers.next.fetch_add(1, Ordering::Relaxed);
        self.subscribers.all.lock().insert(id, inbox.clone());
        Subscription {
            hub: self.clone(),
            id,
            inbox,
        }
    }

    /// Tells everybody who wants to know that these lists are different. While the mux is starting, those who have
    /// seen nothing yet need not be told.
    pub(super) fn lists_changed(&self, kinds: &BTreeSet<Kind>, phase: Phase) {
        self.subscribers.each(|news| {
            let told: Vec<Kind> = kinds
                .intersection(&news.wanted.lists)
                .filter(|kind| phase == Phase::Running || news.seen.contains(kind))
                .copied()
                .collect();
            news.lists.extend(&told);
            !told.is_empty()
        });
    }

    /// Tells everybody who watches it that a resource, or a part of it, is different.
    pub(super) fn resource_updated(&self, server: &ServerName, original: &str) {
        self.subscribers.each(|news| {
            let told: Vec<String> = news
                .watched
                .iter()
                .filter(|(_, route)| route.server == *server)
                .filter_map(|(public, route)| part_of(public, route.original.as_str(), original))
                .collect();
            let any = !told.is_empty();
            for uri in told {
                if news.updated.len() < MAX_WATCHED {
                    news.updated.insert(uri);
                }
            }
            any
        });
    }

    /// Passes a log message to everybody who takes them.
    pub(super) fn logged(&self, server: &ServerName, params: Json) {
        let params = with_logger(server, params);
        self.subscribers.each(|news| {
            let wanted = news.wanted.logs == Logs::Wanted;
            if wanted {
                news.queue(Notice::Log(params.clone()));
            }
            wanted
        });
    }

    /// Passes a task's change to everybody who follows it.
    pub(super) fn task_changed(&self, server: &ServerName, params: Json) {
        let Some((params, public, caller)) = self.public_state(server, params) else {
            return;
        };
        self.subscribers.each(|news| {
            let wanted =
                news.followed.contains_key(&public) || news.wanted.caller.as_ref() == Some(&caller);
            if wanted {
                news.queue(Notice::Task(params.clone()));
            }
            wanted
        });
    }

    fn resource(&self, public: &str) -> Result<Route, CallError> {
        let catalog = self.catalog.load();
        match catalog.resolve_uri(public) {
            UriRoute::Exact(route) => Ok(route.clone()),
            UriRoute::Template(route) => Ok(route),
            UriRoute::Owners(owners) if owners.len() == 1 => Ok(Route {
                server: owners[0].clone(),
                original: crate::protocol::OriginalName::new(public),
            }),
            _ => Err(CallError::Unknown(Unknown {
                kind: Kind::Resource,
                name: public.to_owned(),
                suggestion: catalog.suggest(Kind::Resource, public).cloned(),
            })),
        }
    }
}

/// Where the mux is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Some servers have not been tried yet.
    Starting,
    /// All have.
    Running,
}

impl Subscribers {
    /// Changes the news of every subscriber and wakes those for whom the change says so.
    pub(super) fn each(&self, mut change: impl FnMut(&mut News) -> bool) {
        for inbox in self.all.lock().values() {
            if change(&mut inbox.news.lock()) {
                inbox.wake.notify_one();
            }
        }
    }
}

impl Counts {
    /// One more.
    fn more(&self, route: &Route) {
        let mut counts = self.0.lock();
        let count = counts.entry(route.clone()).or_default();
        *count += 1;
    }

    fn any(&self, route: &Route) -> bool {
        self.0.lock().contains_key(route)
    }

    /// One less. Whether it was the last.
    fn less(&self, route: &Route) -> bool {
        let mut counts = self.0.lock();
        let Some(count) = counts.get_mut(route) else {
            return false;
        };
        *count -= 1;
        let last = *count == 0;
        if last {
            counts.remove(route);
        }
        last
    }
}

impl Subscription {
    /// The next thing that happened. Cancel safe.
    pub async fn next(&self) -> Notice {
        loop {
            if let Some(notice) = self.inbox.news.lock().next() {
                return notice;
            }
            self.inbox.wake.notified().await;
        }
    }

    /// From now on the subscriber is told of every change of this list, also while the mux is starting.
    pub fn follows(&self, kind: Kind) {
        self.inbox.news.lock().seen.insert(kind.announced_as());
    }

    /// The subscriber has got this as the first page of a list. If it is an old one by now, that is news already.
    pub fn has_seen(&self, kind: Kind, page: &Json) {
        self.follows(kind);
        let catalog = self.hub.catalog.load();
        let is_current = catalog
            .page(kind, None)
            .is_ok_and(|current| current.body == *page || current.plain.as_ref() == Some(page));
        if !is_current {
            self.inbox.news.lock().lists.insert(kind.announced_as());
            self.inbox.wake.notify_one();
        }
    }

    /// Wants to know when this resource changes.
    pub async fn watch(&self, public: &str) -> Result<(), CallError> {
        self.hub.listed(|catalog| is_listed(catalog, public)).await;
        let route = self.hub.resource(public)?;
        {
            let mut news = self.inbox.news.lock();
            if news.watched.len() >= MAX_WATCHED {
                return Err(CallError::BadParams(
                    "too many resources are watched".to_owned(),
                ));
            }
            if news
                .watched
                .insert(public.to_owned(), route.clone())
                .is_some()
            {
                return Ok(());
            }
        }
        self.hub.subscribers.watched.more(&route);
        let mut watching = Watching {
            begun: Some(self),
            public,
        };
        loop {
            let upstream = self.hub.upstream(&route.server)?;
            let deadline = Instant::now() + upstream.config().call_timeout;
            let watched = upstream.watch(route.original.as_str(), deadline).await;
            if !upstream.is_retired() {
                watched.map_err(|error| CallError::of(&route.server, error))?;
                watching.begun = None;
                return Ok(());
            }
        }
    }

    /// Wants to know when this task of the caller changes. Whether it is one.
    pub async fn follow(&self, public: &str, caller: &Caller) -> bool {
        let Some(Known { route, .. }) = self.hub.tasks.find(public, caller) else {
            return false;
        };
        {
            let mut news = self.inbox.news.lock();
            if news.followed.len() >= MAX_WATCHED {
                return false;
            }
            let again = news.followed.insert(public.to_owned(), route.clone());
            if again.is_some() {
                return true;
            }
        }
        self.hub.subscribers.followed.more(&route);
        if let Ok(upstream) = self.hub.upstream(&route.server) {
            upstream.follow(route.original.as_str()).await;
        }
        true
    }

    /// Does not want to know it any more.
    pub async fn unwatch(&self, public: &str) {
        let route = self.inbox.news.lock().watched.remove(public);
        if let Some(route) = route {
            release(&self.hub, &route).await;
        }
    }
}

/// The public URI of what has changed, if it is what is watched or a part of it (2025-11-25, "Subscriptions").
fn part_of(public: &str, watched: &str, changed: &str) -> Option<String> {
    let rest = changed.strip_prefix(watched)?;
    let is_part = rest.is_empty() || watched.ends_with('/') || rest.starts_with(['/', '?', '#']);
    is_part.then(|| format!("{public}{rest}"))
}

/// A resource is about to be watched: taken back if it does not come to that.
struct Watching<'a> {
    begun: Option<&'a Subscription>,
    public: &'a str,
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        let Some(Subscription { hub, inbox, .. }) = self.begun else {
            return;
        };
        if let Some(route) = inbox.news.lock().watched.remove(self.public) {
            let released = hub.clone();
            hub.tracker
                .spawn(async move { release(&released, &route).await });
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.subscribers.all.lock().remove(&self.id);
        let (watched, followed) = {
            let mut news = self.inbox.news.lock();
            (take(&mut news.watched), take(&mut news.followed))
        };
        for route in followed.values() {
            let last = self.hub.subscribers.followed.less(route);
            if let Ok(upstream) = self.hub.upstream(&route.server)
                && last
            {
                upstream.unfollow(route.original.as_str());
            }
        }
        if watched.is_empty() {
            return;
        }
        let hub = self.hub.clone();
        self.hub.tracker.spawn(async move {
            for route in watched.values() {
                release(&hub, route).await;
            }
        });
    }
}

async fn release(hub: &Hub, route: &Route) {
    if !hub.subscribers.watched.less(route) {
        return;
    }
    let Ok(upstream) = hub.upstream(&route.server) else {
        return;
    };
    let deadline = Instant::now() + upstream.config().call_timeout;
    let is_wanted = || hub.subscribers.watched.any(route);
    let unwatched = upstream.unwatch(route.original.as_str(), deadline, is_wanted);
    if let Err(error) = unwatched.await {
        debug!(upstream = %route.server, %error, "a subscription was not ended");
    }
}
