//! The clients that call us.
//!
//! A client speaks one of two dialects, `modern` or `legacy`, over a `link` or `http`; both may come
//! over the same link or to the same endpoint at once. A `link` is stdio, a `websocket`, or what `legacy_sse` makes of one
//! stream and many requests. A dialect turns a request into a
//! [`Call`](crate::mux::Call) and its steps back into messages, as a `Reply`.
//!
//! Invariant: nothing here knows a server, a route or the inside of the catalog.

mod answer;
mod asking;
mod batch;
mod headers;
mod http;
mod http_legacy;
mod http_modern;
mod legacy;
mod legacy_sse;
mod link;
mod listen;
mod modern;
mod reply;
mod running;
mod session;
mod sessions;
mod sse;
mod stream_log;
mod visits;
mod websocket;

pub use http::{Endpoint, EndpointOptions, PATH};
pub use link::serve_stdio;
