//! `mcpmux check`: what is wrong with a configuration and with the servers in it.

use serde::Serialize;

use super::args::{CheckArgs, Common, Form};
use super::error::CliError;
use super::exit::Exit;
use super::explain::{self, ValueLine};
use super::findings::{self, ConflictLine};
use super::listing::pretty;
use super::output;
use super::report::{self, Finding, Severity};
use super::running::{ONE_SHOT_LOG, Purpose, lines, load, log, settle, with_app};
use super::servers::{self, ServerLine};
use super::style::Style;
use super::table::terminal_width;
use crate::catalog::Resolution;
use crate::config::{Config, ConfigErrors, OnConflict};
use crate::mux::Mux;

/// Checks a configuration and the servers in it.
pub(super) fn run(args: &CheckArgs, common: &Common) -> Result<Exit, CliError> {
    let (mut checked, config) = match load(common, None) {
        Ok(config) => (Checked::of_config(&config), config),
        Err(CliError::Config(errors)) => {
            Checked::of_errors(&errors).print(args.output.form())?;
            return Ok(Exit::Usage);
        }
        Err(error) => return Err(error),
    };
    log(common, &config, ONE_SHOT_LOG)?;
    if args.explain {
        checked.explained = explain::values(&config);
    }
    if !args.offline {
        with_app(&config, Purpose::Errand, async |app| {
            settle(app.hub(), &config).await;
            checked.take(app.hub(), &config);
            Ok(())
        })?;
    }
    let exit = checked.judge(Demand::of(args));
    checked.print(args.output.form())?;
    Ok(exit)
}

/// Which servers must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// Nobody was asked.
    None,
    /// Those that are `required`.
    Required,
    /// All of them.
    All,
}

impl Demand {
    /// What the flags ask for.
    pub(super) fn of(args: &CheckArgs) -> Self {
        match (args.offline, args.strict) {
            (true, _) => Self::None,
            (false, true) => Self::All,
            (false, false) => Self::Required,
        }
    }

    fn includes(self, server: &ServerLine) -> bool {
        match self {
            Self::None => false,
            Self::Required => server.required,
            Self::All => true,
        }
    }
}

/// Everything that `check` found. The members are part of the contract with scripts.
#[derive(Debug, Default, Serialize)]
pub(super) struct Checked {
    pub(super) servers: Vec<ServerLine>,
    pub(super) conflicts: Vec<ConflictLine>,
    pub(super) warnings: Vec<Finding>,
    pub(super) errors: Vec<Finding>,
    /// Every value, if that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    explained: Vec<ValueLine>,
    /// Conflicts that are no errors, as they are told.
    #[serde(skip)]
    odd: Vec<Finding>,
}

impl Checked {
    /// What is wrong with a configuration that cannot be used.
    fn of_errors(errors: &ConfigErrors) -> Self {
        let (errors, warnings) = findings::of_errors(errors);
        Self {
            warnings,
            errors,
            ..Self::default()
        }
    }

    /// What the configuration alone says.
    fn of_config(config: &Config) -> Self {
        let mut warnings: Vec<Finding> = config.warnings.iter().map(Finding::from).collect();
        if config.servers.is_empty() {
            warnings
                .push(Finding::new("no server is configured").hint("put one under `mcpServers`"));
        }
        let servers = config.servers.values().map(ServerLine::untried).collect();
        Self {
            servers,
            warnings,
            ..Self::default()
        }
    }

    /// Adds what the servers say.
    fn take(&mut self, mux: &Mux, config: &Config) {
        let problems = mux.problems();
        self.servers = lines(mux);
        self.warnings
            .extend(problems.dead_rules.iter().map(Finding::from));
        self.conflicts = problems.conflicts.iter().map(ConflictLine::of).collect();
        let told = problems
            .conflicts
            .iter()
            .map(|conflict| (conflict, findings::of_conflict(conflict)));
        for (conflict, finding) in told {
            let fatal = config.settings.on_conflict == OnConflict::Error
                && conflict.resolution == Resolution::Dropped;
            if fatal {
                self.errors.push(finding);
            } else {
                self.odd.push(finding);
            }
        }
    }

    /// Adds what is to be said of servers that do not answer; returns how the program ends.
    pub(super) fn judge(&mut self, demand: Demand) -> Exit {
        if !self.errors.is_empty() {
            return Exit::Usage;
        }
        if demand == Demand::None {
            return Exit::Ok;
        }
        for server in self.servers.iter().filter(|server| !server.is_ready()) {
            let finding = Finding::new(server.trouble());
            if demand.includes(server) {
                self.errors.push(finding);
            } else {
                self.warnings.push(finding);
            }
        }
        if self.errors.is_empty() {
            Exit::Ok
        } else {
            Exit::Unavailable
        }
    }

    /// Prints the table, or JSON, and below it on stderr what is wrong.
    pub(super) fn print(&self, form: Form) -> std::io::Result<()> {
        if form == Form::Text && !self.explained.is_empty() {
            let table = explain::table(&self.explained, Style::of_stdout());
            output::print_ours(&format!("{table}\n"))?;
        }
        match form {
            Form::Json => output::print(&pretty(self))?,
            Form::Text if self.servers.is_empty() => {}
            Form::Text => {
                let table = servers::table(&self.servers, Style::of_stdout(), terminal_width());
                output::print_ours(&table)?;
            }
        }
        report::print(&self.warnings, Severity::Warning);
        report::print(&self.odd, Severity::Warning);
        report::print(&self.errors, Severity::Error);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::servers::tests::two;

    fn checked() -> Checked {
        Checked {
            servers: two(),
            ..Checked::default()
        }
    }

    #[test]
    fn only_required_servers_must_answer() {
        let mut checked = checked();
        assert_eq!(checked.judge(Demand::Required), Exit::Ok);
        assert_eq!(checked.warnings.len(), 1);
        assert_eq!(checked.errors, []);
    }

    #[test]
    fn a_required_server_that_is_away_fails_the_check() {
        let mut checked = checked();
        checked.servers[1].required = true;
        assert_eq!(checked.judge(Demand::Required), Exit::Unavailable);
        assert_eq!(checked.errors.len(), 1);
        assert_eq!(checked.warnings, []);
    }

    #[test]
    fn strict_wants_all_and_offline_wants_none() {
        assert_eq!(checked().judge(Demand::All), Exit::Unavailable);
        assert_eq!(checked().judge(Demand::None), Exit::Ok);
    }

    #[test]
    fn an_invalid_configuration_beats_everything() {
        let mut checked = checked();
        checked.errors.push(Finding::new("key `x` is unknown"));
        assert_eq!(checked.judge(Demand::All), Exit::Usage);
    }

    #[test]
    fn json_has_four_members() {
        let mut checked = Checked::default();
        checked.warnings.push(Finding::new("w"));
        assert_eq!(
            serde_json::to_string(&checked).unwrap(),
            r#"{"servers":[],"conflicts":[],"warnings":[{"message":"w"}],"errors":[]}"#
        );
    }
}
