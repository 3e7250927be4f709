//! Codex' `config.toml`.

use super::super::error::Findings;
use super::super::tree::{Node, Value};
use super::dialect::{Around, Becomes, Container, Dialect, Fate, Format, Rule, always};
use super::entry::Entry;
use super::login;

pub(super) const CODEX: Dialect = Dialect {
    format: Format::Codex,
    path: &["mcp_servers"],
    container: Container::Map,
    keys: KEYS,
    recognises: always,
    finish,
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
    ("http_headers_helper", Becomes::Key("headersHelper")),
    ("oauth", Becomes::With(login::oauth)),
    ("scopes", Becomes::Login("scopes")),
    // A program inherits the whole environment here.
    ("env_vars", Becomes::Nothing),
    ("default_tools_approval_mode", Becomes::Nothing),
    ("disabled_reason", Becomes::Nothing),
    ("environment_id", Becomes::Nothing),
    ("experimental_environment", Becomes::Nothing),
    ("supports_parallel_tool_calls", Becomes::Nothing),
];

fn finish(_: &str, entry: &mut Entry, around: &Around<'_>, _: &mut Findings) -> Fate {
    if let Some(port) = around.get(&["mcp_oauth_callback_port"]) {
        entry.log_in("redirectPort", port.clone());
    }
    Fate::Kept
}

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
