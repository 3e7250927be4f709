//! `mcpServers`: our own format, and that of Claude Desktop, Claude Code, Cursor, Windsurf, Cline, Roo Code
//! and Copilot CLI, whose keys do not contradict each other; but for `timeout`.

use super::dialect::{Becomes, Container, Dialect, Format, Rule, always};
use super::{cline, login};

pub(super) const MCP_SERVERS: Dialect = Dialect {
    format: Format::McpServers,
    path: &["mcpServers"],
    container: Container::Map,
    keys: KEYS,
    recognises: always,
    finish: cline::count_seconds,
};

/// Words for our `type`.
pub(super) const TYPES: &[(&str, &str)] = &[
    ("local", "stdio"),
    ("remote", "http"),
    ("streamable_http", "http"),
    ("streamablehttp", "http"),
    ("streamableHTTP", "http"),
];

const KEYS: &[Rule] = &[
    ("type", Becomes::Word("type", TYPES)),
    ("transport", Becomes::Word("type", TYPES)),
    ("transportType", Becomes::Word("type", TYPES)),
    // Windsurf.
    ("serverUrl", Becomes::Key("url")),
    ("disabledTools", Becomes::Member("tools", "deny")),
    // Claude Code.
    ("oauth", Becomes::With(login::oauth)),
    // Copilot CLI.
    ("oauthClientId", Becomes::Login("clientId")),
    ("oauthPublicClient", Becomes::Nothing),
];
