//! The open way to a server: a connection, and the process behind it if there is one.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::config::{ChildConfig, HttpConfig, ServerConfig, TransportConfig};
use crate::transport::{
    Answer, ChildProcess, Credentials, Duplex, Endpoint, Guard, HttpClient, SocketTasks,
    TransportError, spawn,
};

use super::UpstreamError;
use super::asked::Clients;
use super::connection::{Carrier, Connection, Surroundings};
use super::http::{HttpCarrier, refusal};
use super::signals::{Reporter, Signals};
use super::sse::SseCarrier;

/// What a process has said before it ended is still read for so long.
const LAST_OUTPUT: Duration = Duration::from_millis(200);
/// What was sent to a process last may take so long to be written before its input is closed.
const LAST_INPUT: Duration = Duration::from_millis(50);
/// How long it may take to learn how a process ended.
const OBITUARY: Duration = Duration::from_secs(1);
/// How long an event stream may take to say where messages go.
const ENDPOINT_TIME: Duration = Duration::from_secs(10);
/// What is spoken over WebSocket.
const SUBPROTOCOL: &str = "mcp";

/// What it takes to open a link.
#[derive(Clone)]
pub(super) struct Means {
    pub(super) http: HttpClient,
    /// What shows the server who we are, if that changes.
    pub(super) credentials: Option<Arc<dyn Credentials>>,
    pub(super) guard: Guard,
    pub(super) max_message_size: usize,
    pub(super) shutdown_grace: Duration,
    pub(super) tracker: TaskTracker,
    /// What has to end before the server is gone: its supervisor, its processes.
    pub(super) life: TaskTracker,
    pub(super) signals: Arc<Signals>,
    pub(super) reporter: Reporter,
    /// How many clients the link is for.
    pub(super) clients: Clients,
}

impl Means {
    fn surroundings(&self) -> Surroundings {
        Surroundings {
            signals: self.signals.clone(),
            reporter: self.reporter.clone(),
            tracker: self.tracker.clone(),
            clients: self.clients.clone(),
        }
    }
}

/// An open link. Dropping it closes the connection, and ends the session or the process with all that it started.
pub(super) struct Link {
    pub(super) connection: Arc<Connection>,
    /// How the process ended, once it has.
    ended: Option<watch::Receiver<Option<ExitStatus>>>,
    tracker: TaskTracker,
    grace: Duration,
}

impl Link {
    /// Starts the process, prepares the HTTP endpoint, or opens the stream. Nothing has been said yet.
    pub(super) async fn open(config: &ServerConfig, means: &Means) -> Result<Self, UpstreamError> {
        match &config.transport {
            TransportConfig::Child(child) => Self::open_child(child, config, means),
            TransportConfig::Http(http) => {
                let carrier = Carrier::Http(Box::new(HttpCarrier::new(endpoint(http, means)?)));
                let connection = Connection::new(carrier, means.surroundings());
                Ok(Self::new(connection, None, means))
            }
            TransportConfig::Sse(http) => Self::open_sse(http, config, means).await,
            TransportConfig::WebSocket(http) => Self::open_websocket(http, means).await,
        }
    }

    fn open_child(
        child: &ChildConfig,
        config: &ServerConfig,
        means: &Means,
    ) -> Result<Self, UpstreamError> {
        let child = spawn(child, means.max_message_size, &means.guard, &means.tracker);
        let child = child.map_err(|error| UpstreamError::unavailable(error.to_string()))?;
        let mut stderr = child.stderr;
        let server = config.name.clone();
        means.tracker.spawn(async move {
            while let Some(line) = stderr.next().await {
                info!(upstream = %server, "{line}");
            }
        });
        let connection = over(child.duplex, means);
        let (tell, ended) = watch::channel(None);
        let tended = tend(
            child.process,
            connection.clone(),
            tell,
            means.shutdown_grace,
        );
        means.tracker.spawn(means.life.track_future(tended));
        Ok(Self::new(connection, Some(ended), means))
    }

    /// Opens the stream of a server of the HTTP+SSE transport (2024-11-05).
    pub(super) async fn open_sse(
        http: &HttpConfig,
        config: &ServerConfig,
        means: &Means,
    ) -> Result<Self, UpstreamError> {
        let patience = ENDPOINT_TIME.min(config.startup_timeout / 2);
        let opened = endpoint(http, means)?.open_events(patience).await;
        let opened = opened.map_err(|error| unopened(&error))?;
        let events = opened.map_err(|answer| unexpected(&answer, "an event stream"))?;
        let carrier = Carrier::Sse(Box::new(SseCarrier::new(events.messages)));
        let connection = Connection::reading(events.incoming, carrier, means.surroundings());
        Ok(Self::new(connection, None, means))
    }

    async fn open_websocket(http: &HttpConfig, means: &Means) -> Result<Self, UpstreamError> {
        let closing = CancellationToken::new();
        let tasks = SocketTasks {
            tracker: &means.tracker,
            closing: closing.clone(),
        };
        let endpoint = endpoint(http, means)?;
        let opened = endpoint.open_websocket(SUBPROTOCOL, tasks).await;
        let opened = opened.map_err(|error| unopened(&error))?;
        let duplex = opened.map_err(|answer| unexpected(&answer, "a WebSocket"))?;
        let connection = over(duplex, means);
        let open = connection.clone();
        means.tracker.spawn(async move {
            open.closed().await;
            sleep(LAST_INPUT).await;
            closing.cancel();
        });
        Ok(Self::new(connection, None, means))
    }

    fn new(
        connection: Arc<Connection>,
        ended: Option<watch::Receiver<Option<ExitStatus>>>,
        means: &Means,
    ) -> Self {
        Self {
            connection,
            ended,
            tracker: means.tracker.clone(),
            grace: means.shutdown_grace,
        }
    }

    /// Whether requests and answers share one pipe, which a server may close at what it does not know.
    pub(super) fn is_pipe(&self) -> bool {
        matches!(self.connection.carrier, Carrier::Duplex(_))
    }

    /// What is known of how the process or the link ended, which says more than a closed pipe.
    pub(super) async fn last_words(mut self, error: UpstreamError) -> UpstreamError {
        let lost = matches!(
            error,
            UpstreamError::Lost | UpstreamError::Unavailable { .. }
        );
        if !lost {
            return error;
        }
        let Some(ended) = self.ended.as_mut() else {
            return self.connection.loss();
        };
        let status = match timeout(OBITUARY, ended.wait_for(Option::is_some)).await {
            Ok(Ok(status)) => *status,
            _ => None,
        };
        UpstreamError::unavailable(match status {
            Some(status) => format!("the process ended before it answered ({status})"),
            None => "the server closed its output before it answered".to_owned(),
        })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.connection.close();
        let (connection, grace) = (self.connection.clone(), self.grace);
        self.tracker.spawn(async move {
            if let Carrier::Http(http) = &connection.carrier {
                drop(timeout(grace, http.end_session()).await);
            }
        });
    }
}

/// A connection over a pipe.
fn over(duplex: Duplex, means: &Means) -> Arc<Connection> {
    let carrier = Carrier::Duplex(duplex.outgoing);
    Connection::reading(duplex.incoming, carrier, means.surroundings())
}

fn endpoint(http: &HttpConfig, means: &Means) -> Result<Endpoint, UpstreamError> {
    let endpoint = Endpoint::new(&means.http, http, means.max_message_size);
    let endpoint = endpoint.map_err(|error| unopened(&error))?;
    Ok(endpoint.showing(means.credentials.clone()))
}

/// Nothing was asked of the server yet.
fn unopened(error: &TransportError) -> UpstreamError {
    UpstreamError::unavailable(error.to_string())
}

/// What it means that a server answers something else than was wanted.
fn unexpected(answer: &Answer, wanted: &str) -> UpstreamError {
    if answer.status.is_success() {
        return UpstreamError::Broken(format!("the server did not answer with {wanted}"));
    }
    refusal(answer)
}

/// Ends with the process or with the connection, whichever ends first, and sees to it that the other ends too. A
/// process may leave others behind that hold its pipes: its end counts, not theirs.
async fn tend(
    mut process: ChildProcess,
    connection: Arc<Connection>,
    tell: watch::Sender<Option<ExitStatus>>,
    grace: Duration,
) {
    tokio::select! {
        status = process.exited() => {
            tell.send_replace(Some(status));
            sleep(LAST_OUTPUT).await;
            connection.close();
        }
        () = connection.closed() => {
            if let Ok(status) = timeout(LAST_INPUT, process.exited()).await {
                tell.send_replace(Some(status));
            }
        }
    }
    process.stop(grace).await;
}
