//! mcpmux: one MCP server in front of many.
//!
//! The rooms, in the order in which to read them:
//!
//! * [`wire`]: JSON-RPC 2.0 in bytes. Knows no MCP and does no I/O.
//! * [`protocol`]: the words of MCP as pure data.
//! * [`config`]: what a person wrote.
//! * [`vault`]: secrets at rest.
//! * [`transport`]: pipes that move frames between processes.
//! * [`oauth`]: logins at servers.
//! * [`catalog`]: what is offered, under which name.
//! * [`upstream`]: one server that we call.
//! * [`mux`]: the hub, from a call to its outcome.
//! * [`downstream`]: the clients that call us.
//! * [`reload`]: a running mux follows its files.
//! * [`control`]: steering a running mux from its own machine.
//! * [`app`]: how the rooms are put together, started and stopped.
//! * [`cli`]: what a person types, and what the terminal shows.
//!
//! * [`telemetry`]: the log.
//! * [`printable`]: text from servers, made fit for a terminal or a log.

pub mod app;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod control;
pub mod downstream;
pub mod mux;
pub mod oauth;
pub mod printable;
pub mod protocol;
pub mod reload;
pub mod telemetry;
pub mod transport;
pub mod upstream;
pub mod vault;
pub mod wire;
