//! Codex' `config.toml`.

use super::super::tree::{Node, Value};
use super::dialect::{Becomes, Container, Dialect, Format, Rule, always, nothing_else};
use super::entry::Entry;

pub(super) const CODEX: Dialect = Dialect {
    format: Format::Codex,
    path: &["mcp_servers"],
    container: Container::Map,
    keys: KEYS,
    recognises: always,
    finish: nothing_else,
};

const KEYS: &[Rule] = &[
    ("startup_timeout_sec", Becomes::Key("startupTimeout")),
    ("startup_timeout_ms", Becomes::Millis("startupTimeout")),
    ("tool_timeout_sec", Becomes::Key("callTimeout")),
    ("enabled_tools", Becomes::Member("tools", "allow")),
    ("disabled_tools", Becomes::Member("tools", "deny")),
    ("tools", Becomes::With(tools)),
    ("http_headers", Becomes::Key("headers")),
    ("env_http_headers", Becomes::Key("envHeaders")),
    ("bearer_token", Becomes::Bearer),
    ("bearer_token_env_var", Becomes::BearerVariable),
    // A program inherits the whole environment here.
    ("env_vars", Becomes::Nothing),
    ("default_tools_approval_mode", Becomes::Nothing),
    ("disabled_reason", Becomes::Nothing),
    ("environment_id", Becomes::Nothing),
    ("experimental_environment", Becomes::Nothing),
    ("supports_parallel_tool_calls", Becomes::Nothing),
];

/// Theirs says which tools run without being asked for; ours has other members.
fn tools(entry: &mut Entry, node: Node) {
    const OURS: [&str; 4] = ["allow", "deny", "rename", "describe"];
    let is_ours = match &node.value {
        Value::Map(members) => members.keys().any(|key| OURS.contains(&key.as_str())),
        _ => true,
    };
    if is_ours {
        entry.put("tools", node);
    }
}
