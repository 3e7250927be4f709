//! `mcpmux add`: a new server.

use serde_json::{Map, Value};

use super::args::AddArgs;
use super::open::{Files, edited, of_edit};
use super::told::{Action, finish};
use crate::cli::args::Common;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::report::{self, Finding, Severity};
use crate::config::edit::{self, Edit, EditError, EntryText, Existing, Holder};

/// Adds a server to the configuration.
pub(in crate::cli) fn run(args: &AddArgs, common: &Common) -> Result<Exit, CliError> {
    let entry = entry(args)?;
    let files = Files::of(common)?;
    let found = files.find(&args.name)?.pop();
    let (draft, holder, action) = match found {
        Some(found) if args.force => (found.draft, found.holder, Action::Replace),
        Some(found) => {
            let name = args.name.clone();
            let line = found.line;
            return Err(of_edit(
                EditError::Exists { name, line },
                found.draft.path(),
            ));
        }
        None => {
            let draft = files.for_new()?;
            let holder = Holder::in_text(draft.path(), draft.text());
            (draft, holder, Action::Add)
        }
    };
    let wrong = edit::check(draft.path(), &args.name, &entry, &files.sources);
    if !wrong.errors.is_empty() {
        return Err(CliError::Config(wrong));
    }
    let put = Edit::Put {
        name: &args.name,
        entry: &entry,
        existing: Existing::Replace,
    };
    let edited = edited(&draft, &holder, &put)?;
    let form = args.output.form();
    finish(
        &draft,
        &edited,
        (action, &args.name),
        (args.trial.mode(), form),
    )?;
    files.warn_of_policy(&draft, &edited.text, &[&args.name]);
    report::print(&open_secrets(&entry), Severity::Warning);
    Ok(Exit::Ok)
}

/// What stands in the file for all to read.
fn open_secrets(entry: &EntryText) -> Vec<Finding> {
    let told = |key: String| {
        let last = key.rsplit('.').next().unwrap_or_default();
        let fit = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        };
        let variable: String = match last.find('[') {
            Some(_) => "SECRET".to_owned(),
            None => last.chars().map(fit).collect(),
        };
        Finding::new(format!(
            "the value of `{key}` looks like a secret, and stands in the file as it is"
        ))
        .hint(format!(
            "set a variable and write '${{{variable}}}' in its place"
        ))
    };
    edit::secrets_of(entry).into_iter().map(told).collect()
}

/// The entry that the arguments make.
fn entry(args: &AddArgs) -> Result<EntryText, CliError> {
    let mut entry = Map::new();
    match (&args.url, args.command.split_first()) {
        (None, Some((command, rest))) => {
            entry.insert("command".into(), command.as_str().into());
            if !rest.is_empty() {
                entry.insert("args".into(), rest.into());
            }
        }
        (Some(url), None) if url.contains("://") => {
            entry.insert("url".into(), url.as_str().into());
        }
        (Some(word), None) => {
            let hint = format!(
                "a command stands behind `--`: mcpmux add {} -- {word}",
                args.name
            );
            return Err(Finding::new(format!("`{word}` is not a URL"))
                .hint(hint)
                .into());
        }
        (Some(_), Some(_)) => {
            return Err(Finding::new("a server has a URL or a command, not both").into());
        }
        (None, None) => {
            return Err(Finding::new("neither a URL nor a command is given")
                .hint("mcpmux add NAME URL, or mcpmux add NAME -- COMMAND ARGS…")
                .into());
        }
    }
    for (key, pairs) in [("env", env(args)?), ("headers", headers(args)?)] {
        if !pairs.is_empty() {
            entry.insert(key.into(), Value::Object(pairs));
        }
    }
    if let Some(prefix) = &args.prefix {
        entry.insert("prefix".into(), prefix.as_str().into());
    }
    Ok(entry)
}

fn env(args: &AddArgs) -> Result<EntryText, Finding> {
    if !args.env.is_empty() && args.url.is_some() {
        let finding = Finding::new("`--env` is for a server that is a command");
        return Err(finding.hint("use `--header` for a URL"));
    }
    let pair = |written: &String| {
        let (name, value) = written.split_once('=').unwrap_or(("", ""));
        if name.is_empty() {
            // What was written may be the secret itself.
            return Err(Finding::new("a value of `--env` is not NAME=VALUE"));
        }
        Ok((name.to_owned(), value.into()))
    };
    args.env.iter().map(pair).collect()
}

fn headers(args: &AddArgs) -> Result<EntryText, Finding> {
    if !args.header.is_empty() && args.url.is_none() {
        let finding = Finding::new("`--header` is for a server with a URL");
        return Err(finding.hint("use `--env` for a command"));
    }
    let pair = |written: &String| {
        let (name, value) = written.split_once(':').unwrap_or(("", ""));
        if name.is_empty() {
            return Err(Finding::new("a value of `--header` is not NAME: VALUE"));
        }
        Ok((name.trim().to_owned(), value.trim().into()))
    };
    args.header.iter().map(pair).collect()
}
