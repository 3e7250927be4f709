//! One request under way.

use std::ops::Deref;

use serde_json::json;

use super::{Client, Link};
use crate::support::door::Connection;
use crate::support::msg::Owner;
use crate::support::{Era, Msg, Response};

/// An answer and what came before it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Notifications and requests of the server's that belong to the request, in order.
    pub(crate) events: Vec<Msg>,
    pub(crate) msg: Msg,
}

impl Deref for Answer {
    type Target = Msg;

    fn deref(&self) -> &Msg {
        &self.msg
    }
}

impl Answer {
    /// The text of the first content of a tool's result.
    #[track_caller]
    pub(crate) fn said(&self) -> String {
        self.result_text();
        self.str("result/content/0/text")
    }
}

/// A request that was sent. Dropping it over HTTP closes the connection.
pub(crate) struct Exchange<'c> {
    client: &'c Client,
    id: String,
    token: Option<String>,
    way: Way,
}

enum Way {
    Stdio,
    /// The head of the answer has not been read.
    Sent(Connection),
    Json(Response),
    Events(Response),
    Over,
}

impl<'c> Exchange<'c> {
    pub(super) fn stdio(client: &'c Client, id: String, token: Option<String>) -> Self {
        Self {
            client,
            id,
            token,
            way: Way::Stdio,
        }
    }

    pub(super) fn http(client: &'c Client, id: String, stream: Connection) -> Self {
        Self {
            client,
            id,
            token: None,
            way: Way::Sent(stream),
        }
    }

    /// The HTTP answer, its body unread.
    #[track_caller]
    pub(crate) fn response(self) -> Response {
        match self.way {
            Way::Sent(stream) => Response::read(stream).expect("the head of an answer"),
            Way::Json(response) | Way::Events(response) => response,
            Way::Stdio | Way::Over => panic!("no HTTP answer is left"),
        }
    }

    /// The next message that belongs to this request, the answer last.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Msg {
        self.try_next()
            .unwrap_or_else(|| panic!("the answer to {} ended early", self.id))
    }

    /// The next message; `None` where the HTTP answer ends without one.
    #[track_caller]
    pub(crate) fn try_next(&mut self) -> Option<Msg> {
        if matches!(self.way, Way::Stdio) {
            let what = format!("the answer to {}", self.id);
            return Some(self.client.stdio().take(&what, |msg| self.is_mine(msg)));
        }
        if let Way::Sent(_) = self.way {
            let Way::Sent(stream) = std::mem::replace(&mut self.way, Way::Over) else {
                unreachable!("it has just been seen")
            };
            let response = Response::read(stream).expect("the head of an answer");
            self.way = if response.is_stream() {
                Way::Events(response)
            } else {
                Way::Json(response)
            };
        }
        match std::mem::replace(&mut self.way, Way::Over) {
            Way::Json(response) => Some(response.msg()),
            Way::Events(mut response) => {
                let msg = next_message(&mut response);
                self.way = Way::Events(response);
                msg
            }
            Way::Stdio | Way::Sent(_) | Way::Over => None,
        }
    }

    /// Whether a message on a shared link belongs to this request.
    fn is_mine(&self, msg: &Msg) -> bool {
        match msg.owner() {
            Owner::Request(id) => *id == self.id,
            Owner::Token(token) => Some(token) == self.token.as_ref(),
            Owner::Nobody => !msg.method().ends_with("list_changed"),
        }
    }

    /// Waits for the answer.
    #[track_caller]
    pub(crate) fn answer(mut self) -> Answer {
        let mut events = Vec::new();
        loop {
            let msg = self.next();
            if msg.is_response() {
                assert_eq!(msg.id(), Some(self.id.as_str()), "{}", msg.text());
                return Answer { events, msg };
            }
            events.push(msg);
        }
    }

    /// Takes the request back, in the way of its era and transport.
    #[track_caller]
    pub(crate) fn cancel(self) {
        let by_closing =
            self.client.era == Era::Modern && matches!(self.client.link, Link::Http { .. });
        if !by_closing {
            let id: serde_json::Value = serde_json::from_str(&self.id).expect("an id is JSON");
            self.client
                .notify("notifications/cancelled", &json!({"requestId": id}));
        }
    }
}

/// The next message of an event stream; events without data are passed over.
#[track_caller]
pub(super) fn next_message(response: &mut Response) -> Option<Msg> {
    loop {
        let event = response.event()?;
        if !event.data.is_empty() {
            return Some(Msg::parse(event.data.as_bytes()));
        }
    }
}

/// All messages of an HTTP answer, be it JSON or a stream.
#[track_caller]
pub(super) fn messages(mut response: Response) -> Vec<Msg> {
    if !response.is_stream() {
        return vec![response.msg()];
    }
    std::iter::from_fn(|| next_message(&mut response)).collect()
}
