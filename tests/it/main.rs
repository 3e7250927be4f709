//! The mux from outside: its real binary between raw servers and raw clients.

mod aliases;
mod call;
mod completion;
mod conflicts;
mod filters;
mod harness;
mod lists;
mod naming;
mod prompts;
mod resources;
mod support;
