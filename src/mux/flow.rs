//! A call in flight.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::protocol::{
    CallEvent, CallParams, InputAnswer, InputRequest, Outcome, Said, ServerName,
    read_input_required, signed_result, without_error,
};
use crate::wire::{Json, Splice};

use super::call::Call;
use super::error::CallError;
use super::forward::Running;
use super::hub::{Begun, Hub};

/// What happens next in a call.
#[derive(Debug)]
pub enum CallStep {
    /// Progress or a log message, in the order in which the server sent them.
    Event(CallEvent),
    /// The server wants answers before it goes on. The client is asked at once, with [`InFlight::answer`] at the
    /// end, or it repeats its request, for which the call is [parked](InFlight::park).
    Asks(Vec<InputRequest>),
    /// The question with this key needs no answer any more.
    Withdrawn(String),
    /// The end. No step follows.
    Done(Result<Said, CallError>),
}

/// A call in flight. Dropping it cancels it upstream.
pub struct InFlight {
    pub(super) hub: Hub,
    pub(super) call: Arc<Call>,
    pub(super) state: State,
    repeated: bool,
}

pub(super) enum State {
    New,
    Running(Box<Running>),
    Asked(Box<Asked>),
    Over,
}

/// A server has ended its part with questions, and is to be called again with the answers.
pub(super) struct Asked {
    pub(super) server: ServerName,
    /// What it said, its questions signed.
    pub(super) result: Json,
    open: Vec<InputRequest>,
    answers: Vec<(String, Json)>,
    expires: Instant,
}

impl InFlight {
    pub(super) fn new(hub: Hub, call: Call) -> Self {
        Self {
            hub,
            call: Arc::new(call),
            state: State::New,
            repeated: false,
        }
    }

    /// The next step. Cancel safe while questions are open; else a caller that wants to do something else
    /// meanwhile keeps the future, since dropping it may cancel the call.
    pub async fn step(&mut self) -> CallStep {
        loop {
            let over = match &mut self.state {
                State::New => {
                    let begun = self.hub.begin(&self.call).await;
                    match begun {
                        Ok(Begun::Running(running)) => {
                            self.state = State::Running(running);
                            continue;
                        }
                        Ok(Begun::Done(outcome)) => Ok(outcome),
                        Err(error) => Err(error),
                    }
                }
                State::Running(running) => match running.step(&self.hub).await {
                    Ran::Event(event) => return CallStep::Event(event),
                    Ran::Asks(questions) => return CallStep::Asks(questions),
                    Ran::Withdrawn(key) => return CallStep::Withdrawn(key),
                    Ran::Again(_) if !self.repeated => {
                        self.repeated = true;
                        self.state = State::New;
                        continue;
                    }
                    Ran::Done(Ok(Outcome::InputRequired(result))) => {
                        let asked = Asked::new(running.server.clone(), &result, self.patience());
                        let questions = asked.open.clone();
                        self.state = State::Asked(Box::new(asked));
                        return CallStep::Asks(questions);
                    }
                    Ran::Done(Ok(Outcome::Complete(said))) => Ok(said),
                    Ran::Again(error) | Ran::Done(Err(error)) => Err(error),
                },
                State::Asked(asked) => {
                    sleep_until(asked.expires).await;
                    Err(CallError::InputExpired)
                }
                State::Over => Err(CallError::BadParams(
                    "a call was stepped beyond its end".to_owned(),
                )),
            };
            self.state = State::Over;
            return CallStep::Done(over);
        }
    }

    /// How long clients have for their answers.
    fn patience(&self) -> Duration {
        self.hub.settings.load().input_timeout
    }

    /// Hands an answer to the server; several may be under way. An answer to nothing is passed over. A server
    /// that asked nothing but wants to be called again gets its call with no answers at all.
    pub async fn answer(&mut self, answers: Vec<InputAnswer>) -> Result<(), CallError> {
        match &mut self.state {
            State::Running(running) => {
                running.answer(&answers).await;
                Ok(())
            }
            State::Asked(asked) => {
                for answer in answers {
                    asked.take(answer)?;
                }
                if asked.open.is_empty() {
                    self.call = Arc::new(asked.again(&self.call));
                    self.repeated = false;
                    self.state = State::New;
                }
                Ok(())
            }
            State::New | State::Over => Ok(()),
        }
    }

    /// Steps to the end; events are passed over, and questions are an error.
    pub async fn outcome(mut self) -> Result<Said, CallError> {
        loop {
            match self.step().await {
                CallStep::Done(outcome) => return outcome,
                CallStep::Asks(_) => return Err(CallError::Asked),
                CallStep::Event(_) | CallStep::Withdrawn(_) => {}
            }
        }
    }
}

impl Asked {
    fn new(server: ServerName, result: &Json, patience: Duration) -> Self {
        let result = signed_result(result, &server);
        let (open, _) = read_input_required(&result);
        Self {
            server,
            result,
            open,
            answers: Vec::new(),
            expires: Instant::now() + patience,
        }
    }

    /// A refusal that has no room in an answer ends the call.
    fn take(&mut self, answer: InputAnswer) -> Result<(), CallError> {
        let is_it = |question: &InputRequest| question.key == answer.key;
        let Some(at) = self.open.iter().position(is_it) else {
            return Ok(());
        };
        let question = self.open.remove(at);
        match without_error(&question.method, answer.body) {
            Ok(result) => self.answers.push((answer.key, result)),
            Err(error) => {
                let method = question.method;
                return Err(CallError::Refused { method, error });
            }
        }
        Ok(())
    }

    /// The same call with the answers.
    fn again(&self, call: &Call) -> Call {
        let empty = Json::from_static("{}");
        let params = call.params.as_ref().unwrap_or(&empty);
        let params = Splice::new(params).map(|mut splice| {
            if self.answers.is_empty() {
                splice.remove("inputResponses");
            } else {
                let members = self.answers.iter();
                let members = members.map(|(key, answer)| (key.as_str(), answer));
                splice.set("inputResponses", Json::object(members));
            }
            match self.result.get("requestState") {
                Some(state) => splice.set("requestState", state),
                None => splice.remove("requestState"),
            };
            splice.finish()
        });
        let mut read = CallParams::read(params.as_ref());
        // It is the server's own, straight from its hand.
        read.request_state = None;
        Call {
            params,
            read,
            expects: Some(self.server.clone()),
            ..call.clone()
        }
    }
}

/// What became of one step of a running call.
pub(super) enum Ran {
    /// Something for the client.
    Event(CallEvent),
    /// The server asks something.
    Asks(Vec<InputRequest>),
    /// The server does not ask this any more.
    Withdrawn(String),
    /// It may be tried once more without harm; else, this is what went wrong.
    Again(CallError),
    /// The end.
    Done(Result<Outcome, CallError>),
}
