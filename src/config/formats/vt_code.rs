//! VT Code's `vtcode.toml`.

use super::super::error::Findings;
use super::super::tree::{Node, Value};
use super::dialect::{Around, Becomes, Container, Dialect, Fate, Format, Rule, always};
use super::entry::{Entry, off};

pub(super) const VT_CODE: Dialect = Dialect {
    format: Format::VtCode,
    path: &["mcp", "providers"],
    container: Container::Array("name"),
    keys: KEYS,
    recognises: always,
    finish,
};

const KEYS: &[Rule] = &[
    ("transport", Becomes::Spread),
    ("endpoint", Becomes::Key("url")),
    ("working_directory", Becomes::Key("cwd")),
    ("api_key_env", Becomes::BearerVariable),
    ("http_headers", Becomes::Key("headers")),
    ("env_http_headers", Becomes::Key("envHeaders")),
    ("startup_timeout_ms", Becomes::Millis("startupTimeout")),
    (
        "max_concurrent_requests",
        Becomes::Key("maxConcurrentCalls"),
    ),
    ("protocol_version", Becomes::Nothing),
];

/// The kinds that have lists of what is allowed.
const SECTIONS: [&str; 3] = ["tools", "resources", "prompts"];

fn finish(name: &str, entry: &mut Entry, around: &Around<'_>, _: &mut Findings) -> Fate {
    let enabled = around.get(&["mcp", "enabled"]);
    if let Some(switch) = enabled.filter(|node| is(node, false)) {
        entry.set("enabled", off(&switch.place));
    }
    let inherited: [(&str, &[&str]); 3] = [
        ("startupTimeout", &["mcp", "startup_timeout_seconds"]),
        ("callTimeout", &["mcp", "tool_timeout_seconds"]),
        ("callTimeout", &["mcp", "request_timeout_seconds"]),
    ];
    for (key, path) in inherited {
        if let Some(node) = around.get(path) {
            entry.put(key, node.clone());
        }
    }
    for section in SECTIONS {
        if let Some(list) = allowed(name, section, around) {
            entry.put_member(section, "allow", list);
        }
    }
    Fate::Kept
}

/// What the file allows of one kind. The list of a provider stands for the general one. Where lists are
/// enforced, nothing is allowed that is on none.
fn allowed(provider: &str, section: &str, around: &Around<'_>) -> Option<Node> {
    let list = |path: &[&str]| around.get(path).cloned();
    let enforce = list(&["mcp", "allowlist", "enforce"]);
    if enforce.as_ref().is_some_and(|node| is(node, false)) {
        return None;
    }
    let nothing = || {
        let enforce = enforce.filter(|node| is(node, true))?;
        let value = Value::List(Vec::new());
        Some(Node { value, ..enforce })
    };
    list(&["mcp", "allowlist", "providers", provider, section])
        .or_else(|| list(&["mcp", "allowlist", "default", section]))
        .or_else(|| list(&["mcp", "allowlist", section]))
        .or_else(nothing)
}

fn is(node: &Node, flag: bool) -> bool {
    matches!(node.value, Value::Bool(written) if written == flag)
}
