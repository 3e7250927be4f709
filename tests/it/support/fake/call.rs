//! A request in a handler's hands.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::state::{InFlight, Sink, State};
use crate::support::Msg;

/// One request that a handler answers, and everything it may do meanwhile.
pub(crate) struct Call {
    pub(crate) msg: Msg,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) flight: Arc<InFlight>,
    pub(super) state: Arc<State>,
}

impl Call {
    /// The arguments of a tool or prompt as they were written; `None` where they are absent.
    pub(crate) fn arguments(&self) -> Option<String> {
        self.msg.raw("params/arguments")
    }

    pub(crate) fn argument(&self, name: &str) -> Value {
        self.msg.get(&format!("params/arguments/{name}"))
    }

    /// Reports progress; panics if the request carried no token.
    pub(crate) fn progress(&self, progress: impl Display) {
        self.progress_with(&format!("\"progress\":{progress}"));
    }

    /// Reports progress with these members beside the token.
    pub(crate) fn progress_with(&self, members: &str) {
        let token = self
            .flight
            .token
            .as_ref()
            .expect("the request carries a progress token");
        self.send(&format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},{members}}}}}"#
        ));
    }

    pub(crate) fn notify(&self, method: &str, params: &Value) {
        let message = json!({"jsonrpc": "2.0", "method": method, "params": params});
        self.send(&message.to_string());
    }

    /// Sends any message on the stream of this request. Whether it arrives is the test's question.
    pub(crate) fn send(&self, text: &str) {
        let _ = self.sink.message(text.as_bytes());
    }

    /// Writes bytes that need not be a message.
    pub(crate) fn bytes(&self, raw: &[u8]) {
        let _ = self.sink.bytes(raw);
    }

    /// Answers now, beside whatever the handler returns.
    pub(crate) fn answer_early(&self, result: &str) {
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#,
            self.flight.id
        );
        let _ = self.sink.message(text.as_bytes());
    }

    /// Asks the client something and waits for its answer.
    pub(crate) fn ask(&self, id: &str, method: &str, params: &Value) -> Msg {
        self.ask_soon(id, method, params);
        self.answer_to(id)
    }

    /// Asks under an id that no other question has.
    pub(crate) fn ask_anew(&self, method: &str, params: &Value) -> Msg {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = format!("\"question-{}\"", NEXT.fetch_add(1, Ordering::Relaxed));
        self.ask(&id, method, params)
    }

    /// Asks the client something; the answer is waited for later.
    pub(crate) fn ask_soon(&self, id: &str, method: &str, params: &Value) {
        self.send(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#
        ));
    }

    /// Waits for the answer to a question with this id.
    pub(crate) fn answer_to(&self, id: &str) -> Msg {
        self.state.wait(&format!("an answer to {id}"), |inner| {
            inner.answers.remove(id)
        })
    }

    /// Asks the client something; `None` if the request is cancelled or the time is over before.
    pub(crate) fn try_ask(
        &self,
        id: &str,
        method: &str,
        params: &Value,
        within: Duration,
    ) -> Option<Msg> {
        self.send(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#
        ));
        let cancelled = || self.flight.cancelled.is_open();
        self.state
            .wait_for(within, |inner| match inner.answers.remove(id) {
                Some(answer) => Some(Some(answer)),
                None => cancelled().then_some(None),
            })
            .flatten()
    }

    /// Waits until the mux cancels this request.
    pub(crate) fn wait_cancelled(&self) {
        self.flight.cancelled.wait("the call is cancelled");
    }

    /// Kills the process with SIGKILL, or resets the connection.
    pub(crate) fn sever(&self) {
        self.sink.sever();
    }
}
