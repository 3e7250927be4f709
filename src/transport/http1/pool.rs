//! The connections to one server.

use std::collections::VecDeque;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, StatusCode, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use parking_lot::Mutex;
use tokio::time::timeout;
use tower_service::Service;

use super::super::TransportError;
use super::super::http_client::{CONNECT, IDLE, IDLE_CONNECTIONS, KEEP_ALIVE, innermost};
use super::wire::Wire;
use super::{PlainBody, PlainRequest};

/// What hyper says of the same.
const HUNG_UP: &str = "connection closed before message completed";

/// What a server answered.
pub(crate) struct PlainAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Arc<HeaderMap>,
    pub(crate) body: PlainBody,
}

/// The connections to one server that nobody uses at the moment, and the way to further ones.
pub(crate) struct Pool {
    /// Scheme, host and port.
    pub(crate) origin: Arc<str>,
    server: Uri,
    connector: HttpConnector,
    /// The one that was used last is at the back.
    idle: Mutex<VecDeque<Idle>>,
}

struct Idle {
    wire: Box<Wire>,
    since: Instant,
}

/// How an exchange ended that has no answer.
enum Failure {
    /// Nothing of the request has left.
    Unsent(TransportError),
    /// It may have reached the server.
    Broken(TransportError),
}

impl Pool {
    pub(crate) fn new(origin: Arc<str>, server: Uri) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_keepalive(Some(KEEP_ALIVE));
        connector.set_connect_timeout(Some(CONNECT));
        Self {
            origin,
            server,
            connector,
            idle: Mutex::default(),
        }
    }

    /// Sends a request, and waits for the head of its answer. Dropping the future closes the connection.
    pub(crate) async fn send(
        self: &Arc<Self>,
        request: &PlainRequest<'_>,
    ) -> Result<PlainAnswer, TransportError> {
        while let Some(wire) = self.idle() {
            match self.exchange(wire, request).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Broken(error)) => return Err(error),
                // The server had closed it meanwhile.
                Err(Failure::Unsent(_)) => {}
            }
        }
        let wire = Box::pin(self.connect()).await?;
        let answer = self.exchange(wire, request).await;
        answer.map_err(|(Failure::Unsent(error) | Failure::Broken(error))| error)
    }

    async fn exchange(
        self: &Arc<Self>,
        mut wire: Box<Wire>,
        request: &PlainRequest<'_>,
    ) -> Result<PlainAnswer, Failure> {
        wire.ask(request);
        let mut head = loop {
            match wire.fill().await {
                Ok(0) => return Err(self.no_answer(&mut wire, None)),
                Ok(_) => {}
                Err(error) => return Err(self.no_answer(&mut wire, Some(error))),
            }
            match wire.head() {
                Ok(Some(head)) => break head,
                Ok(None) => {}
                Err(detail) => return Err(Failure::Broken(self.broken(detail))),
            }
        };
        let body = PlainBody::new(&mut head, wire, self);
        Ok(PlainAnswer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }

    fn no_answer(&self, wire: &mut Wire, error: Option<io::Error>) -> Failure {
        let unsent = wire.never_began();
        let error = match wire.why().or(error) {
            Some(error) => self.broken(&error),
            None => self.broken(HUNG_UP),
        };
        if unsent {
            Failure::Unsent(error)
        } else {
            Failure::Broken(error)
        }
    }

    /// The connection that was used last, of those that the server has kept.
    fn idle(&self) -> Option<Box<Wire>> {
        loop {
            let mut idle = self.idle.lock().pop_back()?;
            if idle.wire.is_alive() {
                return Some(idle.wire);
            }
        }
    }

    /// Keeps a connection whose exchange is over, and which the server keeps too, if it can carry another one.
    pub(super) fn take_back(&self, mut wire: Box<Wire>) {
        if !wire.is_clean() {
            return;
        }
        wire.rest();
        let since = Instant::now();
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_CONNECTIONS {
            idle.push_back(Idle { wire, since });
        }
    }

    /// Closes what nobody has used for long, or the server has closed.
    pub(crate) fn sweep(&self) {
        self.sweep_older(IDLE);
    }

    pub(super) fn sweep_older(&self, age: Duration) {
        let mut idle = self.idle.lock();
        idle.retain_mut(|idle| idle.since.elapsed() < age && idle.wire.is_alive());
    }

    /// Whether the server has closed an idle connection.
    #[cfg(test)]
    pub(super) fn is_stale(&self) -> bool {
        self.idle
            .lock()
            .iter_mut()
            .any(|idle| !idle.wire.is_alive())
    }

    async fn connect(&self) -> Result<Box<Wire>, TransportError> {
        let origin = || self.origin.as_ref().to_owned();
        let late = || TransportError::Timeout {
            origin: origin(),
            after: CONNECT,
        };
        let connected = timeout(CONNECT, self.connector.clone().call(self.server.clone()));
        match connected.await {
            Err(_) => Err(late()),
            Ok(Ok(io)) => Ok(Box::new(Wire::new(io.into_inner()))),
            Ok(Err(error)) => {
                let cause = innermost(&error);
                if is_late(cause) {
                    return Err(late());
                }
                Err(TransportError::Connect {
                    origin: origin(),
                    detail: cause.to_string(),
                })
            }
        }
    }

    /// An exchange that broke off.
    pub(super) fn broken(&self, detail: &(impl ToString + ?Sized)) -> TransportError {
        TransportError::Http {
            origin: self.origin.as_ref().to_owned(),
            detail: detail.to_string(),
        }
    }
}

fn is_late(cause: &(dyn Error + 'static)) -> bool {
    let io = cause.downcast_ref::<io::Error>();
    io.is_some_and(|io| io.kind() == io::ErrorKind::TimedOut)
}
