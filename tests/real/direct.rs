//! The legs without the mux: what every later result is compared with.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::clients::{Client, Stage};
use crate::lists::{LISTS, List};
use crate::servers::Server;
use crate::session::{Answers, Era, Operation, Session, Target};

/// What server-everything lists only for clients that can answer its questions: it depends on what
/// the mux declares to it, so it is left out on both sides.
const FOR_SOME_CLIENTS: [&str; 6] = [
    "get-roots-list",
    "trigger-elicitation-request",
    "trigger-elicitation-request-async",
    "trigger-sampling-request",
    "trigger-sampling-request-async",
    "trigger-url-elicitation",
];

/// What the names begin with of what clients have had made there.
const MADE: &str = "note-";

/// Whether an entry of a list is the same for every client.
pub(crate) fn for_everybody(server: &str, entry: &Value) -> bool {
    let name = entry["name"].as_str().unwrap_or_default();
    let everything = matches!(server, "everything" | "rooted");
    !everything || !FOR_SOME_CLIENTS.contains(&name) && !name.starts_with(MADE)
}

/// How the mux, or a client without it, reaches the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reach {
    Stdio,
    /// Over HTTP where the server can, else over stdio.
    Http,
    /// Over HTTP+SSE or WebSocket; only servers that can.
    Older,
}

impl Reach {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Http => "http",
            Self::Older => "older",
        }
    }
}

/// What one client got from every server directly.
pub(crate) struct Baseline {
    client: Client,
    answers: Answers,
}

impl Baseline {
    /// Runs the client against every server, in every era and over every transport of the server.
    pub(crate) fn take(
        client: Client,
        servers: &[Server],
        urls: &HashMap<String, String>,
        stage: &Stage,
    ) -> Result<Self, String> {
        let mut sessions = Vec::new();
        for server in servers {
            let url = urls.get(server.name).cloned();
            for era in server
                .eras()
                .iter()
                .filter(|era| client.eras().contains(era))
            {
                // A process per operation is dear: over HTTP the result is the same.
                if !(client.reconnects() && url.is_some()) {
                    let leg = format!("{}-{}", client.name(), stage.leg);
                    let target = server.stdio(stage.scratch, &leg)?;
                    sessions.push(session(client, server, (Reach::Stdio, *era), target));
                }
                let http = url.clone().map(Target::Http);
                sessions.extend(http.map(|url| session(client, server, (Reach::Http, *era), url)));
            }
        }
        let answers = client.drive(stage, &sessions, 2)?;
        Ok(Self { client, answers })
    }

    /// What the operation gave directly, to this client in the era that fits best.
    pub(crate) fn get(
        &self,
        server: &Server,
        (reach, era): (Reach, Era),
        operation: &str,
    ) -> Result<&Value, String> {
        let era = if era == Era::Legacy || !server.dual {
            Era::Legacy
        } else {
            Era::Modern
        };
        // Not every server was reached in every way.
        let get = |way| self.answers.get(&id(server, (way, era)), operation);
        let others = || get(Reach::Stdio).or_else(|_| get(Reach::Http));
        let found = get(reach).or_else(|why| others().map_err(|_| why));
        found.map_err(|why| {
            format!(
                "no result without the mux for {}: {why}",
                self.client.name()
            )
        })
    }

    /// The entries of one list of one server, as far as they are for everybody; none if it has no such list.
    pub(crate) fn entries(
        &self,
        server: &Server,
        how: (Reach, Era),
        list: List,
    ) -> Result<Vec<Value>, String> {
        let asks = |known: &&Operation| known.method == list.method;
        let Some(operation) = server.operations.iter().find(asks) else {
            return Ok(Vec::new());
        };
        let line = self.get(server, how, &operation.id)?;
        let everybodys = |entry: &&Value| for_everybody(server.name, entry);
        Ok(list
            .entries(line)?
            .iter()
            .filter(everybodys)
            .cloned()
            .collect())
    }

    /// The keys of all that the lists of a mux must have, by method.
    pub(crate) fn keys(&self, servers: &[Server], how: (Reach, Era)) -> Result<Value, String> {
        let mut wanted = json!({});
        for list in LISTS {
            let mut keys = Vec::new();
            for server in servers {
                let entries = self.entries(server, how, list)?;
                let texts = entries.iter().filter_map(|entry| entry[list.key].as_str());
                keys.extend(texts.map(|key| list.public(server.name, key)));
            }
            wanted[list.method] = json!(keys);
        }
        Ok(wanted)
    }
}

fn id(server: &Server, (reach, era): (Reach, Era)) -> String {
    format!("{} over {} {}", server.name, reach.name(), era.name())
}

fn session(client: Client, server: &Server, how: (Reach, Era), target: Target) -> Session {
    let operations = server
        .operations
        .iter()
        .filter(|operation| client.does(operation, how.1));
    let leg = format!("{} {} {}", client.name(), how.0.name(), how.1.name());
    Session {
        id: id(server, how),
        era: how.1,
        target,
        operations: operations
            .map(|operation| operation.clone().within(&leg))
            .collect(),
    }
}
