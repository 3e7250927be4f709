//! `ConfigErrors`: everything that is wrong, each with its place and what to do.

use std::fmt;

use super::place::Place;

/// What is wrong, as data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// No file was given and none is in a known place.
    #[error("no configuration file was found")]
    NoFile {
        /// The places that were looked at.
        tried: Vec<std::path::PathBuf>,
    },
}

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
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.errors {
            writeln!(f, "error: {}", error.problem)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
