//! All servers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{ServerConfig, Settings, TransportConfig};
use crate::oauth::{Access, Ledger, Site};
use crate::protocol::ServerName;
use crate::transport::{Credentials, Guard, HttpClient};
use crate::vault::Vault;

use super::Upstream;
use super::asked::Clients;
use super::link::Means;
use super::manifest::{Known, Manifest};
use super::signals::{Asks, Event, Reporter, Signals};
use super::supervisor::Supervisor;

/// How often idle HTTP connections are looked after.
const SWEEP: std::time::Duration = std::time::Duration::from_secs(30);

/// What all servers share.
#[derive(Clone)]
pub struct PoolOptions {
    /// The HTTP client of all servers.
    pub http: HttpClient,
    /// Ends what a killed mux leaves behind.
    pub guard: Guard,
    /// The largest message of a server, in bytes.
    pub max_message_size: usize,
    /// How long a child may take to end by itself.
    pub shutdown_grace: Duration,
    /// Where logins are kept, if they are.
    pub vault: Option<Arc<Vault>>,
    /// What servers offered the last time, if that is kept.
    pub manifest: Option<Manifest>,
    /// Runs the servers' tasks.
    pub tracker: TaskTracker,
    /// Ends them.
    pub stop: CancellationToken,
    /// Where news goes.
    pub events: mpsc::Sender<Event>,
}

/// How long the start waits for what servers offered in the last run. The rest of it comes while they are connected to.
const RECALLING: Duration = Duration::from_millis(5);

/// Servers by their names, in the order of the configuration.
pub type Upstreams = IndexMap<ServerName, Arc<Upstream>>;

/// What is to run for as long as a server is there.
pub(super) type Life = BoxFuture<'static, ()>;

/// All servers, in the order of the configuration.
pub struct Pool {
    pub(super) upstreams: ArcSwap<Upstreams>,
    pub(super) options: PoolOptions,
}

impl Pool {
    /// Starts a supervisor for each server.
    pub fn start(
        servers: impl Iterator<Item = Arc<ServerConfig>>,
        settings: &Settings,
        options: PoolOptions,
    ) -> Self {
        let pool = Self {
            upstreams: ArcSwap::default(),
            options,
        };
        let started = Instant::now();
        let (mut late, mut lives) = (Vec::new(), Vec::new());
        let upstreams: Upstreams = servers
            .map(|config| {
                let is_late = started.elapsed() >= RECALLING;
                let known = if is_late { None } else { pool.known(&config) };
                let (upstream, life) = pool.create(config, settings, known, None);
                lives.push(life);
                if is_late {
                    late.push(upstream.clone());
                }
                (upstream.name.clone(), upstream)
            })
            .collect();
        pool.upstreams.store(Arc::new(upstreams));
        pool.begin(lives);
        pool.recall(late);
        let (http, stop) = (pool.options.http.clone(), pool.options.stop.clone());
        pool.options.tracker.spawn(async move {
            while timeout(SWEEP, stop.cancelled()).await.is_err() {
                http.sweep();
            }
        });
        pool
    }

    /// Looks up what these servers offered the last time, while they are being connected to.
    fn recall(&self, upstreams: Vec<Arc<Upstream>>) {
        let PoolOptions {
            manifest,
            tracker,
            events,
            stop,
            ..
        } = &self.options;
        let (Some(manifest), false) = (manifest.clone(), upstreams.is_empty()) else {
            return;
        };
        let (events, stop) = (events.clone(), stop.clone());
        tracker.spawn_blocking(move || {
            for upstream in upstreams {
                if stop.is_cancelled() {
                    return;
                }
                if let Some(known) = manifest.read(&upstream.config()) {
                    upstream.recall(known);
                    // Fails only when nobody wants to know any more.
                    drop(events.blocking_send(Event::Changed(upstream.name.clone())));
                }
            }
        });
    }

    /// What the server offered in the last run.
    pub(super) fn known(&self, config: &ServerConfig) -> Option<Known> {
        self.options.manifest.as_ref()?.read(config)
    }

    /// Starts servers, one after the other: whatever comes in meanwhile is seen to between two of them, so that a client of
    /// a mux with a hundred servers is answered before all of them are on their way.
    pub(super) fn begin(&self, lives: Vec<Life>) {
        let tracker = self.options.tracker.clone();
        self.options.tracker.spawn(async move {
            for life in lives {
                tracker.spawn(life);
                yield_now().await;
            }
        });
    }

    /// One server, of which this is known already, and what [begins](Self::begin) it: at once, or when the one before it
    /// is gone.
    pub(super) fn create(
        &self,
        config: Arc<ServerConfig>,
        settings: &Settings,
        known: Option<Known>,
        awaited: Option<Arc<Upstream>>,
    ) -> (Arc<Upstream>, Life) {
        let options = &self.options;
        let asks = known.as_ref().map_or(Asks::default(), |known| known.asks);
        let means = Means {
            http: options.http.clone(),
            credentials: credentials(&config, options),
            guard: options.guard.clone(),
            max_message_size: options.max_message_size,
            shutdown_grace: options.shutdown_grace,
            tracker: options.tracker.clone(),
            life: TaskTracker::new(),
            signals: Arc::new(Signals::known(asks)),
            reporter: Reporter {
                server: config.name.clone(),
                events: options.events.clone(),
            },
            clients: Clients::Many,
        };
        let life = means.life.clone();
        let own = (means.clone(), options.stop.child_token());
        let upstream = Upstream::new(config, settings, known, own);
        let supervisor = Supervisor::new(upstream.clone(), means, options);
        let run = supervisor.run(awaited);
        (upstream, Box::pin(life.track_future(run)))
    }

    /// The server with this name.
    pub fn get(&self, name: &ServerName) -> Option<Arc<Upstream>> {
        self.upstreams.load().get(name).cloned()
    }

    /// All servers, in the order of the configuration.
    pub fn all(&self) -> Arc<Upstreams> {
        self.upstreams.load_full()
    }
}

/// What a server is known to offer now.
pub(super) fn known_of(upstream: &Upstream) -> Option<Known> {
    let status = upstream.status();
    Some(Known {
        inventory: status.inventory?.as_ref().clone(),
        features: status.features.as_ref().clone(),
        asks: upstream.signals.asks(),
    })
}

/// What shows a server who we are, if its configuration leaves that to a login.
fn credentials(config: &ServerConfig, options: &PoolOptions) -> Option<Arc<dyn Credentials>> {
    let vault = options.vault.clone()?;
    let http = match &config.transport {
        TransportConfig::Child(_) => return None,
        TransportConfig::Http(http)
        | TransportConfig::Sse(http)
        | TransportConfig::WebSocket(http) => http,
    };
    let ledger = Ledger::new(vault, config.name.as_str(), &http.url);
    let site = Site::new(http, ledger)?;
    let access = Access::new(config.name.as_str(), site, options.tracker.clone());
    Some(Arc::new(access))
}
