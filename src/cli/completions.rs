//! `mcpmux completions`: a script for a shell.

use std::io;

use clap_complete::{Shell, generate};

use super::{command, output};

/// Prints the script.
pub(super) fn run(shell: Shell) -> io::Result<()> {
    let mut script = Vec::new();
    generate(shell, &mut command(), "mcpmux", &mut script);
    output::print_ours(&String::from_utf8_lossy(&script))
}
