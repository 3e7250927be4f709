//! From the command line to the exit code.

use std::ffi::OsString;

use clap::{CommandFactory, Parser};

use super::args::{Cli, Command};
use super::error::CliError;
use super::exit::Exit;
use super::{check, completions, edits, list, login, reload, request, schema, serve, usage};

/// Does what the arguments say, the name of the program being the first of them.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    match Cli::try_parse_from(arguments) {
        Ok(cli) => dispatch(&cli).unwrap_or_else(|error| error.tell()),
        Err(error) => usage::tell(&error),
    }
}

fn dispatch(cli: &Cli) -> Result<Exit, CliError> {
    let common = cli.common.followed_by(cli.command.common());
    match &cli.command {
        Command::Serve(args) => return serve::run(args, &common),
        Command::Check(args) => return check::run(args, &common),
        Command::List(args) => return list::run(args, &common),
        Command::Call(args) => return request::call(args, &common),
        Command::Read(args) => return request::read(args, &common),
        Command::Prompt(args) => return request::prompt(args, &common),
        Command::Add(args) => return edits::add(args, &common),
        Command::Remove(args) => return edits::remove(args, &common),
        Command::Enable(args) => return edits::enable(args, &common),
        Command::Disable(args) => return edits::disable(args, &common),
        Command::Export(args) => return edits::export(args, &common),
        Command::Import(args) => return edits::import(args, &common),
        Command::Reload(args) => return reload::run(args, &common),
        Command::Login(args) => return login::login(args, &common),
        Command::Logout(args) => return login::logout(args, &common),
        Command::Schema(_) => schema::run()?,
        Command::Completions(args) => completions::run(args.shell)?,
    }
    Ok(Exit::Ok)
}

/// Commands and flags, as data.
pub fn command() -> clap::Command {
    Cli::command()
}
