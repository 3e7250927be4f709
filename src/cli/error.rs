//! Why a command failed.

use std::io;

use super::exit::Exit;
use super::findings;
use super::report::{self, Finding, Severity, ticked};
use crate::app::AppError;
use crate::catalog::Conflict;
use crate::config::ConfigErrors;
use crate::config::edit::DraftError;
use crate::control::ControlError;
use crate::mux::{CallError, Unknown};
use crate::protocol::ServerName;
use crate::telemetry::BadLogLevel;
use crate::wire::Json;

/// Why a command failed, as data; [`CliError::tell`] makes text of it.
#[derive(Debug)]
pub(super) enum CliError {
    /// The configuration cannot be used.
    Config(ConfigErrors),
    /// The log was asked for in a way that is not understood.
    Log(BadLogLevel),
    /// What was typed does not make arguments.
    Arguments(Finding),
    /// A file is not edited, or an edit is not written.
    Edit(Finding),
    /// The mux does not serve.
    App(AppError),
    /// `onConflict: "error"`, and there are some.
    Conflicts(Vec<Conflict>),
    /// These required servers have not come up in time, each with what is wrong.
    Missing(Vec<(ServerName, String)>),
    /// The login failed.
    Login(Finding),
    /// The request failed.
    Call(CallError),
    /// The server wants an answer that nobody can give.
    Asked,
    /// stdout does not take our data, or there is no runtime.
    Io(io::Error),
    /// A running mux did not do what it was asked.
    Control(ControlError),
    /// A signal ended it.
    Ended(Exit),
}

impl CliError {
    /// How the program ends.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Config(_)
            | Self::Log(_)
            | Self::Arguments(_)
            | Self::Conflicts(_)
            | Self::App(AppError::Exposed(_)) => Exit::Usage,
            Self::Missing(_) => Exit::Unavailable,
            Self::Control(ControlError::Refused(refusal)) => match refusal.kind.as_str() {
                "config" | "conflicts" => Exit::Usage,
                "missing" => Exit::Unavailable,
                _ => Exit::Failed,
            },
            Self::Edit(_)
            | Self::Login(_)
            | Self::App(_)
            | Self::Call(_)
            | Self::Asked
            | Self::Control(_)
            | Self::Io(_) => Exit::Failed,
            Self::Ended(exit) => *exit,
        }
    }

    /// Prints it on stderr and returns how the program ends.
    pub(super) fn tell(&self) -> Exit {
        if let Self::Config(errors) = self {
            report::print(&findings::of_errors(errors).1, Severity::Warning);
        }
        if let Self::Control(ControlError::Refused(refusal)) = self {
            let warnings: Vec<Finding> = refusal.warnings.iter().map(Finding::from).collect();
            report::print(&warnings, Severity::Warning);
        }
        report::print(&self.findings(), Severity::Error);
        self.exit()
    }

    /// The error in the form in which it is told.
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Config(errors) => findings::of_errors(errors).0,
            Self::Log(error) => {
                let levels = ticked(["off", "error", "warn", "info", "debug", "trace"]);
                vec![Finding::new(error.to_string()).hint(format!("levels are {levels}"))]
            }
            Self::Arguments(finding) | Self::Edit(finding) | Self::Login(finding) => {
                vec![finding.clone()]
            }
            Self::App(error) => vec![of_app(error)],
            Self::Conflicts(conflicts) => conflicts.iter().map(findings::of_conflict).collect(),
            Self::Missing(servers) => servers
                .iter()
                .map(|(name, why)| of_missing(name, why))
                .collect(),
            Self::Call(error) => vec![of_call(error)],
            Self::Asked => vec![
                Finding::new("the server asks for input, which the command line cannot give")
                    .hint("use a client that can answer questions"),
            ],
            Self::Control(error) => of_control(error),
            Self::Io(error) => vec![Finding::new(error.to_string())],
            Self::Ended(_) => Vec::new(),
        }
    }
}

fn of_control(error: &ControlError) -> Vec<Finding> {
    match error {
        ControlError::Refused(refusal) => refusal.errors.iter().map(Finding::from).collect(),
        ControlError::Away { .. } => vec![Finding::new(error.to_string()).hint(
            "is it running, and on this machine? `--url` says where; one on stdio alone follows its files by itself, and at SIGHUP",
        )],
        ControlError::Stranger { .. } => vec![Finding::new(error.to_string())],
    }
}

fn of_app(error: &AppError) -> Finding {
    let finding = Finding::new(error.to_string());
    match error {
        AppError::Exposed(address) => finding.hint(format!(
            "listen on a loopback address, as `127.0.0.1:{}`",
            address.port()
        )),
        AppError::Bind { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
            finding.hint("another program listens there; give another address: `--http ADDR`")
        }
        _ => finding,
    }
}

fn of_missing(name: &ServerName, why: &str) -> Finding {
    Finding::new(format!("required server `{name}` is not available: {why}"))
        .hint("`mcpmux check` tries all servers; without `\"required\": true` the mux runs on")
}

fn of_call(error: &CallError) -> Finding {
    let finding = Finding::new(error.to_string());
    match error {
        CallError::Answered { said, .. } => Finding::new(of_answer(&said.json)),
        CallError::Unknown(Unknown {
            suggestion: Some(name),
            ..
        }) => finding.hint(format!("did you mean `{name}`?")),
        CallError::Unknown(Unknown { .. }) => finding.hint("`mcpmux list` prints what there is"),
        _ => finding,
    }
}

/// A server's own error object in words.
fn of_answer(error: &Json) -> String {
    let said = error
        .get("message")
        .and_then(|text| Some(text.text()?.into_owned()));
    let Some(message) = said else {
        return format!("the server answered an error: {error}");
    };
    let code = error.get("code").map(|code| format!("code {code}"));
    let data = error.get("data").map(|data| format!("data {data}"));
    let details: Vec<String> = code.into_iter().chain(data).collect();
    format!(
        "the server answered an error: {message} ({})",
        details.join(", ")
    )
}

impl From<ConfigErrors> for CliError {
    fn from(errors: ConfigErrors) -> Self {
        Self::Config(errors)
    }
}

impl From<BadLogLevel> for CliError {
    fn from(error: BadLogLevel) -> Self {
        Self::Log(error)
    }
}

impl From<Finding> for CliError {
    fn from(finding: Finding) -> Self {
        Self::Arguments(finding)
    }
}

impl From<DraftError> for CliError {
    fn from(error: DraftError) -> Self {
        let finding = Finding::new(error.to_string());
        Self::Edit(match error {
            DraftError::Changed { .. } => finding.hint("look at it, and run the command again"),
            _ => finding,
        })
    }
}

impl From<AppError> for CliError {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

impl From<CallError> for CliError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::style::Style;
    use crate::protocol::{Era, Kind, PublicName, Said};

    fn told(error: &CliError) -> (String, u8) {
        let findings = error.findings();
        let lines = findings
            .iter()
            .map(|f| f.render(Severity::Error, Style::Plain));
        (lines.collect(), error.exit().code())
    }

    #[test]
    fn an_unknown_name_has_a_suggestion() {
        let unknown = |suggestion| {
            CliError::Call(CallError::Unknown(Unknown {
                kind: Kind::Tool,
                name: "ad".into(),
                suggestion,
            }))
        };
        assert_eq!(
            told(&unknown(Some(PublicName::new("m__add")))),
            (
                "error: unknown tool `ad`\n  hint: did you mean `m__add`?\n".into(),
                1
            )
        );
        assert_eq!(
            told(&unknown(None)),
            (
                "error: unknown tool `ad`\n  hint: `mcpmux list` prints what there is\n".into(),
                1
            )
        );
    }

    #[test]
    fn an_error_of_a_server_is_told_in_its_words() {
        let told = |text| {
            let said = Said::by(Era::Modern, Json::from_static(text));
            told(&CliError::Call(CallError::Answered {
                server: ServerName::new("a"),
                said,
                lacking: None,
            }))
            .0
        };
        assert_eq!(
            told(r#"{"code":-32021,"message":"No\u001b[2J way","data":{"a":[1]}}"#),
            "error: the server answered an error: No[2J way (code -32021, data {\"a\":[1]})\n"
        );
        assert_eq!(
            told(r#"{"code":7}"#),
            "error: the server answered an error: {\"code\":7}\n"
        );
    }

    #[test]
    fn an_address_for_all_is_refused_with_a_way_out() {
        let exposed = AppError::Exposed(([0, 0, 0, 0], 9000).into());
        assert_eq!(
            told(&CliError::App(exposed)),
            (
                "error: refusing to listen on `0.0.0.0:9000`, which others can reach, without \
                 authentication\n  hint: listen on a loopback address, as `127.0.0.1:9000`\n"
                    .into(),
                2
            )
        );
    }

    #[test]
    fn a_missing_server_ends_with_three() {
        let missing = vec![(
            ServerName::new("git"),
            "command `uvx` was not found".to_owned(),
        )];
        let (text, code) = told(&CliError::Missing(missing));
        assert_eq!(
            text.lines().next(),
            Some("error: required server `git` is not available: command `uvx` was not found")
        );
        assert_eq!(code, 3);
    }
}
