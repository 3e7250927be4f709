//! `Settings`: what holds for the whole mux.

use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};

use super::listen::Listen;
use crate::vault::Keep;

/// What to do when two entries have the same public name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnConflict {
    /// The first server in file order keeps the name; the later entry is not offered.
    #[default]
    First,
    /// The mux does not start.
    Error,
    /// The later entry gets `_2`, `_3` … behind its name.
    Suffix,
}

/// Whether a running mux follows its files as soon as they change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "bool")]
pub enum Watching {
    /// It does.
    #[default]
    Files,
    /// Only when it is told to.
    Nothing,
}

impl From<bool> for Watching {
    fn from(watch: bool) -> Self {
        if watch { Self::Files } else { Self::Nothing }
    }
}

/// How the health of a connected server is watched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Health {
    /// Time between two checks.
    #[serde(deserialize_with = "millis")]
    pub interval: Duration,
    /// How long one check may take.
    #[serde(deserialize_with = "millis")]
    pub timeout: Duration,
    /// Failed checks in a row after which the server counts as down, at least 1.
    pub unhealthy_threshold: u32,
}

/// When calls to a failing server are refused at once.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// Failures in a row that open the breaker, at least 1.
    pub failure_threshold: u32,
    /// How long it stays open before one call may try again.
    #[serde(deserialize_with = "millis")]
    pub timeout: Duration,
}

/// The value of `mux` in the configuration, with the environment and the flags laid over it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The files that are pulled in, as the last file with such a list says it.
    pub include: Vec<String>,
    /// Whether `${cmd:…}` may run programs.
    pub allow_commands: bool,
    /// Where to serve streamable HTTP; `None` = not at all.
    #[serde(deserialize_with = "address")]
    pub listen: Option<Listen>,
    /// The permissions of a Unix socket to listen on.
    pub socket_mode: u32,
    /// Whether to serve the transport of 2024-11-05 beside streamable HTTP.
    pub legacy_sse: bool,
    /// Whether to serve clients over WebSocket beside streamable HTTP.
    pub websocket: bool,
    /// Stands between prefix and name.
    pub separator: String,
    /// Longest public name, in characters.
    pub max_name_length: usize,
    /// What to do when two entries have the same public name.
    pub on_conflict: OnConflict,
    /// How long a server may take to come up.
    #[serde(deserialize_with = "millis")]
    pub startup_timeout: Duration,
    /// How long one call may take.
    #[serde(deserialize_with = "millis")]
    pub call_timeout: Duration,
    /// How long a client may take to answer what a server asks it during a call.
    #[serde(deserialize_with = "millis")]
    pub input_timeout: Duration,
    /// How many calls one server gets at once, at least 1.
    pub max_concurrent_calls: usize,
    /// How connected servers are watched.
    pub health: Health,
    /// When calls to a failing server are refused at once.
    pub circuit_breaker: CircuitBreaker,
    /// Further public name → the public name that it stands for.
    pub aliases: IndexMap<String, String>,
    /// How long the entries of a lost server stay listed.
    #[serde(deserialize_with = "millis")]
    pub grace: Duration,
    /// How long calls in flight may take to finish when the mux stops.
    #[serde(deserialize_with = "millis")]
    pub shutdown_grace: Duration,
    /// Longest message in bytes, in either direction.
    pub max_message_size: usize,
    /// How many sessions of legacy clients may exist at once.
    pub max_sessions: usize,
    /// How long a session may stay unused.
    #[serde(deserialize_with = "millis")]
    pub session_idle_timeout: Duration,
    /// How long modern clients may at least keep a list without asking again.
    #[serde(deserialize_with = "millis")]
    pub list_ttl: Duration,
    /// How many bytes of resources that were read are kept; 0 = none.
    pub cache_size: usize,
    /// Where logins are kept.
    pub credential_store: Keep,
    /// Values of the `Host` header to accept beside loopback and the listen address.
    pub allowed_hosts: Vec<String>,
    /// Values of the `Origin` header to accept beside loopback.
    pub allowed_origins: Vec<String>,
    /// Whether a running mux follows its files as soon as they change.
    pub watch_files: Watching,
    /// What to log: a level or filter directives.
    pub log_level: Option<String>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            unhealthy_threshold: 3,
        }
    }
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self {
            failure_threshold: 5,
            timeout: Duration::from_secs(60),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            include: Vec::new(),
            allow_commands: false,
            listen: None,
            socket_mode: 0o600,
            legacy_sse: false,
            websocket: false,
            separator: "__".into(),
            max_name_length: 64,
            on_conflict: OnConflict::First,
            startup_timeout: Duration::from_secs(30),
            call_timeout: Duration::from_secs(60),
            input_timeout: Duration::from_secs(600),
            max_concurrent_calls: 64,
            health: Health::default(),
            circuit_breaker: CircuitBreaker::default(),
            aliases: IndexMap::new(),
            grace: Duration::from_secs(300),
            shutdown_grace: Duration::from_secs(5),
            max_message_size: 64 * 1024 * 1024,
            max_sessions: 10_000,
            session_idle_timeout: Duration::from_secs(30 * 60),
            list_ttl: Duration::ZERO,
            credential_store: Keep::Auto,
            cache_size: 0,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            watch_files: Watching::Files,
            log_level: None,
        }
    }
}

fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Listen>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}
