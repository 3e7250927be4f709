//! The mux from outside: its real binary between raw servers and raw clients.

mod aliases;
mod call;
mod cancel;
mod completion;
mod conflicts;
mod fidelity;
mod filters;
mod harness;
mod lists;
mod naming;
mod progress;
mod prompts;
mod resources;
mod support;
mod timeouts;
