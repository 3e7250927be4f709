//! `Problem`: what can be wrong with a configuration, as data.
//!
//! No variant holds the value of a variable, a header or a credential.

use std::fmt;
use std::path::PathBuf;

use super::listen::BadListen;
use super::place::Place;

/// What is wrong or odd. `Display` says what, [`Problem::hint`] what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "the messages say what the variants and their fields are"
)]
pub enum Problem {
    // The file as a whole.
    #[error("no configuration file was found")]
    NoFile { tried: Vec<PathBuf> },
    #[error("cannot read the file: {reason}")]
    Unreadable { reason: String },
    #[error("the file is larger than {limit}")]
    TooLarge { limit: String },
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    #[error("syntax error: {detail}")]
    Syntax { detail: String },
    #[error("`{key}` is given twice, the later one counts")]
    DuplicateKey { key: String },
    #[error("the file must hold an object, not {found}")]
    NotAnObject { found: &'static str },
    #[error("the file has no servers and no `mux`")]
    NothingHere,

    #[error("`{}` includes itself", path.display())]
    IncludeCycle { path: PathBuf },
    #[error("no file matches `{pattern}`")]
    NothingIncluded { pattern: String },
    #[error("there are more than {limit} files")]
    TooManyFiles { limit: usize },

    #[error("the managed policy cannot be used: {why}")]
    Policy { why: String },
    #[error("server `{server}` is blocked by the managed policy: {why}")]
    Blocked {
        server: String,
        why: String,
        entry: Place,
    },
    #[error("server `{server}` is ignored: the managed policy says which servers there are")]
    NotManaged { server: String, policy: PathBuf },

    // One key and its value.
    #[error("unknown key `{key}`")]
    UnknownKey {
        key: String,
        suggestion: Option<String>,
        known: Vec<&'static str>,
    },
    #[error("`{key}` changes nothing here: {why}")]
    Elsewhere {
        key: &'static str,
        why: &'static str,
    },
    #[error("unknown environment variable `{name}`")]
    UnknownVariable {
        name: String,
        suggestion: Option<String>,
    },
    #[error("`{key}` must be {expected}, not {found}")]
    WrongType {
        key: String,
        expected: Expected,
        found: String,
    },
    #[error("`{key}` must be {}, not `{found}`", one_of(known))]
    WrongWord {
        key: String,
        found: String,
        known: &'static [&'static str],
        suggestion: Option<String>,
    },
    #[error("`{key}` must be from {min} to {max}, not `{found}`")]
    OutOfRange {
        key: String,
        found: String,
        min: String,
        max: String,
    },
    #[error("cannot listen on `{found}`: {reason}")]
    Listen { found: String, reason: BadListen },
    #[error("`{key}` may not be empty")]
    Empty { key: String },
    #[error("a key of `{key}` is empty")]
    EmptyKey { key: String },
    #[error("`{key}` is missing")]
    Missing { key: String },
    #[error("`{pattern}` is not a pattern: {reason}")]
    Pattern { pattern: String, reason: String },

    // Filling in `${…}`.
    #[error("variable `{name}` is not set")]
    UnsetVariable { name: String },
    #[error("`${{{body}}}` is not understood")]
    Reference { body: String },
    #[error("no input `{id}` is declared in this file")]
    UnknownInput { id: String },
    #[error("input `{id}` has no value")]
    UnsetInput { id: String, variable: String },
    #[error("the value for input `{id}` must be {}", one_of_texts(options))]
    InputOption { id: String, options: Vec<String> },
    #[error("a `${{` has no closing `}}`")]
    OpenReference,
    #[error("`${{…}}` are nested more than {limit} deep")]
    DeepReference { limit: usize },
    #[error("commands are not allowed, as in `${{cmd:…}}`")]
    Command,
    #[error("the command of a `${{cmd:…}}` failed: {reason}")]
    CommandFailed { reason: String },
    #[error("the headers of `headersHelper` are left out: commands are off")]
    HelperOff,
    #[error("`headersHelper` failed: {reason}")]
    Helper { reason: String },
    #[error("the keychain has no value for `{entry}`: {reason}")]
    Keychain { entry: String, reason: String },
    #[error("cannot read `{}`: {reason}", path.display())]
    SecretFile { path: PathBuf, reason: String },
    #[error("`{}` cannot be used: {reason}", path.display())]
    Pem { path: PathBuf, reason: String },
    #[error("`~` stands for the home directory, and there is none")]
    NoHome,
    #[error("line {line} of `{}` is not `NAME=value`", path.display())]
    EnvFileLine { path: PathBuf, line: usize },

    // A server entry.
    #[error("server `{server}` is run by an extension of Zed and is left out")]
    OfExtension { server: String },
    #[error("a server has an empty name")]
    NamelessServer,
    #[error("server `{server}` has neither `command` nor `url`")]
    NoTransport { server: String },
    #[error("server `{server}` is of type `{kind}` and has no `{key}`")]
    NotForType {
        server: String,
        kind: &'static str,
        key: &'static str,
    },
    #[error("`{key}` means nothing to a server of type `{kind}`")]
    Useless {
        key: &'static str,
        kind: &'static str,
    },
    #[error("`url` is not a URL: {reason}")]
    Url { reason: String },
    #[error("a URL with the scheme `{scheme}` does not fit the type `{kind}`")]
    Scheme { scheme: String, kind: &'static str },
    #[error("`tls` means nothing to a URL with the scheme `{scheme}`")]
    PlainTls { scheme: String },
    #[error("`{name}` is not a header name")]
    HeaderName { name: String },
    #[error("the value of the header `{name}` has characters that a header may not have")]
    HeaderValue { name: String },
    #[error("the header `{name}` is given twice")]
    HeaderTwice { name: String },
    #[error("the header `{name}` is left out: variable `{variable}` is not set")]
    HeaderUnset { name: String, variable: String },
    #[error("`redirectUrl` is no address of this machine")]
    Redirect,
    #[error("`username` may not contain a colon")]
    UserName,
    #[error("`{name}` is not the name of an environment variable")]
    VariableName { name: String },
    #[error("`timeout: {written}` is read as {read}")]
    Timeout { written: String, read: String },

    /// The merged settings could not be read, although every part of them was in order.
    #[error("the settings do not fit together: {detail}")]
    Settings { detail: String },
}

/// What sort of value belongs somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `Display` say it")]
pub enum Expected {
    Text,
    Flag,
    Whole,
    Duration,
    Size,
    Mode,
    Address,
    Array,
    Object,
    Section,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "a string",
            Self::Flag => "true or false",
            Self::Whole => "a whole number",
            Self::Duration => "a duration",
            Self::Size => "a size",
            Self::Mode => "the permissions of a file",
            Self::Address => "an address",
            Self::Array => "an array",
            Self::Object => "an object",
            Self::Section => "an object, or an array of patterns",
        })
    }
}

impl Problem {
    /// What the person can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoFile { tried } => {
                let tried: Vec<_> = tried
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                format!("name one with --config FILE; looked for {}", list(&tried))
            }
            Self::NothingHere => {
                "put the servers under `mcpServers`, as in mcp-config.example.json".into()
            }
            Self::UnknownKey {
                suggestion, known, ..
            } => match suggestion {
                Some(suggestion) => format!("did you mean `{suggestion}`?"),
                None if known.len() <= 8 => format!("known are {}", list(&ticked(known))),
                None => "`mcpmux schema` lists the keys".into(),
            },
            Self::UnknownVariable { suggestion, .. } => match suggestion {
                Some(suggestion) => format!("did you mean `{suggestion}`?"),
                None => "settings from the environment are named after the keys of `mux`".into(),
            },
            Self::Policy { .. } => {
                "nothing starts without it; ask whoever manages this machine".into()
            }
            Self::Blocked { entry, .. } => {
                format!("its entry is at {entry}; ask whoever manages this machine")
            }
            Self::NotManaged { policy, .. } => format!("see {}", policy.display()),
            Self::IncludeCycle { .. } => "take it out on one side".into(),
            Self::WrongWord {
                suggestion: Some(suggestion),
                ..
            } => {
                format!("did you mean `{suggestion}`?")
            }
            Self::WrongType {
                expected: Expected::Duration,
                ..
            } => "write for example \"30s\", \"500ms\", \"2m\" or \"1h\"".into(),
            Self::WrongType {
                expected: Expected::Size,
                ..
            } => "write for example \"64MiB\", or a number of bytes".into(),
            Self::WrongType {
                expected: Expected::Mode,
                ..
            } => "write three octal digits, for example \"0660\"".into(),
            Self::Listen { reason, .. } => listen_hint(*reason).into(),
            Self::Pattern { .. } => {
                "`*` stands for any characters, `?` for one; a backslash takes away the meaning"
                    .into()
            }
            _ => {
                return self
                    .hint_for_references()
                    .or_else(|| self.hint_for_servers());
            }
        })
    }

    fn hint_for_references(&self) -> Option<String> {
        Some(match self {
            Self::UnsetVariable { name } => {
                format!("set `{name}`, or give a default: `${{{name}:-…}}`")
            }
            Self::Reference { .. } => {
                "known are `${VAR}`, `${VAR:-default}`, `${file:PATH}`, `${cmd:LINE}` and \
                 `${keychain:SERVICE/ACCOUNT}`; for the text itself write `$${`"
                    .into()
            }
            Self::UnsetInput { variable, .. } => {
                format!("set the environment variable `{variable}`")
            }
            Self::UnknownInput { .. } => "declare it in `inputs`".into(),
            Self::OpenReference => "close it, or write `$${` for the text itself".into(),
            Self::HelperOff => "`mux.allowCommands: true` lets every value of these files run programs".into(),
            Self::Command => {
                "`mux.allowCommands: true` lets every value of these files run programs; or use `${file:PATH}`"
                    .into()
            }
            Self::Keychain { .. } => {
                "put the secret there with your system's own program, or into the private file \
                 `mcpmux/keychain/SERVICE/ACCOUNT` in `$XDG_STATE_HOME`"
                    .into()
            }
            Self::SecretFile { .. } => {
                "a relative path starts at the directory of the configuration file".into()
            }
            Self::NoHome => "set HOME, or write the whole path".into(),
            _ => return None,
        })
    }

    fn hint_for_servers(&self) -> Option<String> {
        Some(match self {
            Self::NoTransport { .. } => {
                "give a `command` to run, a `url` to connect to, or `enabled: false`".into()
            }
            Self::OfExtension { .. } => "give it a `command` or a `url` to have it here".into(),
            Self::NotForType { key, .. } => format!("add `{key}`, or change `type`"),
            Self::Url { .. } => "write for example \"https://example.com/mcp\"".into(),
            Self::Scheme { .. } => {
                "`http` and `sse` need http:// or https://, `ws` needs ws:// or wss://".into()
            }
            Self::Pem { .. } => {
                "`tls` wants PEM files: `-----BEGIN CERTIFICATE-----`, and a key without a password"
                    .into()
            }
            Self::PlainTls { .. } => "use https:// or wss://".into(),
            Self::Redirect => "write for example \"http://localhost:7777/callback\"".into(),
            Self::HeaderTwice { .. } => "give it once, in `headers` or through `auth`".into(),
            Self::Timeout { .. } => "say it without doubt with `callTimeout`, as in \"30s\"".into(),
            _ => return None,
        })
    }
}

fn listen_hint(reason: BadListen) -> &'static str {
    match reason {
        BadListen::RelativeSocket | BadListen::BarePath => {
            "write for example \"unix:/run/mcpmux.sock\""
        }
        BadListen::HostName => {
            "write the IP address: \"127.0.0.1:8808\" for this machine only, \"0.0.0.0:8808\" for all"
        }
        BadListen::Port => "write for example \"127.0.0.1:8808\", \"localhost:8808\" or \"8808\"",
    }
}

fn ticked(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| format!("`{word}`")).collect()
}

fn one_of_texts(words: &[String]) -> String {
    one_of(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn one_of(words: &[&str]) -> String {
    match ticked(words).split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

fn list(items: &[String]) -> String {
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".into(),
    }
}
