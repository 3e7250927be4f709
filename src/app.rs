//! How the rooms are put together: configuration → servers → hub → listeners, and the reverse at the end.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, Listen, Settings, Sources};
use crate::control::{Control, Front};
use crate::downstream::{Endpoint, EndpointOptions, PATH, serve_stdio};
use crate::mux::{Change, Hub, Mux};
use crate::reload::{Reloader, Shutdown};
use crate::transport::{
    Allowed, Guard, HttpClient, Inherited, Listener, ServeOptions, TransportError, serve, stdio,
};
use crate::upstream::{Manifest, Pool, PoolOptions};
use crate::vault::Vault;

/// How much news of servers waits for the keeper.
const NEWS_QUEUE: usize = 1_024;

/// Why the mux cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Everybody on the network could use the servers.
    #[error("refusing to listen on `{0}`, which others can reach, without authentication")]
    Exposed(SocketAddr),
    /// The address is taken, or not ours.
    #[error("cannot listen on `{place}`: {source}")]
    Bind {
        /// Where.
        place: Listen,
        /// What the system says.
        source: io::Error,
    },
    /// A socket that the service manager opened cannot be used.
    #[error("a socket of the service manager cannot be used: {0}")]
    Inherited(io::Error),
    /// Our own stdin or stdout cannot be used.
    #[error(transparent)]
    Stdio(#[from] TransportError),
}

/// What is kept from run to run.
pub struct Keeping {
    /// Logins. Without it, no server is logged in at.
    pub vault: Option<Arc<Vault>>,
    /// What servers offer, so that lists are complete before the servers are up. Without it, only servers that answer
    /// are listed.
    pub manifest: Option<Manifest>,
}

/// A running mux.
pub struct App {
    hub: Hub,
    changes: mpsc::Sender<Change>,
    reloader: OnceLock<Arc<Reloader>>,
    settings: Arc<Settings>,
    clients: Side,
    servers: Side,
}

/// The tasks of one side, and how to end them.
#[derive(Default)]
struct Side {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl App {
    /// Starts all servers of a configuration. Returns at once; needs a tokio runtime.
    ///
    pub fn start(config: &Config, guard: Guard, keeping: Keeping) -> Self {
        let settings = Arc::new(config.settings.clone());
        let (clients, servers) = (Side::default(), Side::default());
        let (events, news) = mpsc::channel(NEWS_QUEUE);
        let (changes, made) = mpsc::channel(1);
        let options = PoolOptions {
            http: HttpClient::new(),
            guard,
            max_message_size: settings.max_message_size,
            shutdown_grace: settings.shutdown_grace,
            vault: keeping.vault,
            manifest: keeping.manifest,
            tracker: servers.tracker.clone(),
            stop: servers.stop.clone(),
            events,
        };
        let entries = config.servers.values().cloned().map(Arc::new);
        let pool = Pool::start(entries, &settings, options);
        let hub = Mux::new(
            pool,
            settings.clone(),
            servers.tracker.clone(),
            clients.stop.clone(),
        );
        servers
            .tracker
            .spawn(hub.clone().keep(news, made, servers.stop.clone()));
        Self {
            hub,
            changes,
            reloader: OnceLock::new(),
            settings,
            clients,
            servers,
        }
    }

    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// What makes the mux follow the files that its configuration came from. Who listens from now on takes requests to
    /// do so, from this machine alone.
    pub fn reloader(&self, sources: Sources, config: Config) -> Arc<Reloader> {
        let shutdown = Shutdown {
            tracker: self.servers.tracker.clone(),
            stop: self.clients.stop.clone(),
        };
        let (hub, changes) = (self.hub.clone(), self.changes.clone());
        let reloader = Reloader::new((sources, config), hub, changes, shutdown);
        self.reloader.get_or_init(|| reloader).clone()
    }

    /// Serves streamable HTTP at this place until [`App::stop`]. Returns the place, whose port the system may have chosen.
    pub async fn listen(&self, place: &Listen) -> Result<Listen, AppError> {
        if let Some(address) = place.open_address() {
            return Err(AppError::Exposed(address));
        }
        let bind_error = |source| AppError::Bind {
            place: place.clone(),
            source,
        };
        let listener = Listener::bind(place, self.settings.socket_mode).await;
        let listener = listener.map_err(bind_error)?;
        let bound = listener.place().map_err(bind_error)?;
        self.serve(listener, &bound);
        Ok(bound)
    }

    /// Serves streamable HTTP on a socket that was handed to us. Returns where that listens.
    pub fn adopt(&self, socket: Inherited) -> Result<Listen, AppError> {
        let unusable = AppError::Inherited;
        let place = socket.place().map_err(unusable)?;
        if let Some(address) = place.open_address() {
            return Err(AppError::Exposed(address));
        }
        self.serve(socket.listen().map_err(unusable)?, &place);
        Ok(place)
    }

    fn serve(&self, listener: Listener, bound: &Listen) {
        let settings = &self.settings;
        let endpoint = Endpoint::new(
            &self.hub,
            &EndpointOptions {
                max_sessions: settings.max_sessions,
                session_idle_timeout: settings.session_idle_timeout,
                max_message_size: settings.max_message_size,
                websocket: settings.websocket,
                legacy_sse: settings.legacy_sse,
                tracker: self.clients.tracker.clone(),
                stop: self.clients.stop.clone(),
            },
        );
        let control = self.reloader.get().cloned().map(Control::new);
        let front = Front::new(control, endpoint);
        let allowed = Allowed::new(bound, &settings.allowed_hosts, &settings.allowed_origins);
        let mut options = ServeOptions::new(settings.max_message_size, allowed);
        options.drain = settings.shutdown_grace;
        let (tracker, stop) = (self.clients.tracker.clone(), self.clients.stop.clone());
        self.clients.tracker.spawn(async move {
            serve(listener, Arc::new(front), options, stop, &tracker).await;
        });
    }

    /// Where clients find the endpoint: a URL, or a socket and a path.
    pub fn url(place: &Listen) -> String {
        match place {
            Listen::Tcp(address) => format!("http://{address}{PATH}"),
            Listen::Unix(_) => format!("{place}, path {PATH}"),
        }
    }

    /// Serves the client on our own stdin and stdout until it closes its side.
    pub async fn serve_stdio(&self) -> Result<(), AppError> {
        let (tracker, stop) = (self.clients.tracker.clone(), self.clients.stop.clone());
        let duplex = stdio(self.settings.max_message_size, &tracker)?;
        let served = serve_stdio(duplex, self.hub.clone(), tracker.clone(), stop);
        // On a worker of the runtime, where waking its tasks costs no switch of threads.
        drop(tracker.spawn(served).await);
        Ok(())
    }

    /// Shuts down: no new clients, calls under way may finish within the grace, then every server and every
    /// process of it ends.
    pub async fn stop(self) {
        let grace = self.settings.shutdown_grace;
        self.clients.stop.cancel();
        self.clients.tracker.close();
        drop(timeout(grace, self.clients.tracker.wait()).await);
        self.servers.stop.cancel();
        self.servers.tracker.close();
        // The stop ladder of a child takes no longer than the grace; what is left then is killed.
        drop(timeout(grace + Duration::from_secs(5), self.servers.tracker.wait()).await);
    }
}
