//! The flags of the commands that change files.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};

use super::ask::Consent;
use super::told::Mode;
use crate::cli::args::{Common, Output};
use crate::config::PROGRAMS;

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

/// Whether somebody is asked before anything is written.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::cli) struct Agreement {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Agreement {
    /// Whether it was said already.
    pub(super) fn consent(self) -> Consent {
        if self.yes {
            Consent::Given
        } else {
            Consent::Asked
        }
    }
}

/// Arguments of `export`.
#[derive(Args, Debug)]
pub(in crate::cli) struct ExportArgs {
    /// The program
    #[arg(value_parser = programs())]
    pub(super) program: String,
    /// Write the program's file of the working directory, not that of the user
    #[arg(long)]
    pub(super) project: bool,
    /// What the program is told.
    #[command(flatten)]
    pub(super) reach: Reach,
    /// What is done with it.
    #[command(flatten)]
    pub(super) instead: Instead,
    /// Whether anybody is asked.
    #[command(flatten)]
    pub(super) agreement: Agreement,
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

/// The programs that there are, for the help and for completions.
fn programs() -> PossibleValuesParser {
    let value =
        |program: &crate::config::Program| PossibleValue::new(program.key).help(program.title);
    PROGRAMS.iter().map(value).collect::<Vec<_>>().into()
}

/// How the program is to reach the mux.
#[derive(Args, Debug)]
pub(in crate::cli) struct Reach {
    /// Tell it the URL of a mux that runs, at `mux.listen` or 127.0.0.1:8808
    #[arg(long, conflicts_with = "url")]
    pub(super) http: bool,
    /// Tell it this URL
    #[arg(long)]
    pub(super) url: Option<String>,
}

/// What is done in place of registering the mux.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::cli) struct Instead {
    /// Print what would stand in an empty file, write nothing
    #[arg(long, conflicts_with = "undo")]
    pub(super) print: bool,
    /// Take the entry out again; where nothing else has changed since, the old file comes back
    #[arg(long)]
    pub(super) undo: bool,
}

/// Arguments of `import`.
#[derive(Args, Debug)]
pub(in crate::cli) struct ImportArgs {
    /// A program, as with `export`, or a file [default: all programs]
    #[arg(value_name = "PROGRAM | FILE")]
    pub(super) from: Option<String>,
    /// Replace servers of ours that have the same name
    #[arg(long)]
    pub(super) force: bool,
    /// Whether anybody is asked.
    #[command(flatten)]
    pub(super) agreement: Agreement,
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
