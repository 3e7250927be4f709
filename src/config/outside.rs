//! `Outside`: what values may come from beside files and variables.

use super::secret::Secret;

/// Runs commands, looks into the keychain, asks people. Configuration itself does none of that; it asks whoever
/// it was given, and only when a value needs it. All of it may block.
pub trait Outside: Send + Sync {
    /// What a command line prints that has these variables, too. Fails with the reason, which must not hold any of it.
    fn command(&self, line: &str, variables: &[(&str, &str)]) -> Result<Secret, String>;

    /// What the keychain has for an account of a service; `None` if nothing. Fails with the reason.
    fn keychain(&self, service: &str, account: &str) -> Result<Option<Secret>, String>;

    /// What a person answers; `None` if nobody can be asked, or does not answer.
    fn ask(&self, question: &Question<'_>) -> Option<Secret>;
}

/// What a file wants to know of its user.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The id of the input.
    pub id: &'a str,
    /// What is asked for, in the words of the file; may be empty.
    pub text: &'a str,
    /// The answers to choose from; empty: any.
    pub options: &'a [String],
    /// How the answer is typed.
    pub typed: Typed,
}

/// How an answer is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// So that everybody can see it.
    Shown,
    /// Without being shown.
    Hidden,
}

/// Whether `${cmd:…}` and `headersHelper` may run anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Commands {
    #[default]
    Refused,
    Allowed,
}
