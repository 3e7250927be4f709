//! The mux from outside: its real binary between raw servers and raw clients.

mod aliases;
mod call;
mod cancel;
mod completion;
mod conflicts;
mod fidelity;
mod filters;
mod harness;
mod http_guard;
mod http_legacy;
mod http_modern;
mod isolation;
mod list_changed;
mod listen;
mod lists;
mod load;
mod naming;
mod progress;
mod prompts;
mod resources;
mod restart;
mod shutdown;
mod start;
mod stdio;
mod support;
mod timeouts;
