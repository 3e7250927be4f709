//! Wrong arguments, told in the form of all other errors.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::exit::Exit;
use super::report::{self, Finding, Severity, ticked};

/// Prints what clap has to say, a help or an error, and returns how the program ends.
pub(super) fn tell(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that went away has seen enough of the help.
            let _ = error.print();
            Exit::Ok
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            Exit::Usage
        }
        _ => {
            report::print(&[finding(error)], Severity::Error);
            Exit::Usage
        }
    }
}

/// The error in our words; in clap's where there is nothing to add to them.
fn finding(error: &clap::Error) -> Finding {
    let args: Vec<String> = all(error, ContextKind::InvalidArg)
        .iter()
        .map(|a| bare(a))
        .collect();
    let arg = args.first().cloned().unwrap_or_default();
    let value = first(error, ContextKind::InvalidValue).unwrap_or_default();
    let what = match error.kind() {
        ErrorKind::UnknownArgument => format!("unknown argument `{arg}`"),
        ErrorKind::InvalidSubcommand => {
            let command = first(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("unknown command `{command}`")
        }
        ErrorKind::MissingSubcommand => "no command is given".to_owned(),
        ErrorKind::MissingRequiredArgument => format!("{} is missing", ticked(&args)),
        ErrorKind::InvalidValue if value.is_empty() => format!("`{arg}` needs a value"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("`{value}` is no value for `{arg}`")
        }
        ErrorKind::TooManyValues => format!("`{arg}` takes no value"),
        ErrorKind::ArgumentConflict => {
            let other = all(error, ContextKind::PriorArg);
            if other.is_empty() || other == [arg.clone()] {
                format!("`{arg}` is given twice")
            } else {
                format!("`{arg}` cannot be used with {}", ticked(other))
            }
        }
        _ => clap_words(error),
    };
    Finding::new(what).hint(hint(error))
}

/// The best advice that clap has, else where to look. The last of several suggestions is the nearest.
fn hint(error: &clap::Error) -> String {
    let nearest = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ];
    if let Some(name) = nearest.into_iter().find_map(|kind| all(error, kind).pop()) {
        return format!("did you mean `{name}`?");
    }
    let possible = all(error, ContextKind::ValidValue);
    if !possible.is_empty() {
        return format!("possible values are {}", ticked(possible));
    }
    if matches!(
        error.kind(),
        ErrorKind::InvalidSubcommand | ErrorKind::MissingSubcommand
    ) {
        return "`mcpmux --help` lists the commands".to_owned();
    }
    match first(error, ContextKind::Usage) {
        Some(usage) => usage.replace("Usage:", "usage:"),
        None => "see `mcpmux --help`".to_owned(),
    }
}

/// clap's own first line without its `error: `.
fn clap_words(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

fn first(error: &clap::Error, kind: ContextKind) -> Option<String> {
    all(error, kind).into_iter().next()
}

/// The name of an argument without the brackets that clap puts around positional ones.
fn bare(name: &str) -> String {
    let inner = name
        .strip_prefix(['<', '['])
        .and_then(|name| name.strip_suffix(['>', ']']));
    inner.unwrap_or(name).to_owned()
}

fn all(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        Some(ContextValue::StyledStr(text)) => vec![text.to_string()],
        Some(ContextValue::StyledStrs(texts)) => texts.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::Cli;
    use crate::cli::style::Style;

    fn told(line: &str) -> String {
        let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
        finding(&error).render(Severity::Error, Style::Plain)
    }

    #[test]
    fn wrong_arguments() {
        let lines = [
            "mcpmux serv",
            "mcpmux schem",
            "mcpmux frobnicate",
            "mcpmux list tool",
            "mcpmux list all",
            "mcpmux check --ofline",
            "mcpmux check extra",
            "mcpmux check --json --json",
            "mcpmux check --json=yes",
            "mcpmux --log-level debug",
            "mcpmux call",
            "mcpmux serve --config",
        ];
        let all: Vec<String> = lines
            .iter()
            .map(|line| format!("$ {line}\n{}", told(line)))
            .collect();
        insta::assert_snapshot!(all.concat(), @r"
        $ mcpmux serv
        error: unknown command `serv`
          hint: did you mean `serve`?
        $ mcpmux schem
        error: unknown command `schem`
          hint: did you mean `schema`?
        $ mcpmux frobnicate
        error: unknown command `frobnicate`
          hint: `mcpmux --help` lists the commands
        $ mcpmux list tool
        error: `tool` is no value for `WHAT`
          hint: did you mean `tools`?
        $ mcpmux list all
        error: `all` is no value for `WHAT`
          hint: possible values are `servers`, `tools`, `resources`, `templates` and `prompts`
        $ mcpmux check --ofline
        error: unknown argument `--ofline`
          hint: did you mean `--offline`?
        $ mcpmux check extra
        error: unknown argument `extra`
          hint: usage: mcpmux check [OPTIONS]
        $ mcpmux check --json --json
        error: `--json` is given twice
          hint: usage: mcpmux check [OPTIONS]
        $ mcpmux check --json=yes
        error: `--json` takes no value
          hint: usage: mcpmux check --json
        $ mcpmux --log-level debug
        error: no command is given
          hint: `mcpmux --help` lists the commands
        $ mcpmux call
        error: `NAME` is missing
          hint: usage: mcpmux call <NAME> [JSON | KEY=VALUE]...
        $ mcpmux serve --config
        error: `--config <FILE>` needs a value
          hint: see `mcpmux --help`
        ");
    }
}
