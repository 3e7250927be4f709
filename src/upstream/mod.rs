//! One server that we call: its connection, its dialect, its life.
//!
//! An [`Upstream`] is kept alive by a supervisor task, which connects, finds out the era, fetches the
//! [`Inventory`](crate::catalog::Inventory) and starts over when the link is lost. A call takes a
//! [`Lease`], sends its request, and steps through the [`Errand`] until it is done.
//!
//! Invariant: nothing here knows a downstream client, a session or a public name.

mod asked;
mod breaker;
mod connection;
mod dialect;
mod dispatch;
mod errand;
mod error;
mod exchange;
mod extras;
mod fetch;
mod health;
mod http;
mod lease;
mod legacy;
mod legacy_task;
mod link;
mod listen;
mod mailbox;
mod manifest;
mod modern;
mod modern_task;
mod outgoing;
mod pending;
mod places;
mod pool;
mod probe;
mod roots;
mod server;
mod signals;
mod sse;
mod status;
mod succession;
mod supervisor;
mod task;

pub use breaker::Verdict;
pub use errand::Errand;
pub use error::UpstreamError;
pub use exchange::Step;
pub use lease::Lease;
pub use manifest::Manifest;
pub use outgoing::{Outgoing, Party};
pub use pool::{Pool, PoolOptions, Upstreams};
pub use roots::RootsWanted;
pub use server::Upstream;
pub use signals::Event;
pub use status::{ServerState, Status};
pub use succession::Succession;
