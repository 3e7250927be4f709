//! The servers and their states, as a table and as JSON.

use serde::Serialize;

use super::style::{Paint, Style};
use super::table::{Cell, Table};
use crate::config::ServerConfig;
use crate::mux::ServerReport;

/// The state of a server that nobody has tried to reach.
const UNTRIED: &str = "not checked";
/// The state of a server that is being connected to.
pub(super) const CONNECTING: &str = "connecting";
/// The state of a server that answers.
pub(super) const READY: &str = "ready";

/// One server. The members are part of the contract with scripts.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerLine {
    pub(super) name: String,
    pub(super) transport: &'static str,
    /// `legacy` or `modern`, once known.
    pub(super) era: Option<String>,
    pub(super) protocol_version: Option<String>,
    pub(super) state: &'static str,
    pub(super) tools: usize,
    pub(super) resources: usize,
    pub(super) templates: usize,
    pub(super) prompts: usize,
    /// Milliseconds that the last successful connect took.
    pub(super) connect_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(skip)]
    pub(super) required: bool,
}

impl ServerLine {
    /// A server that is only known from the configuration.
    pub(super) fn untried(config: &ServerConfig) -> Self {
        Self {
            name: config.name.to_string(),
            transport: config.transport.word(),
            era: None,
            protocol_version: None,
            state: UNTRIED,
            tools: 0,
            resources: 0,
            templates: 0,
            prompts: 0,
            connect_ms: None,
            error: None,
            required: config.required,
        }
    }

    /// A server as the mux sees it.
    pub(super) fn of(report: &ServerReport) -> Self {
        Self {
            name: report.name.to_string(),
            transport: report.transport,
            era: report.era.map(|era| era.to_string()),
            protocol_version: report.protocol_version.clone(),
            state: report.state.word(),
            tools: report.tools,
            resources: report.resources,
            templates: report.templates,
            prompts: report.prompts,
            connect_ms: report.connect_time.map(|time| time.as_millis() as u64),
            error: report.error.clone(),
            required: report.required,
        }
    }

    /// Whether the server answers.
    pub(super) fn is_ready(&self) -> bool {
        self.state == READY
    }

    /// What is wrong with a server that does not answer.
    pub(super) fn trouble(&self) -> String {
        match &self.error {
            Some(error) => format!("server `{}` is not available: {error}", self.name),
            None => format!(
                "server `{}` is not available: it is still {}",
                self.name, self.state
            ),
        }
    }

    fn cells(&self) -> Vec<Cell> {
        let known = self.is_ready() || self.protocol_version.is_some();
        let number = |count: usize| {
            if known {
                count.to_string()
            } else {
                "-".to_owned()
            }
        };
        let paint = match self.state {
            READY => Paint::Good,
            UNTRIED => Paint::Faint,
            CONNECTING => Paint::Doubtful,
            _ => Paint::Bad,
        };
        vec![
            Cell::plain(&self.name),
            Cell::plain(self.transport),
            Cell::plain(self.era.as_deref().unwrap_or("-")),
            Cell::plain(self.protocol_version.as_deref().unwrap_or("-")),
            Cell::painted(self.state, paint),
            Cell::plain(number(self.tools)),
            Cell::plain(number(self.resources)),
            Cell::plain(number(self.templates)),
            Cell::plain(number(self.prompts)),
            Cell::plain(
                self.connect_ms
                    .map_or("-".to_owned(), |ms| format!("{ms} ms")),
            ),
        ]
    }
}

/// The servers as a table.
pub(super) fn table(servers: &[ServerLine], style: Style, width: Option<usize>) -> String {
    let mut table = Table::new(&[
        "SERVER",
        "TRANSPORT",
        "ERA",
        "REVISION",
        "STATE",
        "TOOLS",
        "RESOURCES",
        "TEMPLATES",
        "PROMPTS",
        "TIME",
    ]);
    for server in servers {
        table.row(server.cells());
    }
    table.render(style, width)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A server that answers, and one that does not.
    pub(in crate::cli) fn two() -> Vec<ServerLine> {
        let ready = ServerLine {
            name: "files".into(),
            transport: "stdio",
            era: Some("modern".into()),
            protocol_version: Some("2026-07-28".into()),
            state: "ready",
            tools: 14,
            resources: 2,
            templates: 1,
            prompts: 0,
            connect_ms: Some(35),
            error: None,
            required: true,
        };
        let down = ServerLine {
            name: "git\u{1b}[2J".into(),
            era: None,
            protocol_version: None,
            state: "unavailable",
            tools: 0,
            connect_ms: None,
            error: Some("command `uvx` was not found".into()),
            required: false,
            ..ready.clone()
        };
        vec![ready, down]
    }

    #[test]
    fn the_table_shows_what_is_known() {
        insta::assert_snapshot!(table(&two(), Style::Plain, None), @r"
        SERVER  TRANSPORT  ERA     REVISION    STATE        TOOLS  RESOURCES  TEMPLATES  PROMPTS  TIME
        files   stdio      modern  2026-07-28  ready        14     2          1          0        35 ms
        git[2J  stdio      -       -           unavailable  -      -          -          -        -
        ");
    }

    #[test]
    fn json_has_the_members_of_the_contract() {
        insta::assert_snapshot!(serde_json::to_string_pretty(&two()).unwrap(), @r#"
        [
          {
            "name": "files",
            "transport": "stdio",
            "era": "modern",
            "protocolVersion": "2026-07-28",
            "state": "ready",
            "tools": 14,
            "resources": 2,
            "templates": 1,
            "prompts": 0,
            "connectMs": 35
          },
          {
            "name": "git\u001b[2J",
            "transport": "stdio",
            "era": null,
            "protocolVersion": null,
            "state": "unavailable",
            "tools": 0,
            "resources": 2,
            "templates": 1,
            "prompts": 0,
            "connectMs": null,
            "error": "command `uvx` was not found"
          }
        ]
        "#);
    }

    #[test]
    fn a_server_that_is_away_says_why() {
        let mut server = two().remove(1);
        server.name = "git".into();
        assert_eq!(
            server.trouble(),
            "server `git` is not available: command `uvx` was not found"
        );
        server.error = None;
        server.state = "connecting";
        assert_eq!(
            server.trouble(),
            "server `git` is not available: it is still connecting"
        );
    }
}
