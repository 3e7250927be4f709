//! What was done to a file, as it is told.

use std::path::Path;

use serde::Serialize;

use super::diff;
use crate::cli::args::Form;
use crate::cli::error::CliError;
use crate::cli::listing::pretty;
use crate::cli::output;
use crate::cli::report::to_stderr;
use crate::cli::style::Style;
use crate::config::edit::{Draft, Edited};
use crate::printable;

/// Whether an edit is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is.
    Write,
    /// It is only shown.
    Show,
}

/// What becomes of a server in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Add,
    Replace,
    Remove,
    Enable,
    Disable,
}

impl Action {
    /// What was done, what would be done, what is so already.
    fn words(self) -> [&'static str; 3] {
        match self {
            Self::Add => ["added", "would add", "added already"],
            Self::Replace => ["replaced", "would replace", "the same already"],
            Self::Remove => ["removed", "would remove", "removed already"],
            Self::Enable => ["enabled", "would enable", "enabled already"],
            Self::Disable => ["disabled", "would disable", "disabled already"],
        }
    }
}

/// What was done. The members are part of the contract with scripts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told<'a> {
    action: Action,
    server: &'a str,
    file: &'a Path,
    line: usize,
    /// Whether the file is another one now, or would be.
    changed: bool,
    written: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
}

/// Writes an edit, or shows what it would be, and tells of it.
pub(super) fn finish(
    draft: &Draft,
    edited: &Edited,
    (action, server): (Action, &str),
    (mode, form): (Mode, Form),
) -> Result<(), CliError> {
    let changed = edited.text != draft.text();
    let write = changed && mode == Mode::Write;
    if write {
        draft.save(&edited.text)?;
    }
    let show = mode == Mode::Show;
    let difference = || diff::unified(draft.path(), draft.text(), &edited.text);
    let told = Told {
        action,
        server,
        file: draft.path(),
        line: edited.line,
        changed,
        written: write,
        diff: show.then(difference),
    };
    told.tell(form)
}

impl Told<'_> {
    fn tell(&self, form: Form) -> Result<(), CliError> {
        if form == Form::Json {
            output::print_ours(&pretty(self))?;
            return Ok(());
        }
        if let Some(diff) = &self.diff {
            output::print_ours(&diff::painted(diff, Style::of_stdout()))?;
        }
        let [done, would, already] = self.action.words();
        let server = printable::line(self.server);
        let what = match (self.changed, self.written) {
            (false, _) => format!("server `{server}` is {already}"),
            (true, true) => format!("{done} server `{server}`"),
            (true, false) => format!("{would} server `{server}`"),
        };
        let file = self.file.display().to_string();
        let file = printable::line(&file);
        to_stderr(&format!("{what}\n  at {file}:{}\n", self.line));
        Ok(())
    }
}
