//! A call in flight.

use std::sync::Arc;

use crate::protocol::{CallEvent, Outcome};

use super::call::Call;
use super::error::CallError;
use super::forward::Running;
use super::hub::{Begun, Hub};

/// What happens next in a call.
#[derive(Debug)]
pub enum CallStep {
    /// Progress or a log message, in the order in which the server sent them.
    Event(CallEvent),
    /// The end. No step follows.
    Done(Result<Outcome, CallError>),
}

/// A call in flight. Dropping it cancels it upstream.
pub struct InFlight {
    hub: Hub,
    call: Arc<Call>,
    state: State,
    repeated: bool,
}

enum State {
    New,
    Running(Box<Running>),
    Over,
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

    /// The next step. Not cancel safe: a caller that wants to do something else meanwhile keeps the
    /// future; dropping it cancels the call.
    pub async fn step(&mut self) -> CallStep {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::New => match self.hub.begin(&self.call).await {
                    Ok(Begun::Done(outcome)) => return CallStep::Done(Ok(outcome)),
                    Ok(Begun::Running(running)) => self.state = State::Running(running),
                    Err(error) => return CallStep::Done(Err(error)),
                },
                State::Running(mut running) => match running.step(&self.hub).await {
                    Ran::Event(event) => {
                        self.state = State::Running(running);
                        return CallStep::Event(event);
                    }
                    Ran::Asks(questions) => {
                        let parked = self.hub.park(*running, &questions);
                        return CallStep::Done(parked);
                    }
                    Ran::Again(_) if !self.repeated => {
                        self.repeated = true;
                        self.state = State::New;
                    }
                    Ran::Again(error) => return CallStep::Done(Err(error)),
                    Ran::Done(outcome) => return CallStep::Done(outcome),
                },
                State::Over => {
                    let why = "a call was stepped beyond its end".to_owned();
                    return CallStep::Done(Err(CallError::BadParams(why)));
                }
            }
        }
    }

    /// Steps to the end; events are passed over.
    pub async fn outcome(mut self) -> Result<Outcome, CallError> {
        loop {
            if let CallStep::Done(outcome) = self.step().await {
                return outcome;
            }
        }
    }
}

/// What became of one step of a running call.
pub(super) enum Ran {
    /// Something for the client.
    Event(CallEvent),
    /// The server asks something.
    Asks(Vec<crate::protocol::InputRequest>),
    /// It may be tried once more without harm; else, this is what went wrong.
    Again(CallError),
    /// The end.
    Done(Result<Outcome, CallError>),
}
