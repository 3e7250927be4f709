//! What the mux knows of its servers, for people.

use std::time::Duration;

use crate::catalog::{Conflict, DeadRule};
use crate::protocol::{Era, Kind, ServerName};
use crate::upstream::{ServerState, Upstream};

/// One server, at one moment.
#[derive(Clone, Debug)]
pub struct ServerReport {
    /// Its key in the configuration.
    pub name: ServerName,
    /// How it is connected: `stdio`, `http`, `sse` or `websocket`.
    pub transport: &'static str,
    /// The era that it speaks, once known.
    pub era: Option<Era>,
    /// The revision that was agreed on, once known.
    pub protocol_version: Option<String>,
    /// Where it is in its life.
    pub state: ServerState,
    /// How many tools it has, before any rule.
    pub tools: usize,
    /// How many resources it has.
    pub resources: usize,
    /// How many resource templates it has.
    pub templates: usize,
    /// How many prompts it has.
    pub prompts: usize,
    /// How long the last successful connect took.
    pub connect_time: Option<Duration>,
    /// What is wrong, if it is not ready.
    pub error: Option<String>,
    /// Whether the mux is of no use without it.
    pub required: bool,
}

impl ServerReport {
    pub(super) fn of(upstream: &Upstream) -> Self {
        let status = upstream.status();
        let config = upstream.config();
        let count = |kind| {
            status
                .inventory
                .as_ref()
                .map_or(0, |inventory| inventory.entries(kind).len())
        };
        Self {
            name: upstream.name.clone(),
            transport: config.transport.word(),
            era: status.era,
            protocol_version: status.protocol_version.clone(),
            tools: count(Kind::Tool),
            resources: count(Kind::Resource),
            templates: count(Kind::Template),
            prompts: count(Kind::Prompt),
            connect_time: status.connect_time,
            error: status.error.clone(),
            required: config.required,
            state: status.state,
        }
    }
}

/// What is odd about the current catalog.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    /// Names that two servers claim.
    pub conflicts: Vec<Conflict>,
    /// Rules that match nothing.
    pub dead_rules: Vec<DeadRule>,
}
