//! What can go wrong on a pipe.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::wire::WireError;

/// A failure of a link, a child process or an HTTP exchange.
///
/// No variant holds a secret: URLs are cut to their origin, headers are named and not shown.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TransportError {
    /// The other side is gone, or we closed the link.
    #[error("the link is closed")]
    Closed,
    /// The queue towards the other side is full; nothing was taken.
    #[error("the other side does not read: its queue is full")]
    Full,
    /// One frame, body or event was larger than allowed. The link itself lives on.
    #[error("a message is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Reading or writing a pipe failed.
    #[error("{what} failed: {detail}")]
    Io {
        /// What was tried: `reading`, `writing`.
        what: &'static str,
        /// The system's words.
        detail: String,
    },
    /// No such program.
    #[error("command `{command}` was not found")]
    NotFound {
        /// The program as configured.
        command: String,
    },
    /// No such working directory.
    #[error("directory `{}` was not found", path.display())]
    NoDirectory {
        /// The directory as configured.
        path: PathBuf,
    },
    /// The program is there and could not be started.
    #[error("command `{command}` could not be started: {detail}")]
    Spawn {
        /// The program as configured.
        command: String,
        /// The system's words.
        detail: String,
    },
    /// The configured URL cannot be used.
    #[error("the URL is not usable: {detail}")]
    BadUrl {
        /// Why not.
        detail: String,
    },
    /// A configured header cannot be sent.
    #[error("header `{name}` has characters that HTTP does not allow")]
    BadHeader {
        /// The header's name.
        name: String,
    },
    /// There is no token to show, and none can be had now; the request was never sent.
    #[error("there is no token for the request: {detail}")]
    Credentials {
        /// Why not.
        detail: String,
    },
    /// No connection was made; the request was never sent.
    #[error("cannot connect to `{origin}`: {detail}")]
    Connect {
        /// Scheme, host and port.
        origin: String,
        /// The innermost cause.
        detail: String,
    },
    /// No connection was made within the time for it; the request was never sent.
    #[error("`{origin}` did not accept a connection within {after:?}")]
    Timeout {
        /// Scheme, host and port.
        origin: String,
        /// How long we waited.
        after: Duration,
    },
    /// The certificate or the handshake was refused; the request was never sent.
    #[error("no secure connection to `{origin}`: {detail}")]
    Tls {
        /// Scheme, host and port.
        origin: String,
        /// The innermost cause.
        detail: String,
    },
    /// The exchange broke off. The request may have reached the server.
    #[error("the connection to `{origin}` broke: {detail}")]
    Http {
        /// Scheme, host and port.
        origin: String,
        /// The innermost cause.
        detail: String,
    },
    /// The other side ended a WebSocket, and said why.
    #[error("the WebSocket was closed with code {code}{}", said(reason))]
    WebSocket {
        /// The code of the close frame (RFC 6455, section 7.4).
        code: u16,
        /// The words beside it; may be empty.
        reason: String,
    },
    /// The other side does not speak WebSocket as the handshake or the frames demand.
    #[error("the WebSocket is broken: {detail}")]
    NoWebSocket {
        /// What was wrong.
        detail: String,
    },
    /// The bytes of an event stream were not what the format allows.
    #[error("the event stream is broken: {detail}")]
    Events {
        /// What was wrong.
        detail: String,
    },
}

impl TransportError {
    /// Whether it is certain that the request has not left this process, so that repeating it is safe.
    pub fn never_sent(&self) -> bool {
        !matches!(
            self,
            Self::Closed
                | Self::TooLarge { .. }
                | Self::Io { .. }
                | Self::Http { .. }
                | Self::WebSocket { .. }
                | Self::NoWebSocket { .. }
                | Self::Events { .. }
        )
    }

    pub(super) fn reading(error: &io::Error) -> Self {
        Self::Io {
            what: "reading",
            detail: error.to_string(),
        }
    }
}

/// The other side's words behind our own, without what could steer a terminal.
fn said(reason: &str) -> String {
    if reason.is_empty() {
        return String::new();
    }
    format!(": {}", reason.escape_debug())
}

impl From<WireError> for TransportError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::TooLarge { limit } => Self::TooLarge { limit },
            other => Self::Events {
                detail: other.to_string(),
            },
        }
    }
}
