//! What a fake does with one message, whatever it came over.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};

use super::builder::Handler;
use super::call::Call;
use super::reply::Reply;
use super::state::{InFlight, Seen, Sink, State};
use super::{legacy, modern, strict};
use crate::support::head::Head;
use crate::support::{Era, Gate, Msg};

/// Where a message came from.
pub(super) struct Origin {
    pub(super) link: u64,
    /// The session or the link within which ids mean something.
    pub(super) scope: String,
    pub(super) head: Option<Head>,
}

/// Reads a message; what is none is a violation.
pub(super) fn parse(state: &State, bytes: &[u8]) -> Option<Msg> {
    match Msg::try_parse(bytes) {
        Ok(msg) => Some(msg),
        Err(error) => {
            state.violation(format!("not a message: {error}"));
            None
        }
    }
}

/// Records a message, checks it, and answers it if it is a request.
pub(super) fn receive(state: &Arc<State>, origin: &Origin, msg: Msg, sink: Arc<dyn Sink>) {
    for violation in strict::check(state, origin, &msg) {
        state.violation(violation);
    }
    let request = msg
        .is_request()
        .then(|| InFlight::of(origin, &msg))
        .map(Arc::new);
    let seen = Seen {
        link: origin.link,
        head: origin.head.clone(),
        msg: msg.clone(),
    };
    // Who has seen a request may cancel it at once, so both are known in the same moment.
    state.with(|inner| {
        inner.in_flight.extend(request.clone());
        inner.seen.push(seen);
    });
    if let Some(flight) = request {
        answer(Call {
            msg,
            sink,
            flight,
            state: Arc::clone(state),
        });
    } else if msg.is_response() {
        let id = msg.id().unwrap_or_default().to_owned();
        state.with(|inner| inner.answers.insert(id, msg));
    } else {
        notification(state, origin, &msg, sink);
    }
}

fn notification(state: &Arc<State>, origin: &Origin, msg: &Msg, sink: Arc<dyn Sink>) {
    match msg.method() {
        "notifications/initialized" => legacy::initialized(state, origin, sink),
        "notifications/cancelled" => {
            let id = msg.raw("params/requestId").unwrap_or_default();
            state.with(|inner| {
                let mine = |c: &&Arc<InFlight>| c.scope == origin.scope && c.id == id;
                inner
                    .in_flight
                    .iter()
                    .filter(mine)
                    .for_each(|call| call.cancelled.open());
                inner.streams.retain(|s| {
                    s.link != origin.link
                        || s.listen.as_ref().is_none_or(|(listen, _)| *listen != id)
                });
            });
        }
        _ => {}
    }
}

/// Answers a request, at once or, if a handler does it, in a thread of its own.
fn answer(call: Call) {
    let Some(handler) = call.state.handler(&call.msg) else {
        return deliver(&call, default(&call));
    };
    thread::spawn(
        move || match catch_unwind(AssertUnwindSafe(|| handler(&call))) {
            Ok(reply) => deliver(&call, reply),
            Err(panic) => {
                let text = panic
                    .downcast_ref::<String>()
                    .map_or("a handler panicked", |text| text);
                call.state.violation(text);
            }
        },
    );
}

impl InFlight {
    fn of(origin: &Origin, msg: &Msg) -> Self {
        Self {
            scope: origin.scope.clone(),
            link: origin.link,
            id: msg.id().unwrap_or_default().to_owned(),
            token: msg.raw("params/_meta/progressToken"),
            cancelled: Gate::new(),
        }
    }
}

/// Sends an answer off; from now on the id is free again.
fn deliver(call: &Call, reply: Reply) {
    let reply = if matches!(reply, Reply::Usual) {
        default(call)
    } else {
        reply
    };
    if !matches!(reply, Reply::Nothing) {
        call.state
            .with(|inner| inner.in_flight.retain(|c| !Arc::ptr_eq(c, &call.flight)));
    }
    let id = &call.flight.id;
    // Whether the answer arrives is the test's question, not the fake's.
    let _ = match reply {
        Reply::Nothing | Reply::Usual => Ok(()),
        Reply::Frame(bytes) => call.sink.answer(&bytes),
        Reply::Error(error) => {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#);
            match modern::status(call, &error) {
                Some(status) => call.sink.refuse(status, text.as_bytes()),
                None => call.sink.answer(text.as_bytes()),
            }
        }
        Reply::Result(result) => {
            let result = match strict::era(&call.msg) {
                Era::Modern => modern::typed(result),
                Era::Legacy => result,
            };
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
            call.sink.answer(text.as_bytes())
        }
    };
}

fn default(call: &Call) -> Reply {
    let method = call.msg.method();
    let modern = strict::era(&call.msg) == Era::Modern;
    match method {
        "initialize" => legacy::initialize(call),
        "server/discover" => modern::discover(call),
        "subscriptions/listen" if modern => modern::listen(call),
        "tools/call" => call_tool(call),
        "resources/read" => read(call),
        "prompts/get" => get_prompt(call),
        "completion/complete" => complete(call),
        "ping" | "resources/subscribe" | "resources/unsubscribe" | "logging/setLevel"
            if !modern =>
        {
            Reply::raw("{}")
        }
        _ => list(call, method),
    }
}

fn list(call: &Call, method: &str) -> Reply {
    let cursor = call.msg.get("params/cursor");
    let size = call.state.fake.page;
    // The second page has the empty string as its cursor: that is a cursor like any other.
    let page = match cursor.as_str() {
        None => 0,
        Some("") => 1,
        Some(text) => text
            .strip_prefix("page ")
            .and_then(|n| n.parse().ok())
            .unwrap_or(usize::MAX),
    };
    let found = call.state.with(|inner| {
        let (items, member) = inner.offer.list(method)?;
        let start = page
            .checked_mul(size)
            .unwrap_or(if page == 0 { 0 } else { usize::MAX });
        let texts: Vec<_> = items
            .iter()
            .skip(start)
            .take(size)
            .map(|i| i.text.clone())
            .collect();
        let more = start.saturating_add(size) < items.len();
        Some((texts.join(","), member, more))
    });
    let Some((items, member, more)) = found else {
        return Reply::error(-32601, "Method not found");
    };
    let next = match (more, page) {
        (false, _) => String::new(),
        (true, 0) => r#","nextCursor":"""#.to_owned(),
        (true, page) => format!(r#","nextCursor":"page {}""#, page + 1),
    };
    Reply::raw(modern::cacheable(
        call,
        &format!(r#"{{"{member}":[{items}]{next}}}"#),
    ))
}

fn call_tool(call: &Call) -> Reply {
    let name = call.msg.str("params/name");
    if !call
        .state
        .with(|inner| inner.offer.tools.iter().any(|tool| tool.key == name))
    {
        return Reply::error(-32602, &format!("Unknown tool: {name}"));
    }
    let arguments = call.arguments().unwrap_or_else(|| "-".to_owned());
    Reply::text(&format!("{name} {arguments}"))
}

fn read(call: &Call) -> Reply {
    let uri = call.msg.str("params/uri");
    let known = call.state.with(|inner| {
        !inner.offer.templates.is_empty() || inner.offer.resources.iter().any(|r| r.key == uri)
    });
    if !known {
        let modern = strict::era(&call.msg) == Era::Modern;
        return Reply::error(if modern { -32602 } else { -32002 }, "Resource not found");
    }
    let text = format!("content of {uri}");
    let result = json!({"contents": [{"uri": uri, "mimeType": "text/plain", "text": text}]});
    Reply::raw(modern::cacheable(call, &result.to_string()))
}

fn get_prompt(call: &Call) -> Reply {
    let name = call.msg.str("params/name");
    if !call
        .state
        .with(|inner| inner.offer.prompts.iter().any(|prompt| prompt.key == name))
    {
        return Reply::error(-32602, &format!("Unknown prompt: {name}"));
    }
    let text = format!(
        "{name} {}",
        call.arguments().unwrap_or_else(|| "-".to_owned())
    );
    let content = json!({"type": "text", "text": text});
    Reply::from(json!({"messages": [{"role": "user", "content": content}]}))
}

/// Completes to what it was asked about, so that a test sees what arrived.
fn complete(call: &Call) -> Reply {
    let reference = call.msg.get("params/ref");
    let about = reference
        .get("name")
        .or(reference.get("uri"))
        .cloned()
        .unwrap_or(Value::Null);
    let value = call.msg.get("params/argument/value");
    Reply::from(json!({"completion": {"values": [about, value], "hasMore": false}}))
}

impl State {
    /// The next step of the script for this request, else what is set for it.
    fn handler(&self, msg: &Msg) -> Option<Handler> {
        let method = msg.method();
        let name = [msg.str("params/name"), msg.str("params/uri")].concat();
        let special = format!("{method} {name}");
        let scripted = self.with(|inner| {
            [special.as_str(), method]
                .iter()
                .find_map(|key| inner.script.get_mut(*key).and_then(VecDeque::pop_front))
        });
        let set = || {
            self.fake
                .handlers
                .get(&special)
                .or_else(|| self.fake.handlers.get(method))
        };
        scripted.or_else(|| set().cloned())
    }

    /// Whether the connection or process that has just come is to be refused.
    pub(super) fn take_refusal(&self) -> bool {
        self.with(|inner| {
            let refused = inner.refusals > 0;
            inner.refusals = inner.refusals.saturating_sub(1);
            refused
        })
    }
}
