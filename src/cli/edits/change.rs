//! `mcpmux remove`, `mcpmux enable`, `mcpmux disable`: servers that are there.

use super::args::ChangeArgs;
use super::open::{Files, Found, edited, place};
use super::told::{Action, finish};
use crate::cli::args::Common;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::report::{self, Finding, Severity};
use crate::config::edit::{Edit, Power};

/// Takes a server out of the file that it counts in.
pub(in crate::cli) fn remove(args: &ChangeArgs, common: &Common) -> Result<Exit, CliError> {
    let edit = Edit::Remove { name: &args.name };
    let earlier = run(args, common, (Action::Remove, &edit))?;
    let told = earlier.iter().map(|found| {
        let place = place(found.draft.path(), found.line);
        Finding::new(format!(
            "server `{}` is in an earlier file too, and counts there",
            args.name
        ))
        .at(Some(place))
        .hint("run it once more to remove that one")
    });
    report::print(&told.collect::<Vec<_>>(), Severity::Warning);
    Ok(Exit::Ok)
}

/// Switches a server on.
pub(in crate::cli) fn enable(args: &ChangeArgs, common: &Common) -> Result<Exit, CliError> {
    switch(args, common, (Action::Enable, Power::On))
}

/// Switches a server off.
pub(in crate::cli) fn disable(args: &ChangeArgs, common: &Common) -> Result<Exit, CliError> {
    switch(args, common, (Action::Disable, Power::Off))
}

fn switch(
    args: &ChangeArgs,
    common: &Common,
    (action, power): (Action, Power),
) -> Result<Exit, CliError> {
    let name = &args.name;
    run(args, common, (action, &Edit::Switch { name, power }))?;
    Ok(Exit::Ok)
}

/// Makes the edit in the last file that has the server; returns the others.
fn run(
    args: &ChangeArgs,
    common: &Common,
    (action, edit): (Action, &Edit<'_>),
) -> Result<Vec<Found>, CliError> {
    let files = Files::of(common)?;
    let mut all = files.find(&args.name)?;
    let Some(found) = all.pop() else {
        return Err(files.missing(&args.name));
    };
    let edited = edited(&found.draft, &found.holder, edit)?;
    let how = (args.trial.mode(), args.output.form());
    finish(&found.draft, &edited, (action, &args.name), how)?;
    if action == Action::Enable {
        files.warn_of_policy(&found.draft, &edited.text, &[&args.name]);
    }
    Ok(all)
}
