//! Our own files, opened to be edited.

use std::path::Path;
use std::sync::Arc;

use crate::cli::args::Common;
use crate::cli::error::CliError;
use crate::cli::report::{self, Finding, Severity};
use crate::cli::running;
use crate::config::edit::{self, Draft, EditError, Edited, Holder, OwnFiles};
use crate::config::{ConfigErrors, Origin, Place, Sources};

/// The files of a configuration, and where they were looked for.
pub(super) struct Files {
    pub(super) sources: Sources,
    pub(super) own: OwnFiles,
}

/// A server in a file.
pub(super) struct Found {
    pub(super) draft: Draft,
    pub(super) holder: Holder,
    pub(super) line: usize,
}

impl Files {
    /// The files that the flags name, else those of the search order.
    pub(super) fn of(common: &Common) -> Result<Self, CliError> {
        let sources = running::sources(common, None)?;
        let own = edit::files(&sources);
        Ok(Self { sources, own })
    }

    /// The file that takes a new server: the last that was named, which wins over the others; a new
    /// one if there is none.
    pub(super) fn for_new(&self) -> Result<Draft, CliError> {
        let path = self.own.named.last().or(self.own.fresh.as_ref());
        let path = path.filter(|path| !path.as_os_str().is_empty());
        let nowhere = || {
            let finding = Finding::new("there is no home directory for a configuration file");
            CliError::Arguments(finding.hint("name a file: --config FILE"))
        };
        Ok(Draft::open(path.ok_or_else(nowhere)?)?)
    }

    /// Every place where a server of this name is, in the order of the files: the last one counts.
    pub(super) fn find(&self, name: &str) -> Result<Vec<Found>, CliError> {
        let mut all = Vec::new();
        for path in &self.own.all {
            let draft = Draft::open(path)?;
            if draft.text().trim().is_empty() {
                continue;
            }
            let found = edit::find(path, draft.text(), name);
            if let Some((holder, line)) = found.map_err(|error| of_edit(error, path))? {
                all.push(Found {
                    draft,
                    holder,
                    line,
                });
            }
        }
        Ok(all)
    }

    /// Tells which of these servers the managed policy will not let in, in a file with this text.
    pub(super) fn warn_of_policy(&self, draft: &Draft, text: &str, names: &[&str]) {
        let objections = edit::objections(draft.path(), text, names, &self.sources);
        let objections: Vec<Finding> = objections.iter().map(Finding::from).collect();
        report::print(&objections, Severity::Warning);
    }

    /// No server of this name, told with the nearest one.
    pub(super) fn missing(&self, name: &str) -> CliError {
        let finding = Finding::new(format!("there is no server `{name}`"));
        CliError::Edit(match self.own.all.as_slice() {
            [] => finding.hint("there is no configuration file; name one with --config FILE"),
            files => {
                let files: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
                finding.hint(format!("looked for in {}", files.join(", ")))
            }
        })
    }
}

/// The place of a line in a file.
pub(super) fn place(file: &Path, line: usize) -> Place {
    Place {
        origin: Origin::File(Arc::from(file)),
        line,
        ..Place::default()
    }
}

/// Makes an edit.
pub(super) fn edited(
    draft: &Draft,
    holder: &Holder,
    edit: &edit::Edit<'_>,
) -> Result<Edited, CliError> {
    let made = edit::edit(draft.path(), draft.text(), holder, edit);
    made.map_err(|error| of_edit(error, draft.path()))
}

/// Why an edit was not made, told with its place.
pub(super) fn of_edit(error: EditError, file: &Path) -> CliError {
    let what = error.to_string();
    let finding = Finding::new(what).at(Some(place(file, 0)));
    CliError::Edit(match error {
        EditError::Broken(errors) => {
            return CliError::Config(ConfigErrors {
                errors,
                ..ConfigErrors::default()
            });
        }
        EditError::Exists { line, .. } => finding
            .at(Some(place(file, line)))
            .hint("choose another name, or replace it with --force"),
        EditError::Shape { line, .. } => finding.at(Some(place(file, line))),
        EditError::Unfit { .. } => finding.hint("edit the file by hand"),
        EditError::Missing { .. } => finding,
    })
}
