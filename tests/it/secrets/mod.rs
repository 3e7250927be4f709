//! Secrets reach the servers that they are for, and nothing else: no output, no log, no file, no error.

mod commands;
mod kinds;
mod running;

/// All that any crate has to say: a level alone is about mcpmux.
const EVERYTHING: &str = "trace,hyper=trace";
