//! The hub: from a [`Call`] to its outcome.
//!
//! [`Mux::call`] looks up the route of a call in the current catalog, leases a connection, and hands back an
//! [`InFlight`] call, whose steps are events and, last, the outcome. Dropping it cancels it upstream.
//!
//! Invariant: nothing here knows a transport or a dialect, or how a client is connected. Nothing is ever
//! sent twice that may have happened.

mod cache;
mod call;
mod error;
mod flow;
mod forward;
mod gather;
mod hub;
mod keeper;
mod logs;
mod notices;
mod parked;
mod reads;
mod report;
mod rewrite;
mod roots;
mod routes;
mod seal;
mod servers;
mod skills;
mod subscriptions;
mod tasks;
mod visits;

pub use call::{Call, Caller};
pub use error::{CallError, Unknown};
pub use flow::{CallStep, InFlight};
pub use hub::{Hub, Mux};
pub use notices::{Logs, Notice, Roots, Wanted};
pub use report::{Problems, ServerReport};
pub use servers::Change;
pub use subscriptions::Subscription;
