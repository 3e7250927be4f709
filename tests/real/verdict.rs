//! Compares what a client got through the mux with what it got without.

use serde_json::{Value, json};

use crate::difference::difference;
use crate::direct::{Baseline, for_everybody};
use crate::likeness::{Crossing, Likeness};
use crate::lists::{LISTS, List, original};
use crate::servers::Server;
use crate::session::{Answers, Era, Operation};
use crate::through::{Leg, Mux};

/// The kinds of things that the mux must offer, since its servers do.
const CAPABILITIES: [&str; 4] = ["tools", "resources", "prompts", "completions"];

/// What came of one leg.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) equal: usize,
    pub(crate) offences: Vec<String>,
}

impl Verdict {
    fn note(&mut self, what: &str, found: Result<(), String>) {
        match found {
            Ok(()) => self.equal += 1,
            Err(offence) => self.offences.push(format!("{what}\n      {offence}")),
        }
    }
}

/// All that there is to compare.
pub(crate) struct Comparison<'a> {
    pub(crate) servers: &'a [Server],
    pub(crate) baseline: &'a Baseline,
    pub(crate) mux: &'a Mux,
    pub(crate) answers: &'a Answers,
    pub(crate) leg: Leg,
}

impl Comparison<'_> {
    pub(crate) fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        verdict.note("server", self.handshake());
        let can = |method: &str| self.leg.client.can(method, self.leg.era);
        for own in ["settle", "ping"].into_iter().filter(|own| can(own)) {
            let empty = json!({ "result": {} });
            verdict.note(own, self.got(own).and_then(|line| equal(&empty, line)));
        }
        for list in LISTS {
            verdict.note(list.method, self.list(list));
        }
        for server in self.servers {
            for operation in &server.operations {
                let listed = operation.method.ends_with("/list");
                if !listed && self.leg.does(server, self.mux.reach, operation) {
                    verdict.note(&operation.id, self.operation(server, operation));
                }
            }
        }
        verdict
    }

    fn got(&self, operation: &str) -> Result<&Value, String> {
        self.answers.get(&self.leg.id(self.mux), operation)
    }

    fn likeness(&self, server: &Server) -> Likeness<'_> {
        let best = if server.dual {
            Era::Modern
        } else {
            Era::Legacy
        };
        let crossing = Crossing::of(self.leg.era, best);
        Likeness {
            client: self.leg.client,
            crossing,
            server: server.name,
        }
    }

    /// The revision that the client asked for, and all that the servers can do.
    fn handshake(&self) -> Result<(), String> {
        let line = self.got("server")?;
        let said = &line["result"];
        let revision = said.get("revision").or_else(|| said.get("protocolVersion"));
        if revision != Some(&json!(self.leg.era.revision())) {
            return Err(format!("expected {}, got {line}", self.leg.era.revision()));
        }
        // The Python client takes a revision on trust, without asking.
        if self.leg.client.name() == "py2" && self.leg.era == Era::Modern {
            return Ok(());
        }
        let missing = CAPABILITIES
            .iter()
            .find(|name| !said["capabilities"][**name].is_object());
        missing.map_or(Ok(()), |name| Err(format!("`{name}` is missing in {line}")))
    }

    fn operation(&self, server: &Server, operation: &Operation) -> Result<(), String> {
        let how = (self.mux.reach, self.leg.era);
        let direct = self.baseline.get(server, how, &operation.id)?;
        let result = direct.get("result");
        let failed = result.is_none_or(|result| result["isError"] == true);
        if operation.asks && failed {
            return Err(format!("nothing comes of it without the mux: {direct}"));
        }
        let like = self.likeness(server);
        equal(&like.line(direct), &like.line(self.got(&operation.id)?))
    }

    /// Every entry of every server, in the server's order and under its public name, and no other.
    fn list(&self, list: List) -> Result<(), String> {
        let mut left = list.entries(self.got(list.method)?)?.clone();
        for server in self.servers {
            let how = (self.mux.reach, self.leg.era);
            let expected = self.baseline.entries(server, how, list)?;
            let mut its = Vec::new();
            left.retain(|entry| {
                let entry = owned(server, entry, list, &expected);
                its.extend(entry.clone());
                entry.is_none()
            });
            its.retain(|entry| for_everybody(server.name, entry));
            let like = self.likeness(server);
            let [expected, its] =
                [expected, its].map(|all| all.iter().map(|entry| like.entry(entry)).collect());
            equal(&Value::Array(expected), &Value::Array(its))
                .map_err(|found| format!("{}: {found}", server.name))?;
        }
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("nobody's: {}", json!(left)))
        }
    }
}

/// The entry as its server lists it, if it is this server's.
fn owned(server: &Server, entry: &Value, list: List, expected: &[Value]) -> Option<Value> {
    if list.key != "name" {
        let ours = !for_everybody(server.name, entry)
            || expected
                .iter()
                .any(|known| known[list.key] == entry[list.key]);
        return ours.then(|| entry.clone());
    }
    let name = original(server.name, entry["name"].as_str()?)?;
    let mut entry = entry.clone();
    entry["name"] = json!(name);
    Some(entry)
}

fn equal(expected: &Value, got: &Value) -> Result<(), String> {
    difference(expected, got).map_or(Ok(()), Err)
}
