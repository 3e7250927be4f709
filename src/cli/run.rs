//! From the command line to the exit code.

use std::ffi::OsString;

use clap::{CommandFactory, Parser};

use super::args::{Cli, Command};
use super::exit::Exit;
use super::{completions, usage};

/// Does what the arguments say, the name of the program being the first of them.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage::tell(&error),
    };
    match &cli.command {
        Command::Completions(args) => {
            completions::run(args.shell).map_or(Exit::Failed, |()| Exit::Ok)
        }
        _ => Exit::Failed,
    }
}

/// Commands and flags, as data.
pub fn command() -> clap::Command {
    Cli::command()
}
