//! What the other rooms find wrong, in the form in which it is told.

use serde::Serialize;

use super::report::Finding;
use crate::catalog::{Conflict, DeadRule, Resolution, Route};
use crate::config::{ConfigError, ConfigErrors, ConfigWarning};

impl From<&ConfigError> for Finding {
    fn from(error: &ConfigError) -> Self {
        let hint = error.problem.hint();
        Self {
            what: error.problem.to_string(),
            place: error.place.clone(),
            hint,
        }
    }
}

impl From<&ConfigWarning> for Finding {
    fn from(warning: &ConfigWarning) -> Self {
        let hint = warning.problem.hint();
        Self {
            what: warning.problem.to_string(),
            place: warning.place.clone(),
            hint,
        }
    }
}

impl From<&DeadRule> for Finding {
    fn from(rule: &DeadRule) -> Self {
        Self::new(rule.to_string()).at(rule.place.clone())
    }
}

/// The errors and the warnings of a configuration that cannot be used.
pub(super) fn of_errors(errors: &ConfigErrors) -> (Vec<Finding>, Vec<Finding>) {
    let wrong = errors.errors.iter().map(Finding::from).collect();
    (wrong, errors.warnings.iter().map(Finding::from).collect())
}

/// A conflict as scripts see it. The members are part of the contract.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConflictLine {
    kind: &'static str,
    name: String,
    holder: Side,
    loser: Side,
    #[serde(skip_serializing_if = "Option::is_none")]
    offered_as: Option<String>,
    message: String,
}

/// One of the two entries that want a name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Side {
    server: String,
    original_name: String,
}

impl Side {
    fn of(route: &Route) -> Self {
        Self {
            server: route.server.to_string(),
            original_name: route.original.to_string(),
        }
    }
}

impl ConflictLine {
    /// The conflict in a form without types of the catalog.
    pub(super) fn of(conflict: &Conflict) -> Self {
        let offered_as = match &conflict.resolution {
            Resolution::Renamed(name) => Some(name.to_string()),
            Resolution::Dropped => None,
        };
        Self {
            kind: conflict.kind.noun(),
            name: conflict.name.to_string(),
            holder: Side::of(&conflict.holder),
            loser: Side::of(&conflict.loser),
            offered_as,
            message: conflict.to_string(),
        }
    }
}

/// A conflict in the form in which it is told.
pub(super) fn of_conflict(conflict: &Conflict) -> Finding {
    let finding = Finding::new(conflict.to_string());
    match conflict.resolution {
        Resolution::Renamed(_) => finding,
        Resolution::Dropped => {
            let server = &conflict.loser.server;
            finding.hint(format!(
                "give server `{server}` another `prefix`, or `rename` the entry"
            ))
        }
    }
}
