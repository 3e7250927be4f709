//! One live link to a server, with the table of what is in flight on it.

use std::sync::{Arc, OnceLock};

use http::HeaderValue;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use crate::protocol::{Outcome, RpcError, Said, ServerName, notification};
use crate::transport::{Extra, Incoming, Outgoing as Pipe, TransportError};
use crate::wire::{Json, Notification, Pieces, RequestId, Response};

use super::UpstreamError;
use super::asked::Clients;
use super::dialect::Dialect;
use super::exchange::Exchange;
use super::http::HttpCarrier;
use super::pending::{Delivery, Interest, Pending, UpstreamId};
use super::roots::MAX_INQUIRIES;
use super::signals::{Reporter, Signals};
use super::sse::SseCarrier;

/// How many answers may be waited for to end, beside the calls in flight.
const MAX_ENDINGS: usize = 64;

/// How messages get to the server.
pub(super) enum Carrier {
    /// One two-way pipe for everything.
    Duplex(Pipe),
    /// A POST for each message, and an answer to each.
    Http(Box<HttpCarrier>),
    /// A POST for each message, and one stream for all answers.
    Sse(Box<SseCarrier>),
}

/// How a server is told that nobody waits for an answer any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CancelStyle {
    /// By `notifications/cancelled`.
    Notify,
    /// By the end of the stream on which the answer would come.
    CloseStream,
    /// Not at all: the request must not be cancelled, or it does not matter.
    Silent,
}

/// A request, ready to be sent.
pub(super) struct Draft {
    /// The request in the server's own words.
    pub(super) frame: Pieces,
    /// What HTTP says besides.
    pub(super) headers: Extra,
    /// How it is cancelled.
    pub(super) cancel: CancelStyle,
}

/// One live link.
pub(super) struct Connection {
    pub(super) server: ServerName,
    pub(super) carrier: Carrier,
    pub(super) pending: Pending,
    pub(super) signals: Arc<Signals>,
    pub(super) reporter: Reporter,
    pub(super) tracker: TaskTracker,
    /// How many clients it serves.
    pub(super) clients: Clients,
    /// One place for each question about roots that is open outside calls.
    pub(super) inquiries: Arc<Semaphore>,
    /// One place for each answer whose end is waited for.
    pub(super) endings: Arc<Semaphore>,
    closed: CancellationToken,
    /// What ended the link, where more is known than that it is gone.
    broken: OnceLock<TransportError>,
    cancels: Cancels,
    dialect: OnceLock<Dialect>,
}

/// Requests whose cancellation is still to be sent. At most as many as there were in flight.
#[derive(Default)]
struct Cancels {
    ids: Mutex<Vec<UpstreamId>>,
    wake: Notify,
}

/// What a connection shares with the rest of its server.
pub(super) struct Surroundings {
    pub(super) signals: Arc<Signals>,
    pub(super) reporter: Reporter,
    pub(super) tracker: TaskTracker,
    pub(super) clients: Clients,
}

impl Connection {
    /// A connection over this carrier; its housekeeping runs until it is closed.
    pub(super) fn new(carrier: Carrier, around: Surroundings) -> Arc<Self> {
        let connection = Arc::new(Self {
            server: around.reporter.server.clone(),
            carrier,
            pending: Pending::default(),
            signals: around.signals,
            reporter: around.reporter,
            tracker: around.tracker,
            clients: around.clients,
            inquiries: Arc::new(Semaphore::new(MAX_INQUIRIES)),
            endings: Arc::new(Semaphore::new(MAX_ENDINGS)),
            closed: CancellationToken::new(),
            broken: OnceLock::new(),
            cancels: Cancels::default(),
            dialect: OnceLock::new(),
        });
        connection.tracker.spawn(connection.clone().send_cancels());
        connection
    }

    /// A connection over this carrier, with a task that reads what all its requests share.
    pub(super) fn reading(incoming: Incoming, carrier: Carrier, around: Surroundings) -> Arc<Self> {
        let connection = Self::new(carrier, around);
        connection.tracker.spawn(connection.clone().read(incoming));
        connection
    }

    /// The era is known from now on.
    pub(super) fn speak(&self, dialect: Dialect) {
        drop(self.dialect.set(dialect));
    }

    /// The dialect, once the era is known.
    pub(super) fn dialect(&self) -> Option<&Dialect> {
        self.dialect.get()
    }

    /// What a result of the server means.
    pub(super) fn outcome(&self, result: Json) -> Result<Outcome, UpstreamError> {
        match self.dialect() {
            Some(dialect) => dialect.outcome(result),
            None => Ok(Outcome::Complete(Said::by_mux(result))),
        }
    }

    /// An error object of the server.
    pub(super) fn answered(&self, error: Json) -> UpstreamError {
        UpstreamError::Answered(Said {
            era: self.dialect().map(Dialect::era),
            ..Said::by_mux(error)
        })
    }

    /// Resolves when the connection is of no use any more.
    pub(super) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Whether the connection is of no use any more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Lets no further request in and ends those that depend on the link.
    pub(super) fn close(&self) {
        self.closed.cancel();
        if !matches!(self.carrier, Carrier::Http(_)) {
            self.pending.close(|| UpstreamError::Lost);
        }
    }

    /// Why the link is gone.
    pub(super) fn loss(&self) -> UpstreamError {
        match (self.broken.get(), &self.carrier) {
            (Some(error), _) => UpstreamError::Transport(error.clone()),
            (None, Carrier::Http(_)) => UpstreamError::SessionLost,
            (None, _) => UpstreamError::Lost,
        }
    }

    /// The connection is of no use for new requests, but those in flight may still be answered.
    pub(super) fn retire(&self) {
        self.closed.cancel();
    }

    /// Sends a request. Waits while the link takes nothing more; dropping the future unsends it.
    pub(super) async fn start(
        self: &Arc<Self>,
        interest: Interest,
        draft: impl FnOnce(UpstreamId) -> Draft,
    ) -> Result<Box<Exchange>, UpstreamError> {
        if self.is_closed() {
            return Err(UpstreamError::unavailable("the connection was lost"));
        }
        let Some((id, deliveries)) = self.pending.open(interest) else {
            return Err(UpstreamError::unavailable("the connection was lost"));
        };
        let draft = draft(id);
        let exchange = Exchange::new(id, deliveries, self.clone(), draft.cancel);
        let mut exchange = Box::new(exchange);
        match &self.carrier {
            Carrier::Duplex(pipe) => {
                if let Err(error) = pipe.send(draft.frame.joined()).await {
                    return Err(exchange.unsent(error));
                }
            }
            Carrier::Http(_) => {
                let post = self.clone().post_request(id, draft.headers, draft.frame);
                exchange.driving(Box::pin(post));
            }
            Carrier::Sse(_) => {
                let post = self.clone().post_aside(id, draft.frame.joined());
                self.tracker.spawn(post);
            }
        }
        Ok(exchange)
    }

    /// Sends a notification.
    pub(super) async fn notify(
        &self,
        method: &str,
        params: Option<Json>,
    ) -> Result<(), UpstreamError> {
        let frame = Notification {
            method: method.into(),
            params,
        }
        .encode();
        match &self.carrier {
            Carrier::Duplex(pipe) => Ok(pipe.send(frame).await?),
            Carrier::Http(http) => http.post_and_forget(frame).await,
            Carrier::Sse(sse) => sse.post(frame).await,
        }
    }

    /// Answers a request of the server.
    pub(super) async fn respond(&self, id: RequestId, body: Result<Json, Json>) {
        let frame = Response { id: Some(id), body }.encode();
        let sent = match &self.carrier {
            Carrier::Duplex(pipe) => pipe.send(frame).await.map_err(UpstreamError::from),
            Carrier::Http(http) => http.post_and_forget(frame).await,
            Carrier::Sse(sse) => sse.post(frame).await,
        };
        if let Err(error) = sent {
            debug!(upstream = %self.server, %error, "an answer did not reach the server");
        }
    }

    /// Answers a request of the server from a place that cannot wait.
    pub(super) fn respond_later(self: &Arc<Self>, id: RequestId, body: Result<Json, RpcError>) {
        let connection = self.clone();
        let body = body.map_err(|error| error.to_json());
        self.tracker.spawn(async move {
            tokio::select! {
                () = connection.respond(id, body) => {}
                () = connection.closed() => {}
            }
        });
    }

    /// Remembers to tell the server that nobody waits for this answer. Never blocks.
    pub(super) fn cancel(&self, id: UpstreamId) {
        self.cancels.ids.lock().push(id);
        self.cancels.wake.notify_one();
    }

    async fn send_cancels(self: Arc<Self>) {
        let mut last = false;
        while !last {
            tokio::select! {
                () = self.cancels.wake.notified() => {}
                // What was given up just before is still told: a server may wait for it before it ends.
                () = self.closed() => last = true,
            }
            let ids = std::mem::take(&mut *self.cancels.ids.lock());
            for id in ids {
                let params = Json::object([
                    ("requestId", &id.to_json()),
                    (
                        "reason",
                        &Json::from_static("\"nobody waits for the answer any more\""),
                    ),
                ]);
                let sent = self.notify(notification::CANCELLED, Some(params)).await;
                if let Err(error) = sent {
                    debug!(upstream = %self.server, %error, "a cancellation was not sent");
                }
            }
        }
    }

    async fn read(self: Arc<Self>, mut incoming: Incoming) {
        loop {
            let mut next = incoming.ready();
            if next.is_none() {
                next = tokio::select! {
                    next = incoming.next() => next,
                    () = self.closed() => break,
                };
            }
            match next {
                Some(Ok(frame)) => self.dispatch_shared(frame),
                Some(Err(error @ TransportError::TooLarge { .. })) => self.too_large(&error),
                Some(Err(error)) => {
                    debug!(upstream = %self.server, %error, "reading failed");
                    drop(self.broken.set(error));
                    break;
                }
                None => break,
            }
        }
        self.close();
    }

    /// A message was skipped for its size. If only one call is in flight, it was its answer.
    fn too_large(&self, error: &TransportError) {
        tracing::warn!(upstream = %self.server, %error, "a message of the server was skipped");
        if let Some(id) = self.pending.sole() {
            let why = UpstreamError::Broken(error.to_string());
            self.pending.finish(id, Delivery::Failed(why));
        }
    }
}

/// A header whose value is ours and known to be legal.
pub(super) fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
