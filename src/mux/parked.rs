//! Calls whose server waits for the client to answer something.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::protocol::{InputRequest, Outcome, input_required};
use crate::wire::Json;

use super::call::{Call, Caller};
use super::error::CallError;
use super::forward::Running;
use super::hub::Mux;

/// How many calls may be parked at once, in all and for one caller.
const MAX_PARKED: usize = 4_096;
const MAX_PARKED_PER_CALLER: usize = 256;
/// How long a client has for its answer.
const PATIENCE: Duration = Duration::from_secs(600);
/// What the mux's own states begin with; a server's own state passes untouched.
const PREFIX: &str = "mcpmux.";

/// The calls that wait. A token is 256 random bits, good for one use, by one caller, for one request.
#[derive(Default)]
pub(super) struct Parked(Mutex<HashMap<String, Waiting>>);

struct Waiting {
    running: Running,
    caller: Caller,
    expires: Instant,
}

impl Parked {
    fn put(&self, running: Running) -> Result<String, CallError> {
        let caller = running.call.caller.clone();
        let mut table = self.0.lock();
        let of_caller = table
            .values()
            .filter(|waiting| waiting.caller == caller)
            .count();
        if table.len() >= MAX_PARKED || of_caller >= MAX_PARKED_PER_CALLER {
            return Err(CallError::TooManyParked);
        }
        let token = format!(
            "{PREFIX}{}",
            URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
        );
        let expires = Instant::now() + PATIENCE;
        table.insert(
            token.clone(),
            Waiting {
                running,
                caller,
                expires,
            },
        );
        Ok(token)
    }

    fn take(&self, token: &str, call: &Call) -> Option<Running> {
        let mut table = self.0.lock();
        let waiting = table.get(token)?;
        let asked = &waiting.running.call;
        let same = waiting.caller == call.caller
            && asked.method == call.method
            && asked.read.name == call.read.name
            && asked.read.uri == call.read.uri
            && asked.read.arguments == call.read.arguments
            && waiting.expires > Instant::now();
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
}

impl Mux {
    /// Keeps the exchange open and asks the client.
    pub(super) fn park(
        &self,
        running: Running,
        questions: &[InputRequest],
    ) -> Result<Outcome, CallError> {
        let token = self.parked.put(running)?;
        Ok(Outcome::InputRequired(input_required(questions, &token)))
    }

    /// Nobody will go on with this call: it is cancelled upstream.
    pub fn give_up(&self, state: &Json) {
        if let Some(token) = state.text() {
            drop(self.parked.0.lock().remove(token.as_ref()));
        }
    }

    /// The call that this one goes on with, if it carries a state of the mux's own.
    pub(super) async fn resume(&self, call: &Arc<Call>) -> Result<Option<Running>, CallError> {
        let Some(state) = &call.read.request_state else {
            return Ok(None);
        };
        let Some(token) = state.text().filter(|token| token.starts_with(PREFIX)) else {
            return Ok(None);
        };
        let Some(mut running) = self.parked.take(&token, call) else {
            let why = "`requestState` is unknown, used up, expired or belongs to another request";
            return Err(CallError::BadParams(why.to_owned()));
        };
        let nothing = Json::from_static("{}");
        running
            .errand
            .answer(call.read.input_responses.as_ref().unwrap_or(&nothing))
            .await;
        running.deadline = Instant::now() + running.timeout;
        running.call = call.clone();
        Ok(Some(running))
    }
}
