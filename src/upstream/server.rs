//! One server: how it is, and the way to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Health, ServerConfig, Settings, Sharing};
use crate::protocol::{Era, LogLevel, Method, ServerName};
use crate::wire::Json;

use super::asked::Alone;
use super::breaker::Breaker;
use super::connection::Connection;
use super::dialect::Dialect;
use super::extras::{Extras, Home};
use super::lease::Lease;
use super::link::Means;
use super::listen::Watches;
use super::manifest::Known;
use super::probe::ask;
use super::signals::{Asks, Signals};
use super::{Outgoing, Party, ServerState, Status, UpstreamError, Verdict};

/// How many calls may wait for a free place, beside those under way.
const MAX_WAITING: usize = 1_024;
/// A call waits for the next try of a server that is away, if it is this near.
const SHORT_WAIT: Duration = Duration::from_secs(1);

/// One server that we call.
pub struct Upstream {
    /// Its key in the configuration.
    pub name: ServerName,
    pub(super) config: ArcSwap<ServerConfig>,
    pub(super) health: ArcSwap<Health>,
    pub(super) connection: ArcSwapOption<Connection>,
    pub(super) status: watch::Sender<Status>,
    pub(super) watches: Watches,
    /// The chattiest level of log messages that any client has set.
    pub(super) level: Mutex<Option<LogLevel>>,
    pub(super) slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    pub(super) breaker: Breaker,
    pub(super) extras: Arc<Extras>,
    pub(super) signals: Arc<Signals>,
    /// Counts the leases and the errands that came of them.
    pub(super) stays: TaskTracker,
    /// Another one has come in its place, or none: no further call gets a lease.
    pub(super) retired: CancellationToken,
    /// Ends it.
    pub(super) stop: CancellationToken,
}

/// Counts a waiting call for as long as it waits.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Upstream {
    pub(super) fn new(
        config: Arc<ServerConfig>,
        settings: &Settings,
        known: Option<Known>,
        (means, stop): (Means, CancellationToken),
    ) -> Arc<Self> {
        Arc::new(Self {
            signals: means.signals.clone(),
            extras: Extras::new(config.clone(), means),
            connection: ArcSwapOption::empty(),
            status: watch::Sender::new(Status::initial(known)),
            watches: Watches::default(),
            level: Mutex::new(None),
            slots: Arc::new(Semaphore::new(config.max_concurrent_calls)),
            waiting: AtomicUsize::new(0),
            breaker: Breaker::new(settings.circuit_breaker.clone()),
            health: ArcSwap::from_pointee(settings.health.clone()),
            name: config.name.clone(),
            config: ArcSwap::new(config),
            stays: TaskTracker::new(),
            retired: CancellationToken::new(),
            stop,
        })
    }

    /// Its entry in the configuration, as it is now.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.load_full()
    }

    /// How the server is now.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// The status now, and whenever it changes.
    pub fn watch_status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Whether calls are under way.
    pub(super) fn is_busy(&self) -> bool {
        self.slots.available_permits() < self.config.load().max_concurrent_calls
    }

    /// The right to send this request. Waits for a free place and, while the server is being connected to,
    /// for the connection; no longer than until `deadline`. [`UpstreamError::Replaced`]: the one that has come in
    /// its place is to be asked.
    pub async fn lease(
        &self,
        outgoing: &Outgoing,
        deadline: Instant,
    ) -> Result<Lease, UpstreamError> {
        // Counted first and then looked: who retires a server does it the other way round.
        let stay = self.stays.token();
        if self.retired.is_cancelled() {
            return Err(UpstreamError::Replaced);
        }
        if let Some(lease) = self.lease_now(outgoing)? {
            return Ok(lease.staying(stay));
        }
        // Apart, since calls are moved about with room for whatever they may have to wait for.
        Box::pin(async {
            tokio::select! {
                biased;
                () = self.retired.cancelled() => Err(UpstreamError::Replaced),
                lease = self.lease_here(outgoing, deadline) => lease.map(|lease| lease.staying(stay)),
            }
        })
        .await
    }

    /// The usual case, in which there is nothing to wait for.
    fn lease_now(&self, outgoing: &Outgoing) -> Result<Option<Lease>, UpstreamError> {
        let open = self.connection.load_full().filter(|c| !c.is_closed());
        let shared = open.filter(|c| matches!(self.share(c, outgoing), Share::Everybody));
        let Some(connection) = shared else {
            return Ok(None);
        };
        let Ok(permit) = self.slots.clone().try_acquire_owned() else {
            return Ok(None);
        };
        self.admit()?;
        Ok(Some(Lease::new(connection, permit, Home::Shared)))
    }

    /// Whether the server has not failed too often.
    fn admit(&self) -> Result<(), UpstreamError> {
        self.breaker
            .admit()
            .map_err(|remaining| UpstreamError::Unavailable {
                why: "the server has failed too often in a row".to_owned(),
                retry_in: Some(remaining),
            })
    }

    async fn lease_here(
        &self,
        outgoing: &Outgoing,
        deadline: Instant,
    ) -> Result<Lease, UpstreamError> {
        self.admit()?;
        let permit = match self.slots.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait_for_place(deadline).await?,
        };
        let shared = self.connected(deadline).await?;
        // Boxed is what few calls need: where many wait for a place, each has this future.
        let (connection, home) = match self.share(&shared, outgoing) {
            Share::Everybody => (shared.clone(), Home::Shared),
            Share::Nobodys => Box::pin(self.extras.own()).await?,
            Share::NoOtherAsked => match Alone::on(&shared) {
                Some(alone) => return Ok(Lease::new(shared, permit, Home::Shared).alone(alone)),
                None => Box::pin(self.extras.own()).await?,
            },
            Share::Party(party) => Box::pin(self.extras.of(party)).await?,
        };
        if let (Some(own), Some(first)) = (connection.dialect(), shared.dialect())
            && !Arc::ptr_eq(&connection, &shared)
        {
            own.learn_from(first);
        }
        Ok(Lease::new(connection, permit, home))
    }

    /// With whom a request shares its connection.
    fn share<'a>(&self, shared: &Connection, outgoing: &'a Outgoing) -> Share<'a> {
        let asks = || {
            self.signals.asks() == Asks::Somebody
                && shared.dialect().map(Dialect::era) == Some(Era::Legacy)
                && outgoing.method.may_ask()
        };
        let share = match (self.config.load().sharing, &outgoing.party) {
            (Sharing::Auto, _) if asks() => Share::NoOtherAsked,
            (Sharing::Exclusive, _) => Share::Nobodys,
            (Sharing::PerClient, Some(party)) => Share::Party(party),
            _ => return Share::Everybody,
        };
        if outgoing.is_about_task() {
            // Tasks live with the connection that everybody has, so that they are found again.
            return Share::Everybody;
        }
        share
    }

    /// Takes note of how a call went: a server that fails every call is spared for a while.
    pub fn note(&self, verdict: Verdict) {
        self.breaker.note(verdict);
    }

    async fn wait_for_place(
        &self,
        deadline: Instant,
    ) -> Result<tokio::sync::OwnedSemaphorePermit, UpstreamError> {
        let waiting = Waiting(&self.waiting);
        if waiting.0.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
            return Err(UpstreamError::Overloaded);
        }
        match timeout_at(deadline, self.slots.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(UpstreamError::Overloaded),
        }
    }

    async fn connected(&self, deadline: Instant) -> Result<Arc<Connection>, UpstreamError> {
        let mut status = self.status.subscribe();
        loop {
            if let Some(connection) = self.connection.load_full().filter(|c| !c.is_closed()) {
                return Ok(connection);
            }
            let wait_until = match away(&status.borrow_and_update())? {
                Some(until) => deadline.min(until + SHORT_WAIT),
                None => deadline,
            };
            tokio::select! {
                changed = status.changed() => if changed.is_err() {
                    return Err(UpstreamError::unavailable("the mux is shutting down"));
                },
                () = sleep_until(wait_until) => {
                    let status = self.status.borrow();
                    let why = status.error.clone();
                    let why = why.unwrap_or_else(|| "the server is still being connected to".into());
                    return Err(UpstreamError::unavailable(why));
                }
            }
        }
    }

    /// Asks to be told when this resource, by its original URI, changes, unless the server has been asked already. Waits
    /// until the server has said that it will.
    pub async fn watch(&self, uri: &str, deadline: Instant) -> Result<(), UpstreamError> {
        let turn = self.watches.turn(uri);
        let _turn = turn.acquire().await;
        if self.watches.has(uri) {
            return Ok(());
        }
        let connection = self.connected(deadline).await?;
        if connection.dialect().map(Dialect::era) == Some(Era::Modern) {
            return match timeout_at(deadline, self.watches.granted(uri)).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(UpstreamError::Unwatched),
                Err(_) => {
                    self.watches.remove(uri);
                    Err(UpstreamError::Timeout(self.config.load().call_timeout))
                }
            };
        }
        self.tell(&connection, Method::Subscribe, uri, deadline)
            .await?;
        self.watches.add(uri);
        Ok(())
    }

    /// Takes [`watch`](Self::watch) back, if nobody has come to want it meanwhile.
    pub async fn unwatch(
        &self,
        uri: &str,
        deadline: Instant,
        is_wanted: impl Fn() -> bool,
    ) -> Result<(), UpstreamError> {
        let turn = self.watches.turn(uri);
        let _turn = turn.acquire().await;
        if is_wanted() || !self.watches.has(uri) {
            return Ok(());
        }
        self.watches.remove(uri);
        match self
            .connection
            .load_full()
            .filter(|connection| !connection.is_closed())
        {
            Some(connection) => {
                self.tell(&connection, Method::Unsubscribe, uri, deadline)
                    .await
            }
            None => Ok(()),
        }
    }

    /// Wants to be told when this task, by its original id, changes. Waits a moment until the server knows that; legacy
    /// servers tell without being asked.
    pub async fn follow(&self, task: &str) {
        if self.status().era == Some(Era::Modern) {
            self.watches.follow(task).await;
        }
    }

    /// Takes [`follow`](Self::follow) back.
    pub fn unfollow(&self, task: &str) {
        self.watches.unfollow(task);
    }

    /// Makes the server say what is at least of this level, also outside calls. Modern servers speak in calls only.
    pub async fn log_at_least(&self, level: LogLevel) {
        {
            let mut current = self.level.lock();
            *current = Some(current.map_or(level, |current| current.min(level)));
        }
        let connection = self.connection.load_full();
        if let Some(connection) = connection.filter(|connection| !connection.is_closed()) {
            self.log_again(&connection).await;
        }
    }

    /// Tells a server that is new, or back, which log messages clients want.
    pub(super) async fn log_again(&self, connection: &Arc<Connection>) {
        let level = *self.level.lock();
        if let (Some(level), Some(Dialect::Legacy(legacy))) = (level, connection.dialect()) {
            legacy.log_at_least(connection, level).await;
        }
    }

    /// Legacy servers are told of each resource; for modern ones the subscription is opened anew.
    pub(super) async fn tell(
        &self,
        connection: &Arc<Connection>,
        method: Method,
        uri: &str,
        deadline: Instant,
    ) -> Result<(), UpstreamError> {
        if connection.dialect().map(Dialect::era) != Some(Era::Legacy) {
            return Ok(());
        }
        let params = Json::object([("uri", &Json::string(uri))]);
        let mut exchange = ask(connection, method, Some(params)).await?;
        match timeout_at(deadline, exchange.result()).await {
            Ok(result) => result.map(drop),
            Err(_) => Err(UpstreamError::Timeout(self.config.load().call_timeout)),
        }
    }
}

/// Who has a connection together.
enum Share<'a> {
    Everybody,
    /// Nobody else than this call.
    Nobodys,
    /// Nobody in whose call the server may ask, so that it is clear whom it asks. Such a call stays with everybody
    /// else where it can, since a server may keep its state in its process.
    NoOtherAsked,
    /// The calls of one client.
    Party(&'a Party),
}

/// Whether a server without a connection is worth waiting for: until when at most, or not at all.
fn away(status: &Status) -> Result<Option<Instant>, UpstreamError> {
    let why = || {
        status
            .error
            .clone()
            .unwrap_or_else(|| "the server is away".to_owned())
    };
    match status.state {
        ServerState::Connecting | ServerState::Ready => Ok(None),
        ServerState::Backoff { until } => {
            let remaining = until.saturating_duration_since(Instant::now());
            if remaining <= SHORT_WAIT {
                return Ok(Some(until));
            }
            Err(UpstreamError::Unavailable {
                why: why(),
                retry_in: Some(remaining),
            })
        }
        ServerState::NeedsLogin => Err(UpstreamError::NeedsLogin {
            status: 401,
            why: why(),
        }),
        ServerState::Stopped => Err(UpstreamError::unavailable("the mux is shutting down")),
    }
}
