//! Scripted MCP servers on raw JSON, of both eras, over every transport.
//!
//! A fake lives in the test's own process: over stdio a `pipe_child` carries the bytes. It records
//! what it saw, and it is strict: whatever the mux says against the protocol is a violation, and a
//! violation or an unused step of the script fails the test when the fake is dropped.

mod brain;
mod builder;
mod call;
mod http;
mod legacy;
mod modern;
mod offer;
mod reply;
mod server;
mod sse;
mod state;
mod stdio;
mod strict;
pub(crate) mod websocket;

pub(crate) use builder::{Fake, Probe};
pub(crate) use call::Call;
pub(crate) use reply::Reply;
pub(crate) use server::FakeServer;
pub(crate) use state::Lives;

/// A server that knows the handshake only.
pub(crate) fn legacy() -> Fake {
    Fake::of(&[super::Era::Legacy])
}

/// A server that knows per-request metadata only.
pub(crate) fn modern() -> Fake {
    Fake::of(&[super::Era::Modern])
}

/// A server that serves both eras on one endpoint.
pub(crate) fn dual() -> Fake {
    Fake::of(&[super::Era::Legacy, super::Era::Modern])
}
