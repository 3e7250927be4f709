//! One request in flight. Dropping it cancels it.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::protocol::{
    CallEvent, InputAnswer, InputKind, InputRequest, Outcome, RpcError, code, elicitation_cancelled,
};
use crate::transport::TransportError;
use crate::wire::{Json, Request, RequestId, Splice};

use super::UpstreamError;
use super::connection::{CancelStyle, Connection};
use super::mailbox::Inbox;
use super::pending::{Delivery, Found, UpstreamId};

/// Questions that a server asks at once come so close to each other, and all of them within so long.
const NEXT_QUESTION: Duration = Duration::from_millis(10);
const ALL_QUESTIONS: Duration = Duration::from_millis(50);
/// How long the end of an answer is waited for, so that its connection can be used again.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// What happens next in an exchange.
#[derive(Debug)]
pub enum Step {
    /// Progress or a log message.
    Event(CallEvent),
    /// The server waits for answers; see [`super::Errand::answer`].
    Asks(Vec<InputRequest>),
    /// The server does not want the answer with this key any more.
    Withdrawn(String),
    /// The subscription was acknowledged, with this filter.
    Acknowledged(Option<Json>),
    /// The end.
    Done(Outcome),
}

/// One request in flight on a connection.
pub(super) struct Exchange {
    id: UpstreamId,
    deliveries: Inbox,
    connection: Arc<Connection>,
    cancel: CancelStyle,
    /// What sends the request and reads all that answers it, where that is not the connection's task: whoever
    /// waits for the next step drives it. Dropping it closes the stream.
    post: Option<BoxFuture<'static, ()>>,
    /// The same on a task of its own.
    aside: Option<AbortHandle>,
    /// The client's own progress token, put into each report.
    progress_token: Option<Json>,
    asked: Asked,
    /// Questions that are about to be put to the client, and until when further ones are waited for.
    gathered: Vec<InputRequest>,
    until: Option<Instant>,
    /// Taken from the queue while looking for further questions.
    ahead: Option<Delivery>,
    /// The capability for lack of which a question was refused.
    lacking: Option<Json>,
}

/// The questions of one exchange.
#[derive(Default)]
struct Asked {
    /// Those that wait for an answer.
    open: Vec<Question>,
    /// How many there have been.
    count: u64,
}

struct Question {
    key: String,
    id: RequestId,
    kind: Option<InputKind>,
}

impl Asked {
    fn add(&mut self, request: Request) -> InputRequest {
        self.count += 1;
        let key = format!("q{}", self.count);
        self.open.push(Question {
            key: key.clone(),
            id: request.id,
            kind: InputKind::of_method(&request.method),
        });
        InputRequest {
            key,
            method: request.method.to_string(),
            params: request.params,
        }
    }

    fn take(&mut self, is_it: impl Fn(&Question) -> bool) -> Option<Question> {
        let at = self.open.iter().position(is_it)?;
        Some(self.open.remove(at))
    }
}

impl Exchange {
    pub(super) fn new(
        id: UpstreamId,
        deliveries: Inbox,
        connection: Arc<Connection>,
        cancel: CancelStyle,
    ) -> Self {
        Self {
            id,
            deliveries,
            connection,
            cancel,
            post: None,
            aside: None,
            progress_token: None,
            asked: Asked::default(),
            gathered: Vec::new(),
            until: None,
            ahead: None,
            lacking: None,
        }
    }

    pub(super) fn driving(&mut self, post: BoxFuture<'static, ()>) {
        self.post = Some(post);
    }

    /// From now on, what the server says is heard whether or not anybody waits for the next step.
    pub(super) fn heard_always(&mut self) {
        if let Some(post) = self.post.take() {
            self.aside = Some(self.connection.tracker.spawn(post).abort_handle());
        }
    }

    /// The connection that it is on.
    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// From now on, progress is reported with this token, or not at all.
    pub(super) fn report_with(&mut self, progress_token: Option<Json>) {
        self.progress_token = progress_token;
    }

    /// The request could not be handed to the link: there is nothing to cancel.
    pub(super) fn unsent(mut self, error: TransportError) -> UpstreamError {
        self.cancel = CancelStyle::Silent;
        match error {
            TransportError::Closed => UpstreamError::unavailable("the connection was lost"),
            other => UpstreamError::Transport(other),
        }
    }

    /// What reaches the exchange next. Cancel safe.
    async fn next(&mut self) -> Option<Delivery> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        if let Some(post) = &mut self.post {
            if let Some(next) = self.deliveries.take() {
                return Poll::Ready(Some(next));
            }
            if post.as_mut().poll(cx).is_ready() {
                self.post = None;
            }
        }
        self.deliveries.poll_recv(cx)
    }

    /// Waits for the next step. Cancel safe.
    pub(super) async fn step(&mut self) -> Result<Step, UpstreamError> {
        loop {
            if !self.gathered.is_empty() {
                return Ok(Step::Asks(Box::pin(self.gather()).await));
            }
            let delivery = match self.ahead.take() {
                Some(delivery) => Some(delivery),
                None => self.next().await,
            };
            match delivery {
                Some(Delivery::Progress(params)) => {
                    if let Some(params) = self.with_token(&params) {
                        return Ok(Step::Event(CallEvent::Progress(params)));
                    }
                }
                Some(Delivery::Event(event)) => return Ok(Step::Event(event)),
                Some(Delivery::Ask(request)) => self.ask(request),
                Some(Delivery::Lacking(capability)) => self.lacks(&capability),
                Some(Delivery::Withdrawn(id)) => {
                    if let Some(question) = self.asked.take(|question| question.id == id) {
                        return Ok(Step::Withdrawn(question.key));
                    }
                }
                Some(Delivery::Acknowledged(filter)) => return Ok(Step::Acknowledged(filter)),
                Some(Delivery::Done(body)) => return self.done(body),
                Some(Delivery::Failed(error)) => return Err(error),
                None => return Err(UpstreamError::Lost),
            }
        }
    }

    fn done(&mut self, body: Result<Json, Json>) -> Result<Step, UpstreamError> {
        self.asked.open.clear();
        match body {
            Ok(result) => Ok(Step::Done(self.connection.outcome(result)?)),
            Err(error) => match (self.connection.answered(error), self.lacking.take()) {
                (UpstreamError::Answered(said), Some(lacking)) => {
                    Err(UpstreamError::Unasked { lacking, said })
                }
                (error, _) => Err(error),
            },
        }
    }

    fn with_token(&self, params: &Json) -> Option<Json> {
        let mut splice = Splice::new(params)?;
        splice.set("progressToken", self.progress_token.clone()?);
        Some(splice.finish())
    }

    /// Waits for the result of a request of the mux itself, as it was sent.
    pub(super) async fn result(&mut self) -> Result<Json, UpstreamError> {
        loop {
            match self.next().await {
                Some(Delivery::Done(Ok(result))) => return Ok(result),
                Some(Delivery::Done(Err(error))) => return Err(self.connection.answered(error)),
                Some(Delivery::Failed(error)) => return Err(error),
                Some(_) => {}
                None => return Err(UpstreamError::Lost),
            }
        }
    }

    /// A question for the client.
    fn ask(&mut self, request: Request) {
        if self.gathered.is_empty() {
            self.until = Some(Instant::now() + ALL_QUESTIONS);
        }
        // The client may take its time.
        self.heard_always();
        self.gathered.push(self.asked.add(request));
    }

    /// All questions that the server asks at once, so that the client can be asked them at once. Cancel safe.
    async fn gather(&mut self) -> Vec<InputRequest> {
        while self.ahead.is_none() {
            let next = Instant::now() + NEXT_QUESTION;
            let end = self.until.map_or(next, |until| next.min(until));
            match timeout_at(end, self.deliveries.recv()).await {
                Ok(Some(Delivery::Ask(request))) => self.ask(request),
                Ok(Some(Delivery::Lacking(capability))) => self.lacks(&capability),
                Ok(Some(other)) => self.ahead = Some(other),
                Ok(None) | Err(_) => break,
            }
        }
        std::mem::take(&mut self.gathered)
    }

    fn lacks(&mut self, capability: &Json) {
        let known = self.lacking.take();
        let mut all = known.as_ref().and_then(Json::members).unwrap_or_default();
        all.extend(capability.members().unwrap_or_default());
        let all: Vec<(&str, &Json)> = all.iter().map(|(key, part)| (key.as_ref(), part)).collect();
        self.lacking = Some(Json::object(all));
    }

    /// Answers those of the open questions whose keys these are.
    pub(super) async fn answer(&mut self, answers: &[InputAnswer]) {
        for answer in answers {
            let Some(question) = self.asked.take(|question| question.key == answer.key) else {
                continue;
            };
            self.connection.pending.owners.settle(&question.id);
            self.connection
                .respond(question.id, answer.body.clone())
                .await;
        }
    }

    /// The answer has come. What follows it on its stream is its end, most likely at once; without that, the connection
    /// could not be used again.
    fn read_on(&self, post: Option<BoxFuture<'static, ()>>) {
        let Some(post) = post else {
            return;
        };
        if let Ok(place) = self.connection.endings.clone().try_acquire_owned() {
            self.connection.tracker.spawn(async move {
                drop(timeout(LAST_WORDS, post).await);
                drop(place);
            });
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
        if let Some(aside) = self.aside.take() {
            aside.abort();
        }
        let post = self.post.take();
        if !in_flight {
            self.read_on(post);
            return;
        }
        for question in std::mem::take(&mut self.asked.open) {
            self.connection
                .respond_later(question.id, unanswered(question.kind));
        }
        if self.cancel == CancelStyle::Notify {
            self.connection.cancel(self.id);
        }
    }
}

/// What a server gets whose call is given up while it waits for an answer.
fn unanswered(kind: Option<InputKind>) -> Result<Json, RpcError> {
    match kind {
        Some(InputKind::Elicitation) => Ok(elicitation_cancelled()),
        _ => Err(RpcError::new(
            code::INVALID_REQUEST,
            "the call was given up before the client answered",
        )),
    }
}
