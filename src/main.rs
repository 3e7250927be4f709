//! The `mcpmux` program: see [`mcpmux::cli`].

use std::process::ExitCode;

use mcpmux::cli;
use mcpmux::transport::guard;

fn main() -> ExitCode {
    // Our own second process, which stays when this one is killed; see `guard`.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == guard::ARGUMENT)
    {
        return guard::run();
    }
    cli::run(std::env::args_os()).into()
}
