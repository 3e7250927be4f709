//! The client configuration of mistral.rs.

use std::time::Duration;

use super::super::error::Findings;
use super::super::quantity;
use super::super::tree::{Node, Value};
use super::dialect::{Around, Becomes, Container, Dialect, Fate, Format, Rule, always};
use super::entry::{Entry, object};

pub(super) const MISTRAL_RS: Dialect = Dialect {
    format: Format::MistralRs,
    path: &["servers"],
    container: Container::Array("id"),
    keys: KEYS,
    recognises: always,
    finish,
};

const KEYS: &[Rule] = &[
    ("source", Becomes::Spread),
    ("type", Becomes::Word("type", TYPES)),
    ("work_dir", Becomes::Key("cwd")),
    ("timeout_secs", Becomes::Key("callTimeout")),
    ("tool_prefix", Becomes::Key("prefix")),
    ("bearer_token", Becomes::Bearer),
];

const TYPES: &[(&str, &str)] = &[("Http", "http"), ("WebSocket", "ws"), ("Process", "stdio")];

fn finish(_: &str, entry: &mut Entry, around: &Around<'_>, _: &mut Findings) -> Fate {
    let place = entry.place().clone();
    // Plain names, unless there is a prefix; that stands before an underscore.
    if !entry.has("prefix") {
        let value = Value::Null;
        entry.set(
            "prefix",
            Node {
                value,
                place: place.clone(),
            },
        );
    }
    entry.put("separator", Node::literal("_", place));
    if let Some(limit) = around.get(&["tool_timeout_secs"]) {
        shorten(entry, limit);
    }
    if let Some(limit) = around.get(&["max_concurrent_calls"]) {
        entry.put("maxConcurrentCalls", limit.clone());
    }
    let registers = around.get(&["auto_register_tools"]);
    if let Some(off) = registers.filter(|node| matches!(node.value, Value::Bool(false))) {
        let value = Value::List(Vec::new());
        let place = off.place.clone();
        let none = Node {
            value,
            place: place.clone(),
        };
        entry.put("tools", object(&place, [("allow", none)]));
    }
    Fate::Kept
}

/// A call ends with the shorter of the server's own time and that of all tools.
fn shorten(entry: &mut Entry, limit: &Node) {
    let read = |node: &Node| node.scalar().and_then(quantity::duration);
    let own = entry.get("callTimeout").and_then(read);
    if own.is_none_or(|own| read(limit).is_some_and(|limit: Duration| limit < own)) {
        entry.set("callTimeout", limit.clone());
    }
}
