//! What the protocol forbids the mux to send; each finding fails the test.

use serde_json::json;

use super::brain::Origin;
use super::state::{Session, State};
use crate::support::head::Head;
use crate::support::{Era, MODERN, Msg};

const VERSION: &str = "params/_meta/io.modelcontextprotocol~1protocolVersion";
const CAPABILITIES: &str = "params/_meta/io.modelcontextprotocol~1clientCapabilities";

/// The era of a request, by its metadata.
pub(super) fn era(msg: &Msg) -> Era {
    if msg.raw(VERSION).is_some() {
        Era::Modern
    } else {
        Era::Legacy
    }
}

/// The error object for a revision that is not served.
pub(super) fn unsupported(requested: &str) -> String {
    json!({
        "code": -32022,
        "message": "Unsupported protocol version",
        "data": {"supported": [MODERN], "requested": requested},
    })
    .to_string()
}

pub(super) fn check(state: &State, origin: &Origin, msg: &Msg) -> Vec<String> {
    let mut found = Vec::new();
    if msg.raw("jsonrpc").as_deref() != Some("\"2.0\"") {
        found.push(format!("not JSON-RPC 2.0: {}", shown(msg)));
    }
    if let Some(head) = &origin.head {
        found.extend(check_headers(state, head, msg));
    }
    if msg.is_request() {
        found.extend(check_request(state, origin, msg));
    }
    found
}

fn check_request(state: &State, origin: &Origin, msg: &Msg) -> Vec<String> {
    let mut found = Vec::new();
    let (method, id) = (msg.method(), msg.id().unwrap_or_default());
    if !(id.starts_with('"') || id.parse::<i64>().is_ok()) {
        found.push(format!(
            "an id that is no string and no integer: {}",
            shown(msg)
        ));
    }
    if let Some(token) = msg.raw("params/_meta/progressToken") {
        let same = |inner: &mut super::state::Inner| {
            // Sessions and processes of the handshake era do not know of each other.
            let heard = |call: &super::state::InFlight| {
                era(msg) == Era::Modern || call.scope == origin.scope
            };
            let mut same = inner.in_flight.iter().filter(|call| heard(call));
            same.any(|call| call.token.as_ref() == Some(&token))
        };
        if state.with(same) {
            found.push(format!("a progress token that is in use: {}", shown(msg)));
        }
    }
    match era(msg) {
        Era::Modern => found.extend(check_modern(state, msg)),
        Era::Legacy => {
            let order = state.with(|inner| {
                // A session may be lost between the look at its header and this one.
                if origin.scope.starts_with("session-")
                    && !inner.sessions.contains_key(&origin.scope)
                {
                    return Vec::new();
                }
                let session = inner.sessions.entry(origin.scope.clone()).or_default();
                check_order(session, method, id)
            });
            found.extend(order.into_iter().map(|text| text + &shown(msg)));
        }
    }
    found
}

fn check_modern(state: &State, msg: &Msg) -> Vec<String> {
    let mut found = Vec::new();
    if !state.fake.eras.contains(&Era::Modern) && msg.method() != "server/discover" {
        found.push(format!(
            "modern metadata sent to a legacy server: {}",
            shown(msg)
        ));
    }
    if msg.str(VERSION) != MODERN {
        found.push(format!("an unknown revision: {}", shown(msg)));
    }
    if !msg.get(CAPABILITIES).is_object() {
        found.push(format!("no clientCapabilities: {}", shown(msg)));
    }
    if matches!(
        msg.method(),
        "initialize" | "ping" | "logging/setLevel" | "resources/subscribe"
    ) {
        found.push(format!("a method that 2026-07-28 has not: {}", shown(msg)));
    }
    found
}

fn check_order(session: &mut Session, method: &str, id: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !session.ids.insert(id.to_owned()) {
        found.push("an id used twice: ".to_owned());
    }
    let early = !session.initialized && !matches!(method, "initialize" | "ping");
    if early {
        found.push("a request before the handshake ended: ".to_owned());
    }
    if session.initialized && method == "initialize" {
        found.push("a second handshake: ".to_owned());
    }
    found
}

fn check_headers(state: &State, head: &Head, msg: &Msg) -> Vec<String> {
    let mut found = Vec::new();
    let mut want = |name: &str, value: &str| {
        let got = head.header(name).unwrap_or_default();
        if got != value {
            found.push(format!(
                "header {name} is `{got}`, not `{value}`: {}",
                shown(msg)
            ));
        }
    };
    want("content-type", "application/json");
    if era(msg) == Era::Modern {
        want("mcp-protocol-version", MODERN);
        want("mcp-method", msg.method());
        let name = match msg.method() {
            "tools/call" | "prompts/get" => msg.str("params/name"),
            "resources/read" => msg.str("params/uri"),
            method if method.starts_with("tasks/") => msg.str("params/taskId"),
            _ => String::new(),
        };
        // What does not fit into a header goes as base64, which tests of their own look at.
        if name.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            want("mcp-name", &name);
        }
    } else if msg.method() != "initialize" && asks_for_version(state) {
        want("mcp-protocol-version", &state.fake.version);
    }
    let accept = head.header("accept").unwrap_or_default();
    if !(accept.contains("application/json") && accept.contains("text/event-stream")) {
        found.push(format!("header accept is `{accept}`"));
    }
    found
}

/// Whether the revision that was agreed on has the version header, and it is this one's turn.
fn asks_for_version(state: &State) -> bool {
    state.fake.eras == [Era::Legacy] && state.fake.version.as_str() >= "2025-06-18"
}

fn shown(msg: &Msg) -> String {
    msg.text().chars().take(300).collect()
}
