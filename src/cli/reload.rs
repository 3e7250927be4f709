//! `mcpmux reload`: has a running mux read its files again.

use tokio::runtime::Builder;

use super::args::{Common, Form, ReloadArgs};
use super::error::CliError;
use super::exit::Exit;
use super::output;
use super::report::{self, Finding, Severity};
use super::running::sources;
use crate::config::{Config, Listen};
use crate::control::{self, Answer, ControlError, Report, Run};

/// Finds the mux, asks it, and prints what it says.
pub(super) fn run(args: &ReloadArgs, common: &Common) -> Result<Exit, CliError> {
    let place = match &args.url {
        Some(url) => place_of(url)?,
        None => configured(common)?,
    };
    let run = if args.dry_run { Run::Dry } else { Run::Real };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (answer, json) = runtime.block_on(control::reload(&place, run))?;
    match args.output.form() {
        Form::Json => {
            let value: serde_json::Value = serde_json::from_slice(&json).unwrap_or_default();
            output::print(&format!("{value:#}\n"))?;
        }
        Form::Text => tell(&answer)?,
    }
    Ok(Exit::Ok)
}

fn tell(answer: &Answer) -> Result<(), CliError> {
    let warnings: Vec<Finding> = answer.warnings.iter().map(Finding::from).collect();
    report::print(&warnings, Severity::Warning);
    if answer.changes.is_empty() {
        report::to_stderr("nothing is different\n");
    }
    for line in &answer.changes {
        output::print(&format!(
            "{line}
"
        ))?;
    }
    Ok(())
}

/// Where the configuration says that its mux is.
fn configured(common: &Common) -> Result<Listen, CliError> {
    let settings = Config::load_settings(&sources(common, None)?)?;
    settings.listen.ok_or_else(|| {
        let what = "the configuration does not say where its mux listens";
        let hint = "give `--url http://127.0.0.1:PORT`; a mux on stdio alone follows its files by itself, and at SIGHUP";
        CliError::from(Finding::new(what).hint(hint))
    })
}

/// The place in a URL of the mux, or of its endpoint.
fn place_of(url: &str) -> Result<Listen, CliError> {
    let bare = url.strip_prefix("http://").unwrap_or(url);
    let authority = match bare.strip_prefix("unix:") {
        Some(_) => bare,
        None => bare.split('/').next().unwrap_or_default(),
    };
    authority.parse().map_err(|error| {
        let hint = "a mux is asked on its own machine: `http://127.0.0.1:PORT` or `unix:/PATH`";
        CliError::from(Finding::new(format!("`{url}` is no place of a mux: {error}")).hint(hint))
    })
}

impl From<&Report> for Finding {
    fn from(report: &Report) -> Self {
        Self {
            what: report.message.clone(),
            place: report.place(),
            hint: report.hint.clone(),
        }
    }
}

impl From<ControlError> for CliError {
    fn from(error: ControlError) -> Self {
        Self::Control(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_leads_to_the_place_of_the_mux() {
        let place = |url| place_of(url).map(|place| place.to_string()).ok();
        let expected = Some("127.0.0.1:8808".to_owned());
        for url in [
            "http://127.0.0.1:8808/mcp",
            "http://localhost:8808",
            "127.0.0.1:8808",
            "8808",
        ] {
            assert_eq!(place(url), expected, "{url}");
        }
        assert_eq!(
            place("unix:/run/mux.sock").as_deref(),
            Some("unix:/run/mux.sock")
        );
        for url in [
            "https://127.0.0.1:1/",
            "http://example.com:80/",
            "unix:mux.sock",
            "",
        ] {
            assert_eq!(place(url), None, "{url}");
        }
    }
}
