//! All servers.

use std::sync::Arc;

use indexmap::IndexMap;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{CircuitBreaker, Health, ServerConfig};
use crate::protocol::ServerName;
use crate::transport::{Guard, HttpClient};

use super::Upstream;
use super::asked::Clients;
use super::link::Means;
use super::manifest::Manifest;
use super::signals::{Asks, Event, Reporter, Signals};
use super::supervisor::Supervisor;

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
    pub shutdown_grace: std::time::Duration,
    /// How it is found out that a server does not answer any more.
    pub health: Health,
    /// When a server that fails every call is spared.
    pub circuit_breaker: CircuitBreaker,
    /// What servers offered the last time, if that is kept.
    pub manifest: Option<Manifest>,
    /// Runs the servers' tasks.
    pub tracker: TaskTracker,
    /// Ends them.
    pub stop: CancellationToken,
    /// Where news goes.
    pub events: mpsc::Sender<Event>,
}

/// All servers, in the order of the configuration.
pub struct Pool {
    upstreams: IndexMap<ServerName, Arc<Upstream>>,
}

impl Pool {
    /// Starts a supervisor for each server.
    pub fn start(servers: impl Iterator<Item = Arc<ServerConfig>>, options: &PoolOptions) -> Self {
        let upstreams = servers
            .map(|config| {
                let name = config.name.clone();
                let known = options
                    .manifest
                    .as_ref()
                    .and_then(|manifest| manifest.read(&config));
                let asks = known.as_ref().map_or(Asks::default(), |known| known.asks);
                let means = Means {
                    http: options.http.clone(),
                    guard: options.guard.clone(),
                    max_message_size: options.max_message_size,
                    shutdown_grace: options.shutdown_grace,
                    tracker: options.tracker.clone(),
                    signals: Arc::new(Signals::known(asks)),
                    reporter: Reporter {
                        server: name.clone(),
                        events: options.events.clone(),
                    },
                    clients: Clients::Many,
                };
                let breaker = options.circuit_breaker.clone();
                let upstream = Upstream::new(config, breaker, known, means.clone());
                let supervisor = Supervisor::new(upstream.clone(), means, options);
                options.tracker.spawn(supervisor.run());
                (name, upstream)
            })
            .collect();
        Self { upstreams }
    }

    /// The server with this name.
    pub fn get(&self, name: &ServerName) -> Option<&Arc<Upstream>> {
        self.upstreams.get(name)
    }

    /// All servers, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Upstream>> {
        self.upstreams.values()
    }
}
