//! The words of MCP as pure data: names, kinds, methods, revisions, outcomes and error objects.
//!
//! Invariant: nothing here does I/O, waits, spawns, or knows the configuration.

mod kind;
mod names;

pub use kind::Kind;
pub use names::{OriginalName, PublicName, ServerName};
