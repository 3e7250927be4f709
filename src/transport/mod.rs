//! Pipes that move frames between processes.
//!
//! A [`Duplex`] is a two-way pipe of frames: our own stdin and stdout ([`stdio()`]), a child process ([`spawn`]), a WebSocket or
//! a pair in memory. HTTP is no such pipe: [`Endpoint`] sends one request and hands over the answer as it arrives, [`serve`]
//! does the same from the other side. An [`EventLink`] is half of each: frames come on a stream and leave as requests. A
//! [`Guard`] sees to it that no process of a child outlives the mux.
//!
//! Invariants: nothing here knows a method, a name, an era or an MCP header, or looks into a frame. Every queue and every wait for
//! a peer is bounded, or ends when the caller drops the future. Dropping is how things are closed.

mod alike;
mod answer;
mod body;
mod census;
mod child;
mod chosen;
mod credentials;
mod duplex;
mod endpoint;
mod ends;
mod error;
mod gather;
pub mod guard;
mod header_line;
mod http1;
mod http_client;
mod http_server;
mod idle;
mod inherited;
mod leader;
mod lines;
mod listener;
mod origin;
mod outbox;
mod patience;
mod place;
mod process;
mod queue;
#[cfg(test)]
mod raw_server;
mod reply;
mod sieve;
mod sse_client;
mod stdio;
#[cfg(test)]
mod testing;
mod tls;
mod tree;
mod upgrade;
mod usual;
mod wakes;
mod websocket;
mod websocket_client;

pub use answer::{Answer, EventStream};
pub use body::Body;
pub use child::{Child, spawn};
pub use chosen::Fits;
pub use credentials::{Credentials, Refusal};
pub use duplex::{Duplex, Incoming, Outgoing};
pub use endpoint::{Endpoint, Extra, Standing};
pub use error::TransportError;
pub use guard::Guard;
pub use http_client::HttpClient;
pub use http_server::{HttpRequest, HttpService, ServeOptions, serve};
pub use inherited::Inherited;
pub use lines::Lines;
pub use listener::Listener;
pub use origin::{Allowed, Refused};
pub use process::ChildProcess;
pub use reply::{HttpReply, ReplyBody};
pub use sse_client::{EventLink, is_events};
pub use stdio::stdio;
pub use upgrade::Upgrade;
pub use websocket_client::SocketTasks;
