//! Steering a running mux from the same machine: the paths below `/mux/`, and who asks there.
//!
//! Invariant: a request can say *when* something happens, never *what*: it starts no process, names no file and chooses
//! no address. Whoever asks is on this machine and is no web page.

mod answer;
mod client;
mod service;

pub use answer::{Answer, Refusal, Report};
pub use client::{ControlError, Run, reload};
pub use service::{Control, Front};
