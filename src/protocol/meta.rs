//! The members of `_meta` that the protocol itself defines.

use crate::wire::Json;

/// Keys of `_meta` (2026-07-28, "General fields").
pub mod keys {
    /// The revision that a request is written in.
    pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    /// Who the client is.
    pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
    /// What the client can do.
    pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    /// Which log messages a request wants.
    pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
    /// Who the server is.
    pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
    /// Which subscription a notification belongs to.
    pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
    /// Which server asks: the mux's word, in the params of a question.
    pub const ASKED_BY: &str = "mcpmux/server";
    /// What reports of progress carry.
    pub const PROGRESS_TOKEN: &str = "progressToken";
    /// The keys that belong to the connection between two neighbours, not to the request itself.
    pub const HOP: [&str; 4] = [
        PROTOCOL_VERSION,
        CLIENT_INFO,
        CLIENT_CAPABILITIES,
        LOG_LEVEL,
    ];
}

/// What `_meta` of a request says, each value as it was sent.
#[derive(Clone, Debug, Default)]
pub struct Meta {
    /// The revision of a modern request.
    pub protocol_version: Option<Json>,
    /// The client's `Implementation`.
    pub client_info: Option<Json>,
    /// The client's capabilities for this request.
    pub client_capabilities: Option<Json>,
    /// The least grave log message that the request wants.
    pub log_level: Option<Json>,
    /// The client's token for progress.
    pub progress_token: Option<Json>,
}

impl Meta {
    /// Reads `_meta`. Anything but an object says nothing.
    pub fn read(meta: &Json) -> Self {
        let mut read = Self::default();
        for entry in meta.entries() {
            let key = entry.key();
            let slots = [
                (keys::PROTOCOL_VERSION, &mut read.protocol_version),
                (keys::CLIENT_INFO, &mut read.client_info),
                (keys::CLIENT_CAPABILITIES, &mut read.client_capabilities),
                (keys::LOG_LEVEL, &mut read.log_level),
                (keys::PROGRESS_TOKEN, &mut read.progress_token),
            ];
            for (name, slot) in slots {
                if *key == *name.as_bytes() {
                    *slot = Some(entry.value());
                }
            }
        }
        read
    }
}
