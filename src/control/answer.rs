//! What a running mux answers, as JSON.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, ConfigWarning, Origin, Place};
use crate::reload::{ReloadError, Reloaded};

/// What came of a request to read the files again.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether the mux follows the files now; no after a dry run.
    pub applied: bool,
    /// What was, or would be, different: one line each.
    pub changes: Vec<String>,
    /// The same as data.
    pub plan: serde_json::Value,
    /// New servers that are not up yet, and all else that is odd.
    pub warnings: Vec<Report>,
}

/// Why the mux goes on as before.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// `config`, `missing`, `conflicts` or `stopped`.
    pub kind: String,
    /// What is in the way.
    pub errors: Vec<Report>,
    /// What is odd, since it may be the cause.
    pub warnings: Vec<Report>,
}

/// One thing that is wrong or odd.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Report {
    /// What.
    pub message: String,
    /// The file where it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The variable in which it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// The flag with which it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
    /// The line in the file, from 1; 0: none in particular.
    pub line: usize,
    /// The column in the line.
    pub column: usize,
    /// The keys that lead there.
    pub key_path: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Report {
    fn of(message: String, place: Option<&Place>, hint: Option<String>) -> Self {
        let mut report = Self {
            message,
            hint,
            ..Self::default()
        };
        let Some(place) = place else { return report };
        match &place.origin {
            Origin::File(file) => report.file = Some(file.to_path_buf()),
            Origin::Environment(name) => report.variable = Some(name.to_string()),
            Origin::Flag(name) => report.flag = Some(name.to_string()),
            Origin::Default => {}
        }
        report.line = place.line;
        report.column = place.column;
        report.key_path.clone_from(&place.key_path);
        report
    }

    /// Where it was written, if it was.
    pub fn place(&self) -> Option<Place> {
        let origin = match (&self.file, &self.variable, &self.flag) {
            (Some(file), ..) => Origin::File(Path::new(file).into()),
            (_, Some(name), _) => Origin::Environment(name.as_str().into()),
            (.., Some(name)) => Origin::Flag(name.as_str().into()),
            _ => return None,
        };
        Some(Place {
            origin,
            line: self.line,
            column: self.column,
            key_path: self.key_path.clone(),
        })
    }
}

impl Answer {
    pub(super) fn of(reloaded: &Reloaded, applied: bool) -> Self {
        let warnings = reloaded.warnings.iter().map(of_warning);
        let missing = reloaded.missing.iter().map(|(name, why)| {
            Report::of(format!("server `{name}` is not up yet: {why}"), None, None)
        });
        let changes = reloaded.plan.to_string();
        Self {
            applied,
            changes: changes.lines().map(str::to_owned).collect(),
            plan: serde_json::to_value(&reloaded.plan).unwrap_or_default(),
            warnings: warnings.chain(missing).collect(),
        }
    }
}

impl Refusal {
    pub(super) fn of(error: &ReloadError) -> Self {
        let lines = |kind: &str, told: String| Self {
            kind: kind.to_owned(),
            errors: told
                .lines()
                .map(|line| Report::of(line.to_owned(), None, None))
                .collect(),
            warnings: Vec::new(),
        };
        match error {
            ReloadError::Config(errors) => Self {
                kind: "config".to_owned(),
                errors: errors.errors.iter().map(of_error).collect(),
                warnings: errors.warnings.iter().map(of_warning).collect(),
            },
            ReloadError::Missing(_) => lines("missing", error.to_string()),
            ReloadError::Conflicts(_) => lines("conflicts", error.to_string()),
            ReloadError::Stopped => lines("stopped", error.to_string()),
        }
    }
}

fn of_error(error: &ConfigError) -> Report {
    let hint = error.problem.hint();
    Report::of(error.problem.to_string(), error.place.as_ref(), hint)
}

fn of_warning(warning: &ConfigWarning) -> Report {
    let hint = warning.problem.hint();
    Report::of(warning.problem.to_string(), warning.place.as_ref(), hint)
}
