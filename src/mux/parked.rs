//! Calls whose clients answer questions by repeating their request (2026-07-28, "Multi round-trip requests").
//!
//! The state that the client brings back is the mux's own in any case. It leads to an exchange that is kept open
//! here, or it holds the server's own state, [sealed](super::seal).

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::protocol::{input_required, read_answers};
use crate::wire::{Json, Splice};

use super::call::{Call, Caller};
use super::error::CallError;
use super::flow::{Asked, InFlight, State};
use super::forward::Running;
use super::hub::Mux;
use super::seal::{Bound, Content};

/// How many calls may be parked at once, in all and for one caller.
const MAX_PARKED: usize = 4_096;
const MAX_PARKED_PER_CALLER: usize = 256;
/// What a state begins with that leads to an open exchange.
const PREFIX: &str = "mcpmux.p.";

/// The calls that wait. A token is 256 random bits, good for one use, by one caller, for one request.
#[derive(Default)]
pub(super) struct Parked(Mutex<HashMap<String, Waiting>>);

struct Waiting {
    running: Running,
    caller: Caller,
    expires: Instant,
}

impl Parked {
    fn put(&self, running: Running, expires: Instant) -> Result<String, CallError> {
        let caller = running.call.caller.clone();
        let mut table = self.0.lock();
        let of_caller = table
            .values()
            .filter(|waiting| waiting.caller == caller)
            .count();
        if table.len() >= MAX_PARKED || of_caller >= MAX_PARKED_PER_CALLER {
            return Err(CallError::TooManyParked);
        }
        let random = rand::random::<[u8; 32]>();
        let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
        let waiting = Waiting {
            running,
            caller,
            expires,
        };
        table.insert(token.clone(), waiting);
        Ok(token)
    }

    fn take(&self, token: &str, call: &Call) -> Option<Running> {
        let mut table = self.0.lock();
        let waiting = table.get(token)?;
        let same =
            waiting.expires > Instant::now() && Bound::of(&waiting.running.call) == Bound::of(call);
        if same {
            table.remove(token).map(|waiting| waiting.running)
        } else {
            None
        }
    }

    /// Gives up calls whose clients took too long; dropping them cancels them upstream.
    pub(super) fn expire(&self) {
        let now = Instant::now();
        self.0.lock().retain(|_, waiting| waiting.expires > now);
    }

    /// Gives up all of them.
    pub(super) fn clear(&self) {
        drop(std::mem::take(&mut *self.0.lock()));
    }
}

impl InFlight {
    /// Ends this side of a call that asks, and gives the result of type `input_required` with which the client
    /// can go on.
    pub fn park(&mut self) -> Result<Json, CallError> {
        let expires = Instant::now() + self.hub.settings.load().input_timeout;
        match std::mem::replace(&mut self.state, State::Over) {
            State::Running(running) => {
                let questions = running.open.clone();
                let token = self.hub.parked.put(*running, expires)?;
                Ok(input_required(&questions, Some(&token)))
            }
            State::Asked(asked) => Ok(self.hub.sealed(&self.call, &asked, expires)),
            State::New | State::Over => Err(CallError::InputExpired),
        }
    }
}

/// How a call goes on that was asked something.
pub(super) enum Resumed {
    /// The server has been waiting for the answers.
    Running(Box<Running>),
    /// The server gets the request again, with its own state.
    Again(Box<Call>),
}

impl Mux {
    fn sealed(&self, call: &Call, asked: &Asked, expires: Instant) -> Json {
        let Some(state) = asked.result.get("requestState") else {
            return asked.result.clone();
        };
        let content = Content {
            server: asked.server.clone(),
            state,
        };
        let sealed = self.seal.close(&content, &Bound::of(call), expires);
        let Some(mut splice) = Splice::new(&asked.result) else {
            return asked.result.clone();
        };
        splice.set("requestState", Json::string(&sealed));
        splice.finish()
    }

    /// Looks for the state that a client brings back.
    pub(super) async fn resume(
        &self,
        call: &Arc<Call>,
        state: &Json,
    ) -> Result<Resumed, CallError> {
        let text = state.text().ok_or_else(unknown_state)?;
        if !text.starts_with(PREFIX) {
            let bound = Bound::of(call);
            let content = self.seal.open(&text, &bound).ok_or_else(unknown_state)?;
            return Ok(Resumed::Again(Box::new(with_state(call, content))));
        }
        let mut running = self.parked.take(&text, call).ok_or_else(unknown_state)?;
        let answers = read_answers(call.read.input_responses.as_ref());
        running.resumed_by(call);
        running.answer(&answers).await;
        running.ask_again();
        Ok(Resumed::Running(Box::new(running)))
    }
}

fn with_state(call: &Call, content: Content) -> Call {
    let params = call.params.as_ref().and_then(Splice::new);
    let params =
        params.map(|mut splice| splice.set("requestState", content.state).clone().finish());
    let mut read = call.read.clone();
    read.request_state = None;
    Call {
        params,
        read,
        expects: Some(content.server),
        ..call.clone()
    }
}

fn unknown_state() -> CallError {
    let why = "`requestState` is unknown, used up, expired or belongs to another request";
    CallError::BadParams(why.to_owned())
}
