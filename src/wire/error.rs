//! What can be wrong with bytes.

use super::RequestId;

/// Bytes that are not what they were taken for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not a JSON text (RFC 8259) in UTF-8.
    #[error("not JSON at byte {at}: {detail}")]
    NotJson {
        /// Offset of the first byte that cannot be right.
        at: usize,
        /// What was expected there.
        detail: &'static str,
    },
    /// Valid JSON, but not of the shape that was asked for.
    #[error("unexpected JSON: {detail}")]
    Shape {
        /// The decoder's own words.
        detail: String,
    },
    /// A frame is longer than allowed; it was skipped and the stream goes on behind it.
    #[error("a message is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

/// A frame, or one element of a batch, that is no JSON-RPC 2.0 message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct Malformed {
    /// The id, where one can be read without guessing; always `None` for [`MalformedKind::Parse`].
    pub id: Option<RequestId>,
    /// Which of the two failures of JSON-RPC 2.0 section 5.1 it is.
    pub kind: MalformedKind,
    /// What is wrong; holds no bytes of the sender.
    pub detail: String,
}

/// The two ways to be malformed, as JSON-RPC 2.0 section 5.1 tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedKind {
    /// Not JSON.
    Parse,
    /// JSON, but not a message.
    Invalid,
}

impl MalformedKind {
    /// The error code to answer with.
    pub const fn code(self) -> i32 {
        match self {
            Self::Parse => -32700,
            Self::Invalid => -32600,
        }
    }
}

impl std::fmt::Display for MalformedKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Parse => "parse error",
            Self::Invalid => "invalid message",
        })
    }
}
