//! What can go wrong with a server.

use std::time::Duration;

use crate::protocol::Said;
use crate::transport::TransportError;
use crate::wire::Json;

/// Why a server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The request did not reach the server, which is down or not up yet.
    #[error("{why}")]
    Unavailable {
        /// What is wrong, for people.
        why: String,
        /// When it will be tried again.
        retry_in: Option<Duration>,
    },
    /// The server wants credentials that it did not get.
    #[error("{why}")]
    NeedsLogin {
        /// 401 or 403.
        status: u16,
        /// What is wrong and what a person can do, for people.
        why: String,
    },
    /// The link ended after the request had been sent and before it was answered.
    #[error("the connection was lost before the answer came")]
    Lost,
    /// The server does not know our session any more; the request was not carried out.
    #[error("the server has forgotten the session")]
    SessionLost,
    /// The server answered with an HTTP status and nothing that explains it.
    #[error("the server answered HTTP status {0}")]
    Status(u16),
    /// The server answered a handshake with an HTTP status, and with an error object that is about no request.
    #[error("the server answered HTTP status {status}: {error}")]
    Denied {
        /// The status.
        status: u16,
        /// The error object.
        error: Json,
    },
    /// The server answered nonsense.
    #[error("{0}")]
    Broken(String),
    /// The server's own error object, verbatim.
    #[error("the server answered an error: {}", .0.json)]
    Answered(Said),
    /// The server's own error object, after it had to be refused an answer, since the client cannot be asked.
    #[error("the server answered an error: {}", .said.json)]
    Unasked {
        /// The capability that the client lacks, as the object that would declare it.
        lacking: Json,
        /// What the server said.
        said: Said,
    },
    /// The client refused to answer, with this error, and the server cannot be told so.
    #[error("the client refused to answer `{method}`: {error}")]
    Refused {
        /// What it was asked.
        method: String,
        /// The client's error object.
        error: Json,
    },
    /// The server does not tell of changes of this resource.
    #[error("the server does not tell of changes of this resource")]
    Unwatched,
    /// Too many calls are under way or waiting.
    #[error("too many calls are waiting for this server")]
    Overloaded,
    /// Time ran out.
    #[error("no answer within {}s", .0.as_secs_f64())]
    Timeout(Duration),
    /// Another one has come in its place, or it is not to be called any more. Nothing was sent.
    #[error("the server was replaced")]
    Replaced,
    /// The pipe failed.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

impl UpstreamError {
    /// The request did not reach the server.
    pub(super) fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable {
            why: why.into(),
            retry_in: None,
        }
    }

    /// The server refused with this status; `advice` is what a person can do.
    pub(super) fn needs_login(status: u16, advice: Option<String>) -> Self {
        let what = match (status, &advice) {
            (401, _) => "the server wants a login",
            (_, Some(_)) => "the server does not allow this to the present login",
            (_, None) => "the server does not allow this",
        };
        let advice = advice.map(|advice| format!(": {advice}"));
        let why = format!(
            "{what} (HTTP status {status}){}",
            advice.unwrap_or_default()
        );
        Self::NeedsLogin { status, why }
    }
}
