//! What a person types, and what the terminal shows: commands, flags, tables, errors, exit codes.
//!
//! Invariant: stdout carries data only, all else goes to stderr; and no text of a server reaches a
//! terminal with a control character in it.

#![allow(
    dead_code,
    reason = "most of it is for commands that come with the mux"
)]

mod args;
mod completions;
mod examples;
mod exit;
#[cfg(test)]
mod help_tests;
mod indent;
mod key_values;
mod output;
mod render;
mod report;
mod run;
mod servers;
mod spinner;
mod style;
mod table;
mod usage;
mod wanted;

pub use exit::Exit;
pub use run::{command, run};
