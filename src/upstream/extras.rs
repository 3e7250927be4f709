//! Further connections to one server, for calls or clients that must not share one.
//!
//! A legacy server on a pipe cannot say in which call it asks. On a connection with one call, or with the calls of
//! one client, there is nothing to be unclear about.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::ServerConfig;

use super::asked::Clients;
use super::connection::Connection;
use super::link::Means;
use super::listen::{Watches, listen};
use super::probe::{Contact, contact};
use super::{Party, UpstreamError};

/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(60);

/// The further connections of one server. At most as many as it takes calls at once.
pub(super) struct Extras {
    config: Arc<ServerConfig>,
    means: Means,
    pub(super) places: Arc<Semaphore>,
    table: Mutex<Table>,
    stop: CancellationToken,
    tidying: AtomicBool,
}

#[derive(Default)]
struct Table {
    /// Free for the next call that wants one for itself. No more than there are places: a new one is opened only when
    /// none is free.
    idle: Vec<Extra>,
    of: HashMap<Party, Arc<OfParty>>,
    /// All that are open.
    open: Vec<Weak<Connection>>,
}

/// One further connection.
struct Extra {
    contact: Contact,
    since: Instant,
}

/// The connection of one client.
pub(super) struct OfParty {
    /// Had by who opens it, so that several calls at once open one.
    turn: Semaphore,
    extra: Mutex<Option<(Extra, OwnedSemaphorePermit)>>,
}

impl Default for OfParty {
    fn default() -> Self {
        Self {
            turn: Semaphore::new(1),
            extra: Mutex::default(),
        }
    }
}

/// Where the connection of an exchange goes when it ends.
pub(super) enum Home {
    /// It is everybody's.
    Shared,
    /// It was the exchange's alone.
    Own(Box<Own>),
    /// It is one client's, as long as this client uses it.
    Party(#[expect(dead_code, reason = "held, so that it is not ended as unused")] Arc<OfParty>),
}

/// A connection that one exchange has to itself.
pub(super) struct Own {
    extra: Option<Extra>,
    _place: OwnedSemaphorePermit,
    extras: Arc<Extras>,
    clean: bool,
}

impl Home {
    /// The exchange has ended by itself: the server is not at it any more, so the next one may have the
    /// connection.
    pub(super) fn is_clean(&mut self) {
        if let Self::Own(own) = self {
            own.clean = true;
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(extra) = self.extra.take().filter(|_| self.clean) {
            self.extras.take_back(extra);
        }
    }
}

impl Extra {
    fn connection(&self) -> &Arc<Connection> {
        &self.contact.link.connection
    }
}

impl Extras {
    pub(super) fn new(config: Arc<ServerConfig>, means: Means) -> Arc<Self> {
        Arc::new(Self {
            places: Arc::new(Semaphore::new(config.max_concurrent_calls)),
            config,
            means,
            table: Mutex::default(),
            stop: CancellationToken::new(),
            tidying: AtomicBool::new(false),
        })
    }

    /// What has to end before the server is gone.
    pub(super) fn life(&self) -> &TaskTracker {
        &self.means.life
    }

    /// A connection for one call alone. Waits for a place.
    pub(super) async fn own(self: &Arc<Self>) -> Result<(Arc<Connection>, Home), UpstreamError> {
        let place = self.place().await?;
        let idle = loop {
            match self.table.lock().idle.pop() {
                Some(extra) if extra.connection().is_closed() => {}
                other => break other,
            }
        };
        let extra = match idle {
            Some(extra) => extra,
            None => self.open(Clients::Many).await?,
        };
        let connection = extra.connection().clone();
        let own = Own {
            extra: Some(extra),
            _place: place,
            extras: self.clone(),
            clean: false,
        };
        Ok((connection, Home::Own(Box::new(own))))
    }

    /// The connection of this client. Waits for a place if there is none yet.
    pub(super) async fn of(
        self: &Arc<Self>,
        party: &Party,
    ) -> Result<(Arc<Connection>, Home), UpstreamError> {
        let mine = {
            let mut table = self.table.lock();
            table.of.entry(party.clone()).or_default().clone()
        };
        let turn = mine.turn.acquire().await;
        let old = mine.extra.lock().take();
        let old = old.filter(|(extra, _)| !extra.connection().is_closed());
        let (extra, place) = if let Some(open) = old {
            open
        } else {
            let place = self.place().await?;
            (self.open(Clients::One(party.clone())).await?, place)
        };
        let connection = extra.connection().clone();
        let since = Instant::now();
        *mine.extra.lock() = Some((Extra { since, ..extra }, place));
        drop(turn);
        self.tidy_later();
        Ok((connection, Home::Party(mine)))
    }

    async fn open(self: &Arc<Self>, clients: Clients) -> Result<Extra, UpstreamError> {
        let means = Means {
            clients,
            ..self.means.clone()
        };
        let contact = tokio::select! {
            contact = contact(&self.config, &means) => contact?,
            () = self.stop.cancelled() => {
                return Err(UpstreamError::unavailable("the mux is shutting down"));
            }
        };
        let connection = contact.link.connection.clone();
        {
            let mut table = self.table.lock();
            table.open.retain(|open| open.strong_count() > 0);
            table.open.push(Arc::downgrade(&connection));
        }
        let features = contact.features.clone();
        self.means.tracker.spawn(async move {
            let watches = Watches::default();
            tokio::select! {
                () = listen(&connection, &features, &watches) => {}
                () = connection.closed() => {}
            }
        });
        Ok(Extra {
            contact,
            since: Instant::now(),
        })
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, UpstreamError> {
        if self.places.available_permits() == 0 {
            // The connection of a client that does nothing may be in the way.
            self.tidy(Duration::ZERO);
        }
        let place = self.places.clone().acquire_owned().await;
        place.map_err(|_| UpstreamError::Overloaded)
    }

    fn take_back(self: &Arc<Self>, extra: Extra) {
        if extra.connection().is_closed() || self.stop.is_cancelled() {
            return;
        }
        let since = Instant::now();
        self.table.lock().idle.push(Extra { since, ..extra });
        self.tidy_later();
    }

    /// The connection of this client, if it has one.
    pub(super) fn existing(&self, party: &Party) -> Option<Arc<Connection>> {
        let mine = self.table.lock().of.get(party).cloned()?;
        let extra = mine.extra.lock();
        let connection = extra.as_ref().map(|(extra, _)| extra.connection().clone());
        connection.filter(|connection| !connection.is_closed())
    }

    /// Has the unused ended in time, by one task, for as long as there is anything.
    fn tidy_later(self: &Arc<Self>) {
        if self.tidying.swap(true, Ordering::Relaxed) {
            return;
        }
        let extras = self.clone();
        self.means.tracker.spawn(async move {
            while extras.tidying.load(Ordering::Relaxed) {
                tokio::select! {
                    () = sleep(IDLE) => extras.tidy(IDLE),
                    () = extras.stop.cancelled() => return,
                }
            }
        });
    }

    /// Ends the connections that nobody has used for so long.
    fn tidy(&self, unused: Duration) {
        let now = Instant::now();
        let mut table = self.table.lock();
        let idle = std::mem::take(&mut table.idle);
        let (keep, end): (Vec<Extra>, Vec<Extra>) = idle
            .into_iter()
            .partition(|extra| now < extra.since + unused);
        table.idle = keep;
        let any_idle = !table.idle.is_empty();
        let mut ended = Vec::new();
        table.of.retain(|_, mine| {
            // No exchange has it, and none is about to.
            if Arc::strong_count(mine) > 1 {
                return true;
            }
            let mut extra = mine.extra.lock();
            let is_fresh = extra
                .as_ref()
                .is_some_and(|(extra, _)| now < extra.since + unused);
            if !is_fresh {
                ended.extend(extra.take());
            }
            is_fresh
        });
        self.tidying
            .store(any_idle || !table.of.is_empty(), Ordering::Relaxed);
        drop(table);
        drop((end, ended));
    }

    /// Ends all connections, used or not, and opens none any more.
    pub(super) fn close(&self) {
        self.stop.cancel();
        let (open, idle, of) = {
            let mut table = self.table.lock();
            (
                std::mem::take(&mut table.open),
                std::mem::take(&mut table.idle),
                std::mem::take(&mut table.of),
            )
        };
        for connection in open.iter().filter_map(Weak::upgrade) {
            connection.close();
        }
        drop((idle, of));
    }
}
