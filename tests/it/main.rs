//! The mux from outside: its real binary between raw servers and raw clients.

mod harness;
#[allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "its verbs come before the tests that need them"
)]
mod support;
