//! Commands that change files: our own, and, where a person agrees, those of other programs.
//!
//! Invariant: what is shown of a file has no secret in it.

mod add;
mod args;
mod ask;
mod backup;
mod change;
mod diff;
mod export;
mod import;
mod open;
mod told;

pub(super) use add::run as add;
pub(super) use args::{AddArgs, ChangeArgs, ExportArgs, ImportArgs};
pub(super) use change::{disable, enable, remove};
pub(super) use export::run as export;
pub(super) use import::run as import;
