//! VS Code's `mcp.json` and `settings.json`.

use indexmap::IndexMap;

use super::super::inputs::Inputs;
use super::super::tree::{Node, Value};
use super::dialect::{Becomes, Container, Dialect, Format, Rule, always, nothing_else};
use super::entry::Entry;
use super::login;

pub(super) const VS_CODE: Dialect = Dialect {
    format: Format::VsCode,
    path: &["servers"],
    container: Container::Map,
    keys: KEYS,
    recognises: always,
    finish: nothing_else,
};

pub(super) const VS_CODE_SETTINGS: Dialect = Dialect {
    format: Format::VsCodeSettings,
    path: &["mcp", "servers"],
    ..VS_CODE
};

const KEYS: &[Rule] = &[
    ("env", Becomes::With(env)),
    ("oauth", Becomes::With(login::oauth)),
    ("dev", Becomes::Nothing),
    ("sandbox", Becomes::Nothing),
    ("sandboxEnabled", Becomes::Nothing),
];

/// What a file asks its user for; `None` if it has no such list.
pub(crate) fn inputs(file: &IndexMap<String, Node>) -> Option<Inputs> {
    let nested = || file.get("mcp")?.get("inputs");
    let list = file.get("inputs").or_else(nested)?;
    list.list().map(|_| Inputs::of(list))
}

/// Numbers are allowed as values of variables.
fn env(entry: &mut Entry, mut env: Node) {
    if let Value::Map(variables) = &mut env.value {
        for node in variables.values_mut() {
            if let Value::Number(digits) = &node.value {
                *node = Node::literal(digits, node.place.clone());
            }
        }
    }
    entry.put("env", env);
}
