//! JSON-RPC 2.0 in bytes.
//!
//! A received frame is scanned once by [`Frame::parse`]; only the id and the method are decoded. Payloads stay what they
//! were on the wire: [`Json`] is a refcounted slice of the frame, and [`Splice`] replaces single members of it without
//! touching the bytes around them. [`LineDecoder`] and [`SseDecoder`] cut byte streams into frames.
//!
//! Invariant: this room knows no MCP method, performs no I/O and never recurses on nesting.

mod error;
mod frame;
mod id;
mod json;
mod lines;
mod message;
mod nesting;
mod pieces;
mod runs;
mod scan;
mod span;
mod splice;
mod sse;
mod sse_decoder;
mod text;
mod walk;

#[cfg(test)]
mod properties;

pub use error::{Malformed, MalformedKind, WireError};
pub use frame::{Frame, MAX_BATCH};
pub use id::RequestId;
pub use json::{Entry, Json, JsonKind};
pub use lines::LineDecoder;
pub use message::{Message, Notification, Request, Response};
pub use pieces::Pieces;
pub use splice::Splice;
pub use sse::SseEvent;
pub use sse_decoder::SseDecoder;
