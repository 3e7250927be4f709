//! What a person types, and what the terminal shows: commands, flags, tables, errors, exit codes.
//!
//! Invariant: stdout carries data only, all else goes to stderr; and no text of a server reaches a
//! terminal with a control character in it.

mod args;
mod beside;
mod check;
mod completions;
mod edits;
mod error;
mod examples;
mod exit;
mod explain;
mod findings;
#[cfg(test)]
mod help_tests;
mod indent;
mod key_values;
mod list;
mod listing;
mod login;
mod login_args;
mod notify;
mod output;
mod reload;
mod render;
mod report;
mod request;
mod run;
mod running;
mod schema;
mod serve;
mod servers;
mod shell;
mod signals;
mod spinner;
mod style;
mod table;
mod usage;
mod wanted;

pub use exit::Exit;
pub use run::{command, run};
