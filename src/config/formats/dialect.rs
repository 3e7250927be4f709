//! `Dialect`: one program's way of writing down servers, as data.

use indexmap::IndexMap;

use super::super::error::Findings;
use super::super::place::Place;
use super::super::sources::Environment;
use super::super::tree::Node;
use super::entry::Entry;
use super::{codex, gemini, mcp_servers, mistral_rs, vs_code, vt_code, zed};

/// Whose way of writing a file's servers are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// `mcpServers`: our own, and that of Claude Desktop, Claude Code, Cursor, Windsurf, Cline and Copilot CLI.
    McpServers,
    /// `mcpServers` with the keys of Gemini CLI.
    Gemini,
    /// `servers`, a map, as in VS Code's `mcp.json`.
    VsCode,
    /// `mcp.servers`, a map, as in VS Code's `settings.json`.
    VsCodeSettings,
    /// `servers`, an array, as mistral.rs has it.
    MistralRs,
    /// `context_servers`, as in Zed's `settings.json`.
    Zed,
    /// `mcp_servers`, as in Codex' `config.toml`.
    Codex,
    /// `mcp.providers`, an array, as in VT Code's `vtcode.toml`.
    VtCode,
}

/// The first that fits is that of a map of servers; one file may have several maps.
pub(super) const DIALECTS: &[&Dialect] = &[
    &gemini::GEMINI,
    &mcp_servers::MCP_SERVERS,
    &vs_code::VS_CODE,
    &vs_code::VS_CODE_SETTINGS,
    &mistral_rs::MISTRAL_RS,
    &zed::ZED,
    &codex::CODEX,
    &vt_code::VT_CODE,
];

/// Where the servers are, and what is said about them in which words.
pub(super) struct Dialect {
    pub(super) format: Format,
    /// The keys that lead to the servers.
    pub(super) path: &'static [&'static str],
    pub(super) container: Container,
    /// Keys of entries that mean something else than ours of that name, or that are not ours.
    pub(super) keys: &'static [Rule],
    /// What tells it from an earlier row with the same path and container.
    pub(super) recognises: fn(&Around<'_>, &Node) -> bool,
    /// Adds what the rest of the file says about an entry.
    pub(super) finish: fn(&str, &mut Entry, &Around<'_>, &mut Findings) -> Fate,
}

/// How the servers stand together.
#[derive(Clone, Copy)]
pub(super) enum Container {
    /// In an object, under their names.
    Map,
    /// In an array; each has its name under this key.
    Array(&'static str),
}

/// A key of theirs, and what it becomes.
pub(super) type Rule = (&'static str, Becomes);

/// What a key of an entry becomes. A key of ours that stands there beside it is stronger.
pub(super) enum Becomes {
    /// Nothing: it has no meaning here.
    Nothing,
    /// Our key of this name.
    Key(&'static str),
    /// A member of one of our objects.
    Member(&'static str, &'static str),
    /// Our key of this name; a number is milliseconds.
    Millis(&'static str),
    /// Our key of this name, in our words.
    Word(&'static str, &'static [(&'static str, &'static str)]),
    /// Its members are keys of the entry.
    Spread,
    /// A bearer token.
    Bearer,
    /// The name of the variable that holds a bearer token.
    BearerVariable,
    /// What is said under this name where there is an `oauth` object.
    Login(&'static str),
    /// What a function makes of it.
    With(fn(&mut Entry, Node)),
}

/// The file around a map of servers.
pub(super) struct Around<'a> {
    /// The members of the file, without the servers.
    pub(super) file: &'a IndexMap<String, Node>,
    /// The place of the whole file.
    pub(super) place: &'a Place,
    pub(super) env: &'a Environment,
}

impl Around<'_> {
    /// What stands under these keys.
    pub(super) fn get(&self, path: &[&str]) -> Option<&Node> {
        let (first, rest) = path.split_first()?;
        let start = self.file.get(*first).filter(|node| !node.is_null())?;
        rest.iter().try_fold(start, |node, key| node.get(key))
    }
}

/// What becomes of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    /// It is nobody's to run but the other program's.
    LeftOut,
}

/// For dialects that have their path for themselves.
pub(super) fn always(_: &Around<'_>, _: &Node) -> bool {
    true
}

/// For dialects whose files say nothing about servers elsewhere.
pub(super) fn nothing_else(_: &str, _: &mut Entry, _: &Around<'_>, _: &mut Findings) -> Fate {
    Fate::Kept
}
