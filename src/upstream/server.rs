//! One server: how it is, and the way to it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, watch};
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
use super::places::Places;
use super::probe::ask;
use super::signals::{Asks, Signals};
use super::{Outgoing, Party, ServerState, Status, UpstreamError, Verdict};

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
    pub(super) places: Places,
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
            places: Places::new(config.max_concurrent_calls),
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
        self.places.free() < self.config.load().max_concurrent_calls
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
        if let Some(connection) = self.everybodys(outgoing)
            && let Some(permit) = self.places.take_now()
        {
            self.admit()?;
            return Ok(Lease::new(connection, permit, Home::Shared).staying(stay));
        }
        // Apart, since calls are moved about with room for whatever they may have to wait for.
        let lease = Box::pin(self.lease_later(outgoing, deadline)).await?;
        Ok(lease.staying(stay))
    }

    /// The connection that everybody has, if it is there and this request may go over it.
    fn everybodys(&self, outgoing: &Outgoing) -> Option<Arc<Connection>> {
        let open = self.open()?;
        matches!(self.share(&open, outgoing), Share::Everybody).then_some(open)
    }

    /// The connection that everybody has, if it is there.
    fn open(&self) -> Option<Arc<Connection>> {
        let connection = self.connection.load_full();
        connection.filter(|connection| !connection.is_closed())
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

    /// Where many clients call at once, most calls wait for a place: all they need then is here, what few of them need
    /// is apart.
    async fn lease_later(
        &self,
        outgoing: &Outgoing,
        deadline: Instant,
    ) -> Result<Lease, UpstreamError> {
        self.admit()?;
        let permit = self.places.take(deadline).await?;
        if let Some(connection) = self.everybodys(outgoing) {
            return Ok(Lease::new(connection, permit, Home::Shared));
        }
        let leasing = async {
            tokio::select! {
                biased;
                () = self.retired.cancelled() => Err(UpstreamError::Replaced),
                lease = timeout_at(deadline, self.lease_of(permit, outgoing, deadline)) => {
                    lease.unwrap_or_else(|_| Err(self.timed_out()))
                }
            }
        };
        Box::pin(leasing).await
    }

    fn timed_out(&self) -> UpstreamError {
        UpstreamError::Timeout(self.config.load().call_timeout)
    }

    /// Waits for the connection, or makes one where the request cannot have that of everybody.
    async fn lease_of(
        &self,
        permit: OwnedSemaphorePermit,
        outgoing: &Outgoing,
        deadline: Instant,
    ) -> Result<Lease, UpstreamError> {
        let shared = self.connected(deadline).await?;
        let (connection, home) = match self.share(&shared, outgoing) {
            Share::Everybody => (shared.clone(), Home::Shared),
            Share::Nobodys => self.extras.own().await?,
            Share::NoOtherAsked => match Alone::on(&shared) {
                Some(alone) => return Ok(Lease::new(shared, permit, Home::Shared).alone(alone)),
                None => self.extras.own().await?,
            },
            Share::Party(party) => self.extras.of(party).await?,
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

    async fn connected(&self, deadline: Instant) -> Result<Arc<Connection>, UpstreamError> {
        let mut status = self.status.subscribe();
        loop {
            if let Some(connection) = self.open() {
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
                    Err(self.timed_out())
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
        match self.open() {
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
        if let Some(connection) = self.open() {
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
            Err(_) => Err(self.timed_out()),
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
