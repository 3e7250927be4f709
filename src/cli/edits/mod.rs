//! Commands that change files: our own, and, where a person agrees, those of other programs.
//!
//! Invariant: what is shown of a file has no secret in it.

mod add;
mod args;
mod change;
mod diff;
mod open;
mod told;

pub(super) use add::run as add;
pub(super) use args::{AddArgs, ChangeArgs};
pub(super) use change::{disable, enable, remove};
