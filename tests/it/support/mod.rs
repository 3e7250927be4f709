//! The harness: raw servers and clients around the real binary.
//!
//! Nothing here uses the crate under test. Messages are cut with `serde_json` alone, HTTP is written
//! by hand, and threads block with patience, so that a bug in `wire` or `transport` cannot hide.

mod activated;
pub(crate) mod client;
pub(crate) mod door;
pub(crate) mod eventually;
pub(crate) mod fake;
mod files;
mod gate;
pub(crate) mod head;
mod http;
mod managed;
pub(crate) mod matrix;
mod msg;
mod mux;
mod normalize;
pub(crate) mod process;
#[cfg(unix)]
pub(crate) mod terminal;
pub(crate) mod tls;

pub(crate) use client::{Ask, Client, Exchange};
pub(crate) use eventually::{eventually, patience};
pub(crate) use fake::{Fake, FakeServer, Probe, Reply};
pub(crate) use files::files;
pub(crate) use gate::Gate;
pub(crate) use http::{Request, Response};
pub(crate) use matrix::Pairing;
pub(crate) use msg::Msg;
pub(crate) use mux::{Mux, MuxTest};
pub(crate) use normalize::normalize;
pub(crate) use process::Ran;

/// The two families of protocol revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

/// What a server is reached over. Over the HTTP+SSE transport of 2024-11-05 only legacy servers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pipe {
    Stdio,
    Http,
    WebSocket,
    Sse,
}

impl Pipe {
    /// All of them; a legacy server can be behind each.
    pub(crate) const ALL: [Self; 4] = [Self::Stdio, Self::Http, Self::WebSocket, Self::Sse];

    /// Whether a server's questions do not say which call they belong to.
    pub(crate) fn is_shared(self) -> bool {
        self != Self::Http
    }
}

/// What a client comes over. Over `/sse` only legacy clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    Stdio,
    Http,
    Sse,
    WebSocket,
    /// HTTP over a Unix socket.
    Unix,
}

impl From<Pipe> for Front {
    fn from(pipe: Pipe) -> Self {
        match pipe {
            Pipe::Stdio => Self::Stdio,
            Pipe::Http => Self::Http,
            Pipe::WebSocket => Self::WebSocket,
            Pipe::Sse => Self::Sse,
        }
    }
}

/// The newest revision with a handshake.
pub(crate) const LEGACY: &str = "2025-11-25";
/// The first revision without one.
pub(crate) const MODERN: &str = "2026-07-28";
