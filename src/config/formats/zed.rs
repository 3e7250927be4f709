//! Zed's `settings.json`.

use super::super::error::{Findings, Problem};
use super::super::tree::{Node, Value};
use super::dialect::{Around, Becomes, Container, Dialect, Fate, Format, Rule, always};
use super::entry::Entry;
use super::login;

pub(super) const ZED: Dialect = Dialect {
    format: Format::Zed,
    path: &["context_servers"],
    container: Container::Map,
    keys: KEYS,
    recognises: always,
    finish,
};

const KEYS: &[Rule] = &[
    ("source", Becomes::Nothing),
    ("settings", Becomes::Nothing),
    ("remote", Becomes::Nothing),
    ("command", Becomes::With(command)),
    ("oauth", Becomes::With(login::oauth)),
    // In seconds, as that of all servers.
    ("timeout", Becomes::Key("callTimeout")),
];

fn finish(name: &str, entry: &mut Entry, around: &Around<'_>, findings: &mut Findings) -> Fate {
    if entry.get("command").is_none() && entry.get("url").is_none() {
        let server = name.to_owned();
        findings.warning(entry.place(), Problem::OfExtension { server });
        return Fate::LeftOut;
    }
    if let Some(timeout) = around.get(&["context_server_timeout"]) {
        entry.put("callTimeout", timeout.clone());
    }
    Fate::Kept
}

/// An older form has the program and its arguments in an object.
fn command(entry: &mut Entry, node: Node) {
    match node.value {
        Value::Map(members) => {
            for (key, node) in members {
                let ours = match key.as_str() {
                    "path" => "command",
                    "timeout" => "callTimeout",
                    other => other,
                };
                entry.put(ours, node);
            }
        }
        value => entry.put("command", Node { value, ..node }),
    }
}
