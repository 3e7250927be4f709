//! The flags of the commands that change files.

use clap::Args;

use super::told::Mode;
use crate::cli::args::{Common, Output};

/// Whether files are written.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::cli) struct Trial {
    /// Write nothing, print the difference
    #[arg(long)]
    dry_run: bool,
}

impl Trial {
    /// What is done with the result.
    pub(super) fn mode(self) -> Mode {
        if self.dry_run {
            Mode::Show
        } else {
            Mode::Write
        }
    }
}

/// Arguments of `add`.
#[derive(Args, Debug)]
pub(in crate::cli) struct AddArgs {
    /// Name of the new server
    pub(super) name: String,
    /// Where the server is, if it is reached over HTTP or WebSocket
    pub(super) url: Option<String>,
    /// The program to run and its arguments, behind `--`
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<String>,
    /// Set a variable for the program; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) env: Vec<String>,
    /// Send a header with every request; may be repeated
    #[arg(long, value_name = "NAME: VALUE")]
    pub(super) header: Vec<String>,
    /// Put this before the names of its tools and prompts; nothing if it is empty
    #[arg(long)]
    pub(super) prefix: Option<String>,
    /// Replace a server that has the name
    #[arg(long)]
    pub(super) force: bool,
    /// Whether anything is written.
    #[command(flatten)]
    pub(super) trial: Trial,
    /// The form of the output.
    #[command(flatten)]
    pub(super) output: Output,
    /// The common options.
    #[command(flatten)]
    pub(in crate::cli) common: Common,
}

/// Arguments of `remove`, `enable` and `disable`.
#[derive(Args, Debug)]
pub(in crate::cli) struct ChangeArgs {
    /// Name of the server
    pub(super) name: String,
    /// Whether anything is written.
    #[command(flatten)]
    pub(super) trial: Trial,
    /// The form of the output.
    #[command(flatten)]
    pub(super) output: Output,
    /// The common options.
    #[command(flatten)]
    pub(in crate::cli) common: Common,
}
