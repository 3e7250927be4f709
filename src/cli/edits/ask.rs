//! A question on the terminal.

use std::io::{self, IsTerminal};

use crate::cli::error::CliError;
use crate::cli::report::{Finding, to_stderr};

/// What was said on the command line about questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    /// `--yes`.
    Given,
    /// Nothing: somebody must be asked.
    Asked,
}

/// Whether the person agrees. Nobody can be asked where stdin is no terminal, and that is an error.
pub(super) fn agrees(question: &str, consent: Consent) -> Result<bool, CliError> {
    if consent == Consent::Given {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        let finding = Finding::new("stdin is no terminal, so nobody can be asked");
        return Err(CliError::Arguments(
            finding.hint("look at what is printed, then repeat it with --yes"),
        ));
    }
    to_stderr(&format!("{question} [y/N] "));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    let answer = answer.trim().to_ascii_lowercase();
    Ok(matches!(answer.as_str(), "y" | "yes"))
}
