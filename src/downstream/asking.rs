//! Questions to a legacy client in the middle of its request.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::oneshot;

use crate::protocol::{InputAnswer, InputKind, InputRequest, RpcError, code, notification};
use crate::wire::{Json, Notification, Splice};

use super::session::{Answer, Session};

/// How often one call may ask.
const MAX_ROUNDS: u32 = 32;
/// Pauses before a server is called again that asks for nothing but that.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The open questions of one request.
pub(super) struct Asking {
    session: Arc<Session>,
    open: Vec<Open>,
    /// Made when something is asked for the first time: most calls ask nothing.
    answers: Option<FuturesUnordered<Waiting>>,
    rounds: u32,
}

/// One question on its way to the client and back.
struct Open {
    key: String,
    ask: u64,
}

type Waiting = std::pin::Pin<Box<dyn Future<Output = InputAnswer> + Send>>;

impl Drop for Asking {
    fn drop(&mut self) {
        for open in &self.open {
            self.session.forget(open.ask);
        }
    }
}

impl Asking {
    /// Nothing is asked yet.
    pub(super) fn new(session: &Arc<Session>) -> Self {
        Self {
            session: session.clone(),
            open: Vec::new(),
            answers: None,
            rounds: 0,
        }
    }

    /// Asks the client these questions: the messages to send.
    pub(super) fn ask(&mut self, questions: Vec<InputRequest>) -> Result<Vec<Bytes>, RpcError> {
        self.rounds += 1;
        if self.rounds > MAX_ROUNDS {
            return Err(RpcError::new(code::BROKEN, "the server asks without end"));
        }
        let mut frames = Vec::new();
        for question in questions {
            let params = question.params.as_ref();
            let kind = InputKind::of_method(&question.method)
                .filter(|kind| self.session.client.lacks(*kind, params).is_none())
                .ok_or_else(|| cannot(&question.method))?;
            let params = match kind {
                InputKind::Elicitation => question.params.map(with_id),
                _ => question.params,
            };
            let (ask, frame, answer) = self.session.ask(&question.method, params);
            frames.push(frame);
            self.open.push(Open {
                key: question.key.clone(),
                ask,
            });
            let answers = self.answers.get_or_insert_default();
            answers.push(Box::pin(answered(question.key, answer)));
        }
        Ok(frames)
    }

    /// Whether the client is being asked something.
    pub(super) fn is_open(&self) -> bool {
        self.answers
            .as_ref()
            .is_some_and(|answers| !answers.is_empty())
    }

    /// The next answer of the client. Waits for ever if nothing is asked. Cancel safe.
    pub(super) async fn answer(&mut self) -> InputAnswer {
        loop {
            let answer = match &mut self.answers {
                Some(answers) => answers.next().await,
                None => None,
            };
            match answer {
                Some(answer) if self.take(&answer.key).is_some() => return answer,
                // It was withdrawn before.
                Some(_) => {}
                None => return std::future::pending().await,
            }
        }
    }

    fn take(&mut self, key: &str) -> Option<Open> {
        let at = self.open.iter().position(|open| open.key == key)?;
        Some(self.open.remove(at))
    }

    /// The server does not want this answer any more: what the client is told.
    pub(super) fn withdraw(&mut self, key: &str) -> Option<Bytes> {
        self.take(key).map(|open| self.cancelled(&open))
    }

    /// Nobody wants any answer any more: what the client is told.
    pub(super) fn withdraw_all(&mut self) -> Vec<Bytes> {
        let open = std::mem::take(&mut self.open);
        open.iter().map(|open| self.cancelled(open)).collect()
    }

    fn cancelled(&self, open: &Open) -> Bytes {
        self.session.forget(open.ask);
        let params = Json::object([
            ("requestId", &Json::encode(&open.ask)),
            (
                "reason",
                &Json::from_static("\"the server does not wait for the answer any more\""),
            ),
        ]);
        Notification {
            method: notification::CANCELLED.into(),
            params: Some(params),
        }
        .encode()
    }

    /// How long to wait before a server is called again that asks for nothing but that.
    pub(super) fn pause(&self) -> Duration {
        FIRST_PAUSE
            .saturating_mul(1 << self.rounds.saturating_sub(1).min(16))
            .min(LONGEST_PAUSE)
    }
}

async fn answered(key: String, answer: oneshot::Receiver<Answer>) -> InputAnswer {
    let gone = |_| Err(RpcError::new(code::INVALID_REQUEST, "the client is gone").to_json());
    let body = answer.await.unwrap_or_else(gone);
    InputAnswer { key, body }
}

fn cannot(method: &str) -> RpcError {
    let why = format!("the server asks `{method}`, which this client cannot answer");
    RpcError::new(code::BROKEN, why)
}

/// Elicitations by URL had an id up to 2025-11-25, which newer servers do not give them.
fn with_id(params: Json) -> Json {
    let is_url = params
        .get("mode")
        .is_some_and(|mode| mode.as_bytes() == b"\"url\"");
    if !is_url || params.get("elicitationId").is_some() {
        return params;
    }
    let id = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>());
    let Some(mut splice) = Splice::new(&params) else {
        return params;
    };
    splice.set("elicitationId", Json::string(&id));
    splice.finish()
}
