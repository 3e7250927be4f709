//! The task that keeps one server alive.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::catalog::Inventory;
use crate::protocol::{Kind, Method};

use super::fetch::fetch;
use super::health::failing;
use super::link::Means;
use super::listen::listen;
use super::manifest::Manifest;
use super::probe::{Contact, contact};
use super::{PoolOptions, ServerState, Status, Upstream, UpstreamError};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A server that was well for this long starts over with a clean slate.
const HEALTHY_RUN: Duration = Duration::from_secs(10);
/// A session that lasted this long is replaced at once when the server has forgotten it.
const HEALTHY_SESSION: Duration = Duration::from_secs(1);
/// How long changes of lists are collected before the lists are fetched.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// Keeps one server alive until it is told to stop.
pub(super) struct Supervisor {
    upstream: Arc<Upstream>,
    means: Means,
    stop: CancellationToken,
    manifest: Option<Manifest>,
    /// How many attempts in a row have failed.
    failures: u32,
}

impl Supervisor {
    pub(super) fn new(upstream: Arc<Upstream>, means: Means, options: &PoolOptions) -> Self {
        Self {
            stop: upstream.stop.clone(),
            upstream,
            means,
            manifest: options.manifest.clone(),
            failures: 0,
        }
    }

    /// Runs until it is told to stop; where one is awaited, from when that is gone.
    pub(super) async fn run(mut self, awaited: Option<Arc<Upstream>>) {
        let stop = self.stop.clone();
        if let Some(before) = awaited {
            self.set(|status| status.state = ServerState::Connecting);
            self.wait_for(&before).await;
        }
        while !stop.is_cancelled() {
            self.set(|status| status.state = ServerState::Connecting);
            let started = Instant::now();
            let limit = self.upstream.config().startup_timeout;
            let attempt = tokio::select! {
                attempt = timeout(limit, self.connect()) => attempt,
                () = stop.cancelled() => break,
            };
            let failed = match attempt {
                Ok(Ok((contact, inventory))) => {
                    self.ready(contact, inventory, started.elapsed()).await
                }
                Ok(Err(error)) => error,
                Err(_) => UpstreamError::unavailable(format!(
                    "the server did not start within {}s",
                    limit.as_secs_f64()
                )),
            };
            if self.upstream.is_retired() {
                // It is not to come back, but calls on connections of their own may still be under way.
                stop.cancelled().await;
            }
            if stop.is_cancelled() {
                break;
            }
            self.pause(&failed, started).await;
        }
        self.upstream.extras.close();
        self.set(|status| status.state = ServerState::Stopped);
    }

    /// Waits until the one before it is gone. One that is called off meanwhile does not hold up whoever comes after it, but
    /// stands for the one that it has waited for.
    async fn wait_for(&self, before: &Upstream) {
        tokio::select! {
            () = before.gone() => return,
            () = self.stop.cancelled() => {}
        }
        if before.is_retired() {
            before.gone().await;
        }
    }

    async fn connect(&self) -> Result<(Contact, Inventory), UpstreamError> {
        let contact = contact(&self.upstream.config(), &self.means).await?;
        // What changes from now on is fetched once more.
        self.means.signals.take_lists();
        let all: BTreeSet<Kind> = Kind::ALL.into_iter().collect();
        let fetched = fetch(
            &contact.link.connection,
            &contact.features,
            &all,
            &Inventory::default(),
        )
        .await;
        fetched.map(|inventory| (contact, inventory))
    }

    /// Serves a server that answers until it is lost or told to stop. Returns why it ended.
    async fn ready(&self, contact: Contact, inventory: Inventory, took: Duration) -> UpstreamError {
        info!(upstream = %self.upstream.name, revision = %contact.version, "connected");
        // What is as it was in the last run makes no new catalog.
        let known = self.upstream.status().inventory;
        let inventory = known
            .filter(|known| **known == inventory)
            .unwrap_or_else(|| Arc::new(inventory));
        self.upstream
            .connection
            .store(Some(contact.link.connection.clone()));
        self.set(|status| {
            *status = Status {
                state: ServerState::Ready,
                era: Some(contact.version.era()),
                protocol_version: Some(contact.version.as_str().to_owned()),
                features: Arc::new(contact.features.clone()),
                inventory: Some(inventory),
                connect_time: Some(took),
                error: None,
                tried: true,
                away_since: None,
            };
        });
        self.remember();
        self.means.reporter.outdated().await;
        self.means.reporter.changed().await;
        self.watch_again(&contact).await;
        self.upstream.log_again(&contact.link.connection).await;
        let lost = tokio::select! {
            () = contact.link.connection.closed() => contact.link.connection.loss(),
            error = failing(&self.upstream, &contact.link.connection) => error,
            () = listen(&contact.link.connection, &contact.features, &self.upstream.watches) => UpstreamError::Lost,
            error = self.attend(&contact) => error,
            () = self.stop.cancelled() => UpstreamError::unavailable("the mux is shutting down"),
        };
        self.upstream.connection.store(None);
        lost
    }

    /// Keeps what the server offers for the next start.
    fn remember(&self) {
        let Some(manifest) = self.manifest.clone() else {
            return;
        };
        let Status {
            features,
            inventory,
            ..
        } = self.upstream.status();
        let config = self.upstream.config();
        let asks = self.means.signals.asks();
        let tracker = self.means.tracker.clone();
        self.means.tracker.spawn(async move {
            let _turn = manifest.turn().await;
            let folder = manifest.clone();
            let writing = tracker.spawn_blocking(move || {
                if let (Some(hello), Some(inventory)) = (&features.said, inventory) {
                    folder.write(&config, hello, (&inventory, asks));
                }
            });
            // An error is a panic, which the runtime has told.
            drop(writing.await);
        });
    }

    /// Renews the subscriptions that a legacy server has lost with its session.
    async fn watch_again(&self, contact: &Contact) {
        let deadline = Instant::now() + self.upstream.config().call_timeout;
        for uri in self.upstream.watches.uris() {
            let told = self
                .upstream
                .tell(&contact.link.connection, Method::Subscribe, &uri, deadline)
                .await;
            match told {
                // It may have changed while the server was away.
                Ok(()) => self.means.signals.resource_updated(uri),
                Err(error) => {
                    warn!(upstream = %self.upstream.name, %error, "a subscription was not renewed");
                }
            }
        }
    }

    /// Fetches lists that change. Returns when the link is lost.
    async fn attend(&self, contact: &Contact) -> UpstreamError {
        loop {
            let mut heard = self.means.signals.heard().await;
            for uri in heard.updated {
                self.means.reporter.updated(uri).await;
            }
            if heard.asks {
                debug!(upstream = %self.upstream.name, "asks in the middle of calls");
                self.remember();
            }
            if heard.lists.is_empty() {
                continue;
            }
            if heard.lists.contains(&Kind::Resource) {
                self.means.reporter.outdated().await;
            }
            sleep(DEBOUNCE).await;
            heard.lists.extend(self.means.signals.take_lists());
            let old = self.upstream.status().inventory.unwrap_or_default();
            let limit = self.upstream.config().startup_timeout;
            let fetching = fetch(
                &contact.link.connection,
                &contact.features,
                &heard.lists,
                &old,
            );
            match timeout(limit, fetching).await {
                Ok(Ok(new)) => {
                    self.set(|status| status.inventory = Some(Arc::new(new)));
                    self.remember();
                    self.means.reporter.changed().await;
                }
                Ok(Err(error)) => return error,
                Err(_) => {
                    warn!(upstream = %self.upstream.name, "the lists were not fetched in time");
                }
            }
        }
    }

    /// Waits before the next attempt: not at all after a long healthy run, else longer each time.
    async fn pause(&mut self, failed: &UpstreamError, started: Instant) {
        let name = &self.upstream.name;
        let long_enough = match failed {
            UpstreamError::SessionLost => HEALTHY_SESSION,
            _ => HEALTHY_RUN,
        };
        if self.was_ready() && started.elapsed() >= long_enough {
            self.failures = 0;
            info!(upstream = %name, "reconnecting: {failed}");
            self.set(|status| status.away_since = Some(Instant::now()));
            return;
        }
        let pause = backoff(self.failures);
        self.failures = self.failures.saturating_add(1);
        warn!(upstream = %name, retry_in = ?pause, "{failed}");
        let needs_login = matches!(failed, UpstreamError::NeedsLogin { .. });
        self.set(|status| {
            if matches!(status.state, ServerState::Ready) {
                status.away_since = Some(Instant::now());
            }
            status.state = if needs_login {
                ServerState::NeedsLogin
            } else {
                ServerState::Backoff {
                    until: Instant::now() + pause,
                }
            };
            status.error = Some(failed.to_string());
            status.tried = true;
            if needs_login {
                // What it offers, it offers to those who are logged in.
                status.inventory = None;
            }
        });
        self.means.reporter.changed().await;
        tokio::select! {
            () = sleep(pause) => {}
            () = new_credentials(&self.means), if needs_login => {}
            () = self.stop.cancelled() => {}
        }
    }

    fn was_ready(&self) -> bool {
        matches!(self.upstream.status.borrow().state, ServerState::Ready)
    }

    fn set(&self, change: impl FnOnce(&mut Status)) {
        self.upstream.status.send_modify(change);
    }
}

/// Waits until there may be other credentials, for good if there never are.
async fn new_credentials(means: &Means) {
    match &means.credentials {
        Some(credentials) => credentials.changed().await,
        None => std::future::pending().await,
    }
}

/// The pause after this many failures, give or take a fifth, so that servers do not all come at once.
fn backoff(failures: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.min(16));
    let jitter = rand::rng().random_range(0.8..1.2);
    doubled.min(LONGEST_PAUSE).mul_f64(jitter)
}
