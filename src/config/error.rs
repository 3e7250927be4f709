//! `ConfigErrors`: everything that is wrong, each with its place and what to do.

use std::fmt;
use std::path::PathBuf;

use indexmap::IndexSet;

use crate::printable::is_hostile;

use super::place::Place;
pub(crate) use super::problem::Problem;

/// One thing that must be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where it was written; `None` if it is nowhere.
    pub place: Option<Place>,
    /// What is wrong.
    pub problem: Problem,
}

/// One thing that should be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigWarning {
    /// Where it was written; `None` if it is nowhere.
    pub place: Option<Place>,
    /// What is odd.
    pub problem: Problem,
}

/// Everything that is wrong with a configuration, in the order of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigErrors {
    /// What must be mended; not empty.
    pub errors: Vec<ConfigError>,
    /// What should be looked at, since it may be the cause.
    pub warnings: Vec<ConfigWarning>,
    /// Everything on the disk that was read, or would have been if it were there.
    pub watched: Vec<PathBuf>,
}

/// What a reading has found so far. Reading goes on after an error, so that all are told at once.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) errors: Vec<ConfigError>,
    pub(crate) warnings: Vec<ConfigWarning>,
    /// Everything that was read, or would have been if it were there.
    pub(crate) files: IndexSet<PathBuf>,
}

impl Findings {
    pub(crate) fn error(&mut self, place: &Place, problem: Problem) {
        self.errors.push(ConfigError {
            place: Some(place.clone()),
            problem,
        });
    }

    pub(crate) fn warning(&mut self, place: &Place, problem: Problem) {
        self.warnings.push(ConfigWarning {
            place: Some(place.clone()),
            problem,
        });
    }

    /// Adds what another reading found.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.errors.append(&mut other.errors);
        self.warnings.append(&mut other.warnings);
        self.files.append(&mut other.files);
    }
}

impl From<Findings> for ConfigErrors {
    fn from(findings: Findings) -> Self {
        Self {
            errors: findings.errors,
            warnings: findings.warnings,
            watched: findings.files.into_iter().collect(),
        }
    }
}

impl fmt::Display for ConfigError {
    /// Up to three lines without a newline at the end: what, where, hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        three_lines(f, "error", self.place.as_ref(), &self.problem)
    }
}

impl fmt::Display for ConfigWarning {
    /// Up to three lines without a newline at the end: what, where, hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        three_lines(f, "warning", self.place.as_ref(), &self.problem)
    }
}

impl fmt::Display for ConfigErrors {
    /// The warnings, then the errors, as they are printed on a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warnings = self.warnings.iter().map(ToString::to_string);
        let errors = self.errors.iter().map(ToString::to_string);
        f.write_str(&warnings.chain(errors).collect::<Vec<_>>().join("\n"))
    }
}

impl std::error::Error for ConfigError {}

impl std::error::Error for ConfigErrors {}

fn three_lines(
    f: &mut fmt::Formatter<'_>,
    level: &str,
    place: Option<&Place>,
    problem: &Problem,
) -> fmt::Result {
    write!(f, "{level}: {}", printable(&problem.to_string()))?;
    if let Some(place) = place {
        write!(f, "\n  at {}", printable(&place.to_string()))?;
    }
    if let Some(hint) = problem.hint() {
        write!(f, "\n  hint: {}", printable(&hint))?;
    }
    Ok(())
}

/// Keys and file names may hold anything; a terminal must show it and not obey it.
fn printable(text: &str) -> String {
    let show = |c: char| {
        if is_hostile(c) || c.is_control() {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(show).collect()
}
