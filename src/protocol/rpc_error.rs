//! JSON-RPC error objects and the codes that the mux uses.

use serde::{Deserialize, Serialize};

use crate::wire::Json;

/// Error codes: JSON-RPC's, the specification's, and the mux's own in the implementation-defined range.
pub mod code {
    /// The bytes are not JSON.
    pub const PARSE: i64 = -32700;
    /// JSON, but not a JSON-RPC message.
    pub const INVALID_REQUEST: i64 = -32600;
    /// The method is not known.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// The params are wrong, or name something unknown.
    pub const INVALID_PARAMS: i64 = -32602;
    /// A bug in the mux.
    pub const INTERNAL: i64 = -32603;
    /// Resource not found, up to 2025-11-25.
    pub const LEGACY_RESOURCE_NOT_FOUND: i64 = -32002;
    /// The server is not available.
    pub const UNAVAILABLE: i64 = -32010;
    /// The server did not answer in time.
    pub const TIMEOUT: i64 = -32011;
    /// The server's answer is broken.
    pub const BROKEN: i64 = -32012;
    /// A bound is reached; try again later.
    pub const OVERLOADED: i64 = -32013;
    /// The caller may not do this.
    pub const NOT_PERMITTED: i64 = -32014;
    /// The call may or may not have happened.
    pub const OUTCOME_UNKNOWN: i64 = -32015;
    /// The user has to visit a URL first (2025-11-25).
    pub const URL_ELICITATION_REQUIRED: i64 = -32042;
    /// A header does not agree with the body (2026-07-28).
    pub const HEADER_MISMATCH: i64 = -32020;
    /// The client lacks a capability that the request needs (2026-07-28).
    pub const MISSING_CAPABILITY: i64 = -32021;
    /// The revision is not spoken here (2026-07-28).
    pub const UNSUPPORTED_VERSION: i64 = -32022;

    /// Whether only servers of 2026-07-28 refuse a request with this code. Over HTTP its status is 400.
    pub fn is_modern_refusal(code: i64) -> bool {
        matches!(
            code,
            HEADER_MISMATCH | MISSING_CAPABILITY | UNSUPPORTED_VERSION
        )
    }
}

/// An error object that the mux composes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RpcError {
    /// One of [`code`].
    pub code: i64,
    /// A sentence for people.
    pub message: String,
    /// What a program may want to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Json>,
}

impl RpcError {
    /// An error without data.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    /// The same error with data.
    #[must_use]
    pub fn with_data<T: Serialize>(mut self, data: &T) -> Self {
        self.data = Some(Json::encode(data));
        self
    }

    /// The error object.
    pub fn to_json(&self) -> Json {
        Json::encode(self)
    }

    /// The code of an error object that somebody else composed.
    pub fn code_of(error: &Json) -> Option<i64> {
        #[derive(Deserialize)]
        struct Code {
            code: i64,
        }
        error.decode::<Code>().ok().map(|error| error.code)
    }
}
