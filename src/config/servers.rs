//! `ServerConfig`: one server entry, ready to use.

use std::sync::Arc;
use std::time::Duration;

use crate::protocol::ServerName;

use super::place::Place;
use super::rules::Rules;
use super::transport::TransportConfig;

/// How many clients may share one connection to a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// One connection for all; a server that asks questions gets connections of their own.
    #[default]
    Auto,
    /// One connection for all, whatever the server does.
    Shared,
    /// One connection per client.
    PerClient,
    /// One connection per call.
    Exclusive,
}

/// What comes first when another server comes in the place of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Replacement {
    /// The start of the new one, beside the old one: no call waits.
    #[default]
    StartFirst,
    /// The end of the old one, for what cannot be there twice.
    StopFirst,
}

/// One enabled server. What the entry leaves out is filled in from the settings.
/// Equality ignores where the entry was written.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The entry's key.
    pub name: ServerName,
    /// How the server is reached.
    pub transport: TransportConfig,
    /// How its entries are filtered and named.
    pub rules: Arc<Rules>,
    /// Whether the mux may not run without it.
    pub required: bool,
    /// How long it may take to come up.
    pub startup_timeout: Duration,
    /// How long one call may take.
    pub call_timeout: Duration,
    /// How many calls it gets at once, at least 1.
    pub max_concurrent_calls: usize,
    /// How clients share it.
    pub sharing: Sharing,
    /// How it comes in the place of the one before it.
    pub replacement: Replacement,
    /// Where the entry was written.
    pub place: Place,
}

impl PartialEq for ServerConfig {
    fn eq(&self, other: &Self) -> bool {
        // Taken apart so that a new field cannot be forgotten here.
        let Self {
            name,
            transport,
            rules,
            required,
            startup_timeout,
            call_timeout,
            max_concurrent_calls,
            sharing,
            replacement,
            place: _,
        } = self;
        *name == other.name
            && *transport == other.transport
            && *rules == other.rules
            && *required == other.required
            && *startup_timeout == other.startup_timeout
            && *call_timeout == other.call_timeout
            && *max_concurrent_calls == other.max_concurrent_calls
            && *sharing == other.sharing
            && *replacement == other.replacement
    }
}

impl Eq for ServerConfig {}
