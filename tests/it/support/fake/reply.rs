//! What a handler answers.

use serde_json::{Value, json};

/// An answer; `Result` and `Error` hold JSON text that goes out byte for byte.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Result(String),
    Error(String),
    /// These bytes in place of a message.
    Frame(Vec<u8>),
    /// What the fake answers of itself.
    Usual,
    /// No answer, ever.
    Nothing,
}

impl Reply {
    /// A result, as text.
    pub(crate) fn raw(result: impl Into<String>) -> Self {
        Self::Result(result.into())
    }

    /// The result of a tool that says one text.
    pub(crate) fn text(text: &str) -> Self {
        Self::from(json!({"content": [{"type": "text", "text": text}]}))
    }

    pub(crate) fn error(code: i64, message: &str) -> Self {
        Self::Error(json!({"code": code, "message": message}).to_string())
    }
}

impl From<Value> for Reply {
    fn from(result: Value) -> Self {
        Self::Result(result.to_string())
    }
}
