//! What a client is asked to do, and what it says: the language of `tests/peers/README.md`.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

/// Which revisions a client may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Era {
    /// The handshake, up to 2025-11-25.
    Legacy,
    /// What the client itself chooses; with the mux that must be `Modern`.
    Auto,
    /// 2026-07-28, with no way back.
    Modern,
}

impl Era {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Auto => "auto",
            Self::Modern => "modern",
        }
    }

    /// The revision that such a client and a server with every revision must settle on.
    pub(crate) fn revision(self) -> &'static str {
        match self {
            Self::Legacy => "2025-11-25",
            Self::Auto | Self::Modern => "2026-07-28",
        }
    }
}

/// Where a client finds its server.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Target {
    /// A command line to start.
    Stdio(Vec<String>),
    /// A URL.
    Http(String),
    /// The URL of a stream of events (2024-11-05).
    Sse(String),
    /// The URL of a WebSocket.
    Ws(String),
}

/// One thing to do. The methods are those of MCP, with two more: `server` tells what the handshake
/// said, `settle` waits until the lists have the lengths in its parameters; and the scenes of the drivers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) params: Option<Value>,
    /// Whether the server asks the client something before it answers.
    #[serde(skip)]
    pub(crate) asks: bool,
    /// Whether only clients of the old revisions can do it.
    #[serde(skip)]
    pub(crate) legacy: bool,
    /// What the connection has to be like behind a mux.
    #[serde(skip)]
    pub(crate) needs: Needs,
}

/// How long a server on a pipe must remember its client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Needs {
    /// For the length of a call.
    #[default]
    Nothing,
    /// From call to call: one connection for all, or for each client.
    Kept,
    /// As the one that tells the mux what there is.
    Shared,
    /// As nobody else.
    Own,
}

/// How the servers of a mux share their connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    Auto,
    Shared,
    PerClient,
}

impl Sharing {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Shared => "shared",
            Self::PerClient => "per-client",
        }
    }

    pub(crate) fn gives(self, needs: Needs) -> bool {
        match needs {
            Needs::Nothing => true,
            Needs::Kept => self != Self::Auto,
            Needs::Shared => self == Self::Shared,
            Needs::Own => self == Self::PerClient,
        }
    }
}

impl Operation {
    pub(crate) fn new(id: &str, method: &str, params: Option<Value>) -> Self {
        Self {
            id: id.to_owned(),
            method: method.to_owned(),
            params,
            asks: false,
            legacy: false,
            needs: Needs::Nothing,
        }
    }

    /// The operation as part of this leg: `{leg}` becomes a name that no other leg has.
    pub(crate) fn within(mut self, leg: &str) -> Self {
        let fits = |letter: char| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        };
        let leg: String = leg.chars().map(fits).collect();
        let params = self.params.map(|params| params.to_string());
        self.params =
            params.and_then(|text| serde_json::from_str(&text.replace("{leg}", &leg)).ok());
        self
    }
}

/// One connection and what is done with it, in order.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) era: Era,
    #[serde(flatten)]
    pub(crate) target: Target,
    pub(crate) operations: Vec<Operation>,
}

/// Everything that one run of a client said.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    found: HashMap<(String, String), Value>,
    broken: HashMap<String, Value>,
}

impl Answers {
    /// Notes one line: `{session, operation, result | error | exception, progress?}`. Without an
    /// operation it is the whole session that has failed.
    pub(crate) fn note(&mut self, mut line: Value) {
        let Some(members) = line.as_object_mut() else {
            return;
        };
        let mut text = |key| match members.remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (session, operation) = (text("session").unwrap_or_default(), text("operation"));
        match operation {
            Some(operation) => self.found.insert((session, operation), line),
            None => self.broken.insert(session, line),
        };
    }

    /// What came of an operation; `Err` says why nothing did.
    pub(crate) fn get(&self, session: &str, operation: &str) -> Result<&Value, String> {
        let key = (session.to_owned(), operation.to_owned());
        self.found.get(&key).ok_or_else(|| {
            let why = self.broken.get(session).map(Value::to_string);
            why.unwrap_or_else(|| "the client said nothing".to_owned())
        })
    }
}
