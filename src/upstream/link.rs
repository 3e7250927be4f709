//! The open way to a server: a connection, and the process behind it if there is one.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::config::{ServerConfig, TransportConfig};
use crate::transport::{ChildProcess, Endpoint, Guard, HttpClient, spawn};

use super::UpstreamError;
use super::asked::Clients;
use super::connection::{Carrier, Connection, Surroundings};
use super::http::HttpCarrier;
use super::signals::{Reporter, Signals};

/// What a process has said before it ended is still read for so long.
const LAST_OUTPUT: Duration = Duration::from_millis(200);
/// What was sent to a process last may take so long to be written before its input is closed.
const LAST_INPUT: Duration = Duration::from_millis(50);
/// How long it may take to learn how a process ended.
const OBITUARY: Duration = Duration::from_secs(1);

/// What it takes to open a link.
#[derive(Clone)]
pub(super) struct Means {
    pub(super) http: HttpClient,
    pub(super) guard: Guard,
    pub(super) max_message_size: usize,
    pub(super) shutdown_grace: Duration,
    pub(super) tracker: TaskTracker,
    pub(super) signals: Arc<Signals>,
    pub(super) reporter: Reporter,
    /// How many clients the link is for.
    pub(super) clients: Clients,
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
    /// Starts the process or prepares the HTTP endpoint. Nothing has been said yet.
    pub(super) fn open(config: &ServerConfig, means: &Means) -> Result<Self, UpstreamError> {
        let around = Surroundings {
            signals: means.signals.clone(),
            reporter: means.reporter.clone(),
            tracker: means.tracker.clone(),
            clients: means.clients.clone(),
        };
        let unavailable =
            |error: crate::transport::TransportError| UpstreamError::unavailable(error.to_string());
        let (connection, ended) = match &config.transport {
            TransportConfig::Child(child) => {
                let child = spawn(child, means.max_message_size, &means.guard, &means.tracker)
                    .map_err(unavailable)?;
                let mut stderr = child.stderr;
                let server = config.name.clone();
                means.tracker.spawn(async move {
                    while let Some(line) = stderr.next().await {
                        info!(upstream = %server, "{line}");
                    }
                });
                let pipe = child.duplex;
                let connection = Connection::over_pipe(pipe.incoming, pipe.outgoing, around);
                let (tell, ended) = watch::channel(None);
                let tended = tend(
                    child.process,
                    connection.clone(),
                    tell,
                    means.shutdown_grace,
                );
                means.tracker.spawn(tended);
                (connection, Some(ended))
            }
            TransportConfig::Http(http) => {
                let endpoint = Endpoint::new(&means.http, http, means.max_message_size)
                    .map_err(unavailable)?;
                let carrier = Carrier::Http(Box::new(HttpCarrier::new(endpoint)));
                (Connection::new(carrier, around), None)
            }
            TransportConfig::Sse(_) | TransportConfig::WebSocket(_) => {
                let why = "this transport is not supported yet";
                return Err(UpstreamError::unavailable(why));
            }
        };
        Ok(Self {
            connection,
            ended,
            tracker: means.tracker.clone(),
            grace: means.shutdown_grace,
        })
    }

    /// Whether there is a process behind the link.
    pub(super) fn is_process(&self) -> bool {
        self.ended.is_some()
    }

    /// Adds to the error how the process ended, which says more than a closed pipe.
    pub(super) async fn last_words(mut self, error: UpstreamError) -> UpstreamError {
        let lost = matches!(
            error,
            UpstreamError::Lost | UpstreamError::Unavailable { .. }
        );
        let Some(ended) = self.ended.as_mut().filter(|_| lost) else {
            return error;
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
