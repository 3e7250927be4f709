//! Programs that keep MCP servers in files of theirs, as data. A new one is a row in [`PROGRAMS`].

use serde_json::{Value, json};

use super::edit::EntryText;
use super::formats::Format;

/// A program.
#[derive(Debug)]
pub struct Program {
    /// What a person types.
    pub key: &'static str,
    /// Its name.
    pub title: &'static str,
    /// How its files are written.
    pub format: Format,
    /// Where its files are, the first for all of the person's work.
    pub spots: &'static [Spot],
    /// Further members of an entry that is a command.
    stdio: &'static [Member],
    /// How it names a URL; `None` if it only runs commands.
    http: Option<UrlForm>,
}

/// Where a file is.
#[derive(Debug)]
pub struct Spot {
    /// What it is for.
    pub scope: Scope,
    /// The directory that the path starts at.
    pub base: Base,
    /// The path from there.
    pub path: &'static str,
}

/// For what a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of the person's work.
    User,
    /// The directory that it is in.
    Project,
}

/// A directory that is elsewhere on each system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The directory in this variable, else this one in the home directory.
    Home(&'static str, &'static str),
    /// Where programs of the system keep their files: `$XDG_CONFIG_HOME` or `~/.config`,
    /// `~/Library/Application Support`, `%APPDATA%`.
    Programs,
    /// `$XDG_CONFIG_HOME` or `~/.config` on macOS too; `%APPDATA%`.
    Config,
    /// The working directory.
    Here,
}

/// A member of an entry: text, or a list of one text.
type Member = (&'static str, Said);

#[derive(Debug)]
enum Said {
    Text(&'static str),
    List(&'static str),
}

#[derive(Debug)]
struct UrlForm {
    key: &'static str,
    more: &'static [Member],
}

/// How clients reach the mux.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// They start it.
    Command {
        /// The program.
        command: String,
        /// Its arguments.
        args: Vec<String>,
    },
    /// It runs.
    Url(String),
}

const fn user(base: Base, path: &'static str) -> Spot {
    let scope = Scope::User;
    Spot { scope, base, path }
}

const fn project(path: &'static str) -> Spot {
    let (scope, base) = (Scope::Project, Base::Here);
    Spot { scope, base, path }
}

const fn url(key: &'static str, more: &'static [Member]) -> UrlForm {
    UrlForm { key, more }
}

/// All programs, in the order in which they are shown.
pub const PROGRAMS: &[Program] = &[
    Program {
        key: "claude-desktop",
        title: "Claude Desktop",
        format: Format::McpServers,
        spots: &[user(Base::Programs, "Claude/claude_desktop_config.json")],
        stdio: &[],
        http: None,
    },
    Program {
        key: "claude-code",
        title: "Claude Code",
        format: Format::McpServers,
        spots: &[
            user(Base::Home("CLAUDE_CONFIG_DIR", ""), ".claude.json"),
            project(".mcp.json"),
        ],
        stdio: &[("type", Said::Text("stdio"))],
        http: Some(url("url", &[("type", Said::Text("http"))])),
    },
    Program {
        key: "cursor",
        title: "Cursor",
        format: Format::McpServers,
        spots: &[
            user(Base::Home("", ".cursor"), "mcp.json"),
            project(".cursor/mcp.json"),
        ],
        stdio: &[],
        http: Some(url("url", &[])),
    },
    Program {
        key: "windsurf",
        title: "Windsurf",
        format: Format::McpServers,
        spots: &[user(Base::Home("", ".codeium"), "windsurf/mcp_config.json")],
        stdio: &[],
        http: Some(url("serverUrl", &[])),
    },
    Program {
        key: "cline",
        title: "Cline",
        format: Format::McpServers,
        spots: &[user(
            Base::Programs,
            "Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
        )],
        stdio: &[],
        http: Some(url("url", &[("type", Said::Text("streamableHttp"))])),
    },
    Program {
        key: "gemini",
        title: "Gemini CLI",
        format: Format::Gemini,
        spots: &[
            user(Base::Home("", ".gemini"), "settings.json"),
            project(".gemini/settings.json"),
        ],
        stdio: &[],
        http: Some(url("httpUrl", &[])),
    },
    Program {
        key: "copilot",
        title: "Copilot CLI",
        format: Format::McpServers,
        spots: &[user(
            Base::Home("COPILOT_HOME", ".copilot"),
            "mcp-config.json",
        )],
        stdio: &[("type", Said::Text("local")), ("tools", Said::List("*"))],
        http: Some(url(
            "url",
            &[("type", Said::Text("http")), ("tools", Said::List("*"))],
        )),
    },
    Program {
        key: "vscode",
        title: "VS Code",
        format: Format::VsCode,
        spots: &[
            user(Base::Programs, "Code/User/mcp.json"),
            project(".vscode/mcp.json"),
        ],
        stdio: &[("type", Said::Text("stdio"))],
        http: Some(url("url", &[("type", Said::Text("http"))])),
    },
    Program {
        key: "zed",
        title: "Zed",
        format: Format::Zed,
        spots: &[
            user(Base::Config, "zed/settings.json"),
            project(".zed/settings.json"),
        ],
        stdio: &[],
        http: Some(url("url", &[])),
    },
    Program {
        key: "codex",
        title: "Codex",
        format: Format::Codex,
        spots: &[
            user(Base::Home("CODEX_HOME", ".codex"), "config.toml"),
            project(".codex/config.toml"),
        ],
        stdio: &[],
        http: Some(url("url", &[])),
    },
    Program {
        key: "vtcode",
        title: "VT Code",
        format: Format::VtCode,
        spots: &[
            user(Base::Home("", ".vtcode"), "vtcode.toml"),
            project("vtcode.toml"),
        ],
        stdio: &[],
        http: Some(url("endpoint", &[])),
    },
];

impl Program {
    /// The program that a person means.
    pub fn named(key: &str) -> Option<&'static Self> {
        PROGRAMS.iter().find(|program| program.key == key)
    }

    /// The entry that registers the mux; `None` if the program cannot be told a URL.
    pub fn entry(&self, way: &Way) -> Option<EntryText> {
        let (members, more) = match way {
            Way::Command { command, args } => {
                (json!({ "command": command, "args": args }), self.stdio)
            }
            Way::Url(address) => {
                let form = self.http.as_ref()?;
                (json!({ form.key: address }), form.more)
            }
        };
        let said = |(key, said): &Member| {
            let value = match said {
                Said::Text(text) => Value::from(*text),
                Said::List(text) => json!([text]),
            };
            ((*key).to_owned(), value)
        };
        // A `type` comes first, as these programs write it themselves.
        let is_type = |(key, _): &&Member| *key == "type";
        let first = more.iter().filter(is_type).map(said);
        let last = more.iter().filter(|member| !is_type(member)).map(said);
        let members = members.as_object().cloned().unwrap_or_default();
        Some(first.chain(members).chain(last).collect())
    }

    /// Whether an entry has nothing but what [`Self::entry`] writes, be it for another configuration.
    pub fn is_ours(&self, entry: &EntryText) -> bool {
        let own = |(key, _): &Member| *key;
        let http = self.http.iter();
        let keys = http.flat_map(|form| std::iter::once(form.key).chain(form.more.iter().map(own)));
        let mut known: Vec<&str> = keys.chain(self.stdio.iter().map(own)).collect();
        known.extend(["command", "args"]);
        entry.keys().all(|key| known.contains(&key.as_str()))
    }
}
