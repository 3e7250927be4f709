//! Why a call failed, and the only place that puts it into words for the wire.

use std::time::Duration;

use serde::Serialize;

use crate::protocol::{Era, Kind, PublicName, RpcError, Said, ServerName, code};
use crate::upstream::UpstreamError;
use crate::wire::Json;

/// What a client asked for that is not there.
#[derive(Debug, PartialEq)]
pub struct Unknown {
    /// What sort of thing.
    pub kind: Kind,
    /// As the client wrote it.
    pub name: String,
    /// What it may have meant.
    pub suggestion: Option<PublicName>,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There is no such entry.
    #[error("unknown {} `{}`", .0.kind.noun(), .0.name.escape_debug())]
    Unknown(Unknown),
    /// The params are not what the method takes.
    #[error("{0}")]
    BadParams(String),
    /// The method is not known here.
    #[error("method `{}` is not known", .0.escape_debug())]
    UnknownMethod(String),
    /// The server answered an error of its own.
    #[error("the server answered an error: {}", .said.json)]
    Answered {
        /// Which server.
        server: ServerName,
        /// The error object.
        said: Said,
        /// The capability for lack of which a question of the server had been refused before, if any.
        lacking: Option<Json>,
    },
    /// The server failed.
    #[error("server `{server}`: {source}")]
    Upstream {
        /// Which server.
        server: ServerName,
        /// What happened.
        source: UpstreamError,
    },
    /// The request may or may not have been carried out, and must not be repeated unasked.
    #[error(
        "server `{server}`: the connection was lost before the answer came; the call may or may not have happened"
    )]
    OutcomeUnknown {
        /// Which server.
        server: ServerName,
    },
    /// The client did not answer in time what the server asked.
    #[error("the client did not answer the server's questions in time")]
    InputExpired,
    /// The server asks, and there is nobody to answer.
    #[error("the server asks the client something, which cannot be answered here")]
    Asked,
    /// The client refused to answer, with this error, and the server cannot be told so.
    #[error("the client refused to answer `{method}`: {error}")]
    Refused {
        /// What it was asked.
        method: String,
        /// The client's error object.
        error: Json,
    },
    /// Too many questions wait for answers.
    #[error("too many calls wait for answers of their clients")]
    TooManyParked,
}

#[derive(Serialize)]
struct Data<'a> {
    mcpmux: Detail<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

impl CallError {
    /// A failure of this server; its own error objects pass as they are.
    pub(super) fn of(server: &ServerName, source: UpstreamError) -> Self {
        match source {
            UpstreamError::Answered(said) => Self::Answered {
                server: server.clone(),
                said,
                lacking: None,
            },
            UpstreamError::Unasked { lacking, said } => Self::Answered {
                server: server.clone(),
                said,
                lacking: Some(lacking),
            },
            UpstreamError::Refused { method, error } => Self::Refused { method, error },
            source => Self::Upstream {
                server: server.clone(),
                source,
            },
        }
    }

    /// The error object for the client, and the era in which it was said: `None` if the mux says it.
    pub fn to_rpc(&self) -> (Json, Option<Era>) {
        match self {
            Self::Answered { said, .. } => (said.json.clone(), said.era),
            _ => (self.compose().to_json(), None),
        }
    }

    fn compose(&self) -> RpcError {
        let (number, kind, server, retry) = self.classify();
        let suggestion = match self {
            Self::Unknown(unknown) => unknown.suggestion.as_ref(),
            _ => None,
        };
        let message = match suggestion {
            Some(name) => format!("{self}; did you mean `{name}`?"),
            None => self.to_string(),
        };
        let error = RpcError::new(number, message);
        let detail = Detail {
            kind,
            server: server.map(ServerName::as_str),
            suggestion: suggestion.map(PublicName::as_str),
            retry_after_ms: retry.map(|retry| retry.as_millis() as u64),
        };
        let data = Json::encode(&Data { mcpmux: detail });
        match self {
            Self::Unknown(Unknown {
                kind: Kind::Resource,
                name,
                ..
            }) => {
                let mcpmux = data.get("mcpmux").unwrap_or_else(Json::null);
                error.with_data(&Json::object([
                    ("uri", &Json::string(name)),
                    ("mcpmux", &mcpmux),
                ]))
            }
            _ => error.with_data(&data),
        }
    }

    /// Code, kind, server, and when to try again.
    fn classify(&self) -> (i64, &'static str, Option<&ServerName>, Option<Duration>) {
        match self {
            Self::Unknown(_) => (code::INVALID_PARAMS, "unknown", None, None),
            Self::BadParams(_) => (code::INVALID_PARAMS, "badParams", None, None),
            Self::UnknownMethod(_) => (code::METHOD_NOT_FOUND, "unknownMethod", None, None),
            Self::Answered { .. } => (code::INTERNAL, "answered", None, None),
            Self::OutcomeUnknown { server } => {
                (code::OUTCOME_UNKNOWN, "outcomeUnknown", Some(server), None)
            }
            Self::InputExpired => (code::TIMEOUT, "inputExpired", None, None),
            Self::Asked => (code::MISSING_CAPABILITY, "asked", None, None),
            Self::Refused { .. } => (code::NOT_PERMITTED, "inputRefused", None, None),
            Self::TooManyParked => (code::OVERLOADED, "overloaded", None, None),
            Self::Upstream { server, source } => {
                let (number, kind, retry) = classify_upstream(source);
                (number, kind, Some(server), retry)
            }
        }
    }
}

fn classify_upstream(error: &UpstreamError) -> (i64, &'static str, Option<Duration>) {
    match error {
        UpstreamError::Unavailable { retry_in, .. } => {
            (code::UNAVAILABLE, "unavailable", *retry_in)
        }
        UpstreamError::NeedsLogin { .. } => (code::UNAVAILABLE, "needsLogin", None),
        UpstreamError::Lost | UpstreamError::SessionLost | UpstreamError::Replaced => {
            (code::UNAVAILABLE, "unavailable", None)
        }
        UpstreamError::Unwatched => (code::INVALID_PARAMS, "notWatched", None),
        UpstreamError::Timeout(_) => (code::TIMEOUT, "timeout", None),
        UpstreamError::Overloaded => (code::OVERLOADED, "overloaded", None),
        UpstreamError::Broken(_)
        | UpstreamError::Status(_)
        | UpstreamError::Denied { .. }
        | UpstreamError::Transport(_)
        | UpstreamError::Answered(_)
        | UpstreamError::Unasked { .. }
        | UpstreamError::Refused { .. } => (code::BROKEN, "broken", None),
    }
}
