//! `mcpServers`: our own format, and that of Claude Desktop, Claude Code, Cursor, Windsurf, Cline, Roo Code
//! and Copilot CLI, whose keys do not contradict each other.

use super::dialect::{Becomes, Container, Dialect, Format, Rule, always, nothing_else};

pub(super) const MCP_SERVERS: Dialect = Dialect {
    format: Format::McpServers,
    path: &["mcpServers"],
    container: Container::Map,
    keys: KEYS,
    recognises: always,
    finish: nothing_else,
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
];
