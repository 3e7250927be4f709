//! Everybody's ways of writing down servers.
//!
//! A file's format is known by its shape. What it says is lowered into our own keys of a server entry,
//! each with the place where it was written, so that nobody else knows of formats. A new one is a file
//! with a table here, and a row in [`dialect`].

mod cline;
mod codex;
mod dialect;
mod entry;
mod gemini;
mod login;
mod mcp_servers;
mod mistral_rs;
mod server_map;
mod take;
mod vs_code;
mod vt_code;
mod zed;

pub use dialect::Format;
pub use server_map::ServerMap;
pub(crate) use take::take;
pub(crate) use vs_code::inputs;
