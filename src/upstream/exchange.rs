//! One request in flight. Dropping it cancels it.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::protocol::{CallEvent, InputRequest, Outcome, RpcError, code};
use crate::transport::TransportError;
use crate::wire::{Json, Request, RequestId};

use super::UpstreamError;
use super::connection::{CancelStyle, Connection};
use super::pending::{Delivery, Found, UpstreamId};

/// What happens next in an exchange.
#[derive(Debug)]
pub enum Step {
    /// Progress or a log message.
    Event(CallEvent),
    /// The server waits for answers; see [`super::Errand::answer`].
    Asks(Vec<InputRequest>),
    /// The subscription was acknowledged, with this filter.
    Acknowledged(Option<Json>),
    /// The end.
    Done(Outcome),
}

/// One request in flight on a connection.
pub(super) struct Exchange {
    id: UpstreamId,
    deliveries: mpsc::Receiver<Delivery>,
    connection: Arc<Connection>,
    cancel: CancelStyle,
    pump: Option<AbortHandle>,
    /// Questions that wait for an answer, by their keys.
    asked: Vec<(String, RequestId)>,
    /// How many questions there have been.
    questions: u64,
    /// Taken from the queue while looking for further questions.
    ahead: Option<Delivery>,
}

impl Exchange {
    pub(super) fn new(
        id: UpstreamId,
        deliveries: mpsc::Receiver<Delivery>,
        connection: Arc<Connection>,
        cancel: CancelStyle,
    ) -> Self {
        Self {
            id,
            deliveries,
            connection,
            cancel,
            pump: None,
            asked: Vec::new(),
            questions: 0,
            ahead: None,
        }
    }

    /// The connection that it is on.
    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    pub(super) fn pumped_by(&mut self, pump: AbortHandle) {
        self.pump = Some(pump);
    }

    /// The request could not be handed to the link: there is nothing to cancel.
    pub(super) fn unsent(mut self, error: TransportError) -> UpstreamError {
        self.cancel = CancelStyle::Silent;
        match error {
            TransportError::Closed => UpstreamError::unavailable("the connection was lost"),
            other => UpstreamError::Transport(other),
        }
    }

    /// Waits for the next step. Cancel safe.
    pub(super) async fn step(&mut self) -> Result<Step, UpstreamError> {
        let delivery = match self.ahead.take() {
            Some(delivery) => Some(delivery),
            None => self.deliveries.recv().await,
        };
        match delivery {
            Some(Delivery::Event(event)) => Ok(Step::Event(event)),
            Some(Delivery::Ask(request)) => Ok(Step::Asks(self.questions(request))),
            Some(Delivery::Acknowledged(filter)) => Ok(Step::Acknowledged(filter)),
            Some(Delivery::Done(Ok(result))) => Ok(Step::Done(self.connection.outcome(result)?)),
            Some(Delivery::Done(Err(error))) => Err(self.connection.answered(error)),
            Some(Delivery::Failed(error)) => Err(error),
            None => Err(UpstreamError::Lost),
        }
    }

    /// Waits for the result of a request of the mux itself, as it was sent.
    pub(super) async fn result(&mut self) -> Result<Json, UpstreamError> {
        loop {
            match self.deliveries.recv().await {
                Some(Delivery::Done(Ok(result))) => return Ok(result),
                Some(Delivery::Done(Err(error))) => return Err(self.connection.answered(error)),
                Some(Delivery::Failed(error)) => return Err(error),
                Some(_) => {}
                None => return Err(UpstreamError::Lost),
            }
        }
    }

    /// All questions that are there already, so that the client can be asked them at once.
    fn questions(&mut self, first: Request) -> Vec<InputRequest> {
        let mut questions = vec![self.question(first)];
        while let Ok(delivery) = self.deliveries.try_recv() {
            match delivery {
                Delivery::Ask(request) => questions.push(self.question(request)),
                other => {
                    self.ahead = Some(other);
                    break;
                }
            }
        }
        questions
    }

    fn question(&mut self, request: Request) -> InputRequest {
        self.questions += 1;
        let key = format!("q{}", self.questions);
        self.asked.push((key.clone(), request.id));
        InputRequest {
            key,
            method: request.method.to_string(),
            params: request.params,
        }
    }

    /// Answers the questions that wait: `responses` maps keys to results. A question without an answer is
    /// answered with an error.
    pub(super) async fn answer(&mut self, responses: &Json) {
        for (key, id) in std::mem::take(&mut self.asked) {
            let body = responses.get(&key).ok_or_else(|| {
                RpcError::new(code::INVALID_REQUEST, "the client gave no answer").to_json()
            });
            self.connection.respond(id, body).await;
        }
    }

    /// From now on, dropping the exchange tells the server nothing.
    pub(super) fn let_go(&mut self) {
        self.cancel = CancelStyle::Silent;
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let in_flight = self.connection.pending.forget(self.id) == Found::InFlight;
        if let Some(pump) = self.pump.take() {
            pump.abort();
        }
        if in_flight && self.cancel == CancelStyle::Notify {
            self.connection.cancel(self.id);
        }
    }
}
