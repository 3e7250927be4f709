//! mcpmux: one MCP server in front of many.
//!
//! The rooms, in the order in which to read them:
//!
//! * [`wire`]: JSON-RPC 2.0 in bytes. Knows no MCP and does no I/O.
//! * [`protocol`]: the words of MCP as pure data.
//! * [`config`]: what a person wrote.
//! * [`transport`]: pipes that move frames between processes.
//! * [`catalog`]: what is offered, under which name.

pub mod catalog;
pub mod config;
pub mod protocol;
pub mod transport;
pub mod wire;
