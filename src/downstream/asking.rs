//! Questions to a legacy client in the middle of its request.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::protocol::{InputKind, RpcError, code, read_input_required};
use crate::wire::{Json, Splice};

use super::session::{Answer, Session};

/// How long a client has for its answers.
const PATIENCE: Duration = Duration::from_secs(600);

/// The questions of one round, on their way to the client and back.
pub(super) struct Asking {
    session: Arc<Session>,
    state: Option<Json>,
    to_send: VecDeque<Bytes>,
    open: Vec<Open>,
}

struct Open {
    key: String,
    kind: InputKind,
    ask: u64,
    answer: oneshot::Receiver<Answer>,
}

impl Drop for Asking {
    fn drop(&mut self) {
        for open in &self.open {
            self.session.forget(open.ask);
        }
        if let Some(state) = &self.state {
            self.session.hub.give_up(state);
        }
    }
}

impl Asking {
    /// The questions of a result of type `input_required`.
    pub(super) fn new(session: &Arc<Session>, asks: &Json) -> Result<Self, RpcError> {
        let (questions, state) = read_input_required(asks);
        let mut asking = Self {
            session: session.clone(),
            state,
            to_send: VecDeque::new(),
            open: Vec::new(),
        };
        for question in questions {
            let kind = InputKind::of_method(&question.method)
                .filter(|kind| session.client.can_answer(*kind))
                .ok_or_else(|| {
                    RpcError::new(
                        code::BROKEN,
                        format!(
                            "the server asks `{}`, which this client cannot answer",
                            question.method
                        ),
                    )
                })?;
            let (ask, frame, answer) = session.ask(&question.method, question.params);
            asking.to_send.push_back(frame);
            asking.open.push(Open {
                key: question.key,
                kind,
                ask,
                answer,
            });
        }
        Ok(asking)
    }

    /// The next question to send.
    pub(super) fn next_frame(&mut self) -> Option<Bytes> {
        self.to_send.pop_front()
    }

    /// Waits for all answers and puts them into the params for the retry.
    pub(super) async fn answers(&mut self, params: Option<&Json>) -> Result<Json, RpcError> {
        let too_late = || RpcError::new(code::TIMEOUT, "the client did not answer in time");
        let answers = timeout(PATIENCE, self.collect())
            .await
            .map_err(|_| too_late())?;
        let members: Vec<(&str, &Json)> = answers
            .iter()
            .map(|(key, answer)| (key.as_str(), answer))
            .collect();
        let empty = Json::from_static("{}");
        let params = params.unwrap_or(&empty);
        let Some(mut splice) = Splice::new(params) else {
            return Ok(params.clone());
        };
        splice.set("inputResponses", Json::object(members));
        match self.state.take() {
            Some(state) => splice.set("requestState", state),
            None => splice.remove("requestState"),
        };
        Ok(splice.finish())
    }

    async fn collect(&mut self) -> Vec<(String, Json)> {
        let mut answers = Vec::new();
        for open in &mut self.open {
            let answer = match (&mut open.answer).await {
                Ok(Ok(result)) => Some(result),
                // There is no slot for an error in the answers; a refused elicitation has a word of its own.
                _ if open.kind == InputKind::Elicitation => {
                    Some(Json::from_static(r#"{"action":"cancel"}"#))
                }
                _ => None,
            };
            answers.extend(answer.map(|answer| (open.key.clone(), answer)));
        }
        answers
    }
}
