//! What can be judged of an entry before a command is run, or a person asked, for any value in it.

use std::sync::Arc;

use crate::config::entry::{Entry, EntryReader};
use crate::config::error::Findings;
use crate::config::outside::{Outside, Question};
use crate::config::tree::{Node, Value};
use crate::config::{Secret, ServerConfig, Sources, TransportConfig};

use super::judge::Verdict;
use super::read::Policy;

/// Stands for what is not known yet.
const UNKNOWN: &str = "mcpmux-unknown-f3a91c";
/// What a value may wait for.
const REFERENCES: [&str; 3] = ["${cmd:", "${input:", "${keychain:"];
/// The key whose command prints headers.
const HELPER: &str = "headersHelper";
/// The variable that says where a program is looked for.
const SEARCH: &str = "PATH";

/// Runs nothing, looks nowhere and asks nobody.
#[derive(Debug)]
pub(crate) struct Unasked;

impl Outside for Unasked {
    fn command(&self, _: &str, variables: &[(&str, &str)]) -> Result<Secret, String> {
        // What has variables of its own is to print headers.
        let printed = if variables.is_empty() { UNKNOWN } else { "{}" };
        Ok(Secret::new(printed))
    }

    fn keychain(&self, _: &str, _: &str) -> Result<Option<Secret>, String> {
        Ok(Some(Secret::new(UNKNOWN)))
    }

    fn ask(&self, _: &Question<'_>) -> Option<Secret> {
        Some(Secret::new(UNKNOWN))
    }
}

impl Sources {
    /// The same, but no command is run and nobody is asked: each of their values is a word that means nothing.
    pub(crate) fn unasked(&self) -> Self {
        Self {
            outside: Some(Arc::new(Unasked)),
            ..self.clone()
        }
    }
}

impl Policy {
    /// Why an entry is not let in whatever its commands print and its user answers; `None`: it is, or that is not known yet.
    pub(crate) fn foresee(
        &self,
        (name, entry): (&str, &Node),
        reader: &EntryReader<'_>,
    ) -> Option<(Box<ServerConfig>, Verdict)> {
        if !waits(entry) {
            return None;
        }
        let sources = reader.sources.unasked();
        let mut ignored = Findings::default();
        let mut quiet = EntryReader {
            settings: reader.settings,
            explained_settings: reader.explained_settings,
            sources: &sources,
            inputs: reader.inputs,
            commands: reader.commands,
            findings: &mut ignored,
            explained: Vec::new(),
        };
        let Entry::Enabled(server) = quiet.read(name, entry.clone()) else {
            return None;
        };
        let verdict = self.judge(&server, &sources)?;
        (verdict.is_denial || !is_a_guess(&server)).then_some((server, verdict))
    }
}

/// Whether a value in it waits for a command or a person.
fn waits(node: &Node) -> bool {
    match &node.value {
        Value::Text(text) => REFERENCES.iter().any(|start| text.text.contains(start)),
        Value::List(list) => list.iter().any(waits),
        Value::Map(map) => map.contains_key(HELPER) || map.values().any(waits),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether what a list of allowed servers looks at is not known yet.
fn is_a_guess(server: &ServerConfig) -> bool {
    let unknown = |text: &str| text.contains(UNKNOWN);
    match &server.transport {
        TransportConfig::Child(child) => {
            let search = child.env.iter().filter(|(name, _)| name.as_str() == SEARCH);
            unknown(&child.command) || child.args.iter().any(|word| unknown(word)) || { search }
                .any(|(_, value)| unknown(value.expose()))
        }
        TransportConfig::Http(http)
        | TransportConfig::Sse(http)
        | TransportConfig::WebSocket(http) => unknown(&http.url),
    }
}
