//! `headersHelper`: a command that prints headers, as Claude Code and Codex know it.

use indexmap::IndexMap;

use super::error::{Findings, Problem};
use super::expand::Expander;
use super::outside::Commands;
use super::tree::{Form, Node, Text, Value};

/// The variables that such a command has, as in Claude Code: for which server, at which address.
const VARIABLES: [&str; 2] = ["CLAUDE_CODE_MCP_SERVER_NAME", "CLAUDE_CODE_MCP_SERVER_URL"];

/// Runs the helper of an entry, whose own variables are filled in, and adds the headers that it prints to those of the
/// entry. They are stronger. What fails is reported.
pub(crate) fn run(
    server: &str,
    entry: &mut Node,
    helper: &Node,
    expander: &Expander<'_>,
    findings: &mut Findings,
) {
    let (Some(line), Some(url)) = (helper.text(), entry.get("url").and_then(Node::text)) else {
        return;
    };
    if expander.commands == Commands::Refused {
        return findings.warning(&helper.place, Problem::HelperOff);
    }
    let [name, address] = VARIABLES;
    let variables = [(name, server), (address, url)];
    let read = expander.run(line, &variables).and_then(|printed| {
        serde_json::from_str::<IndexMap<String, String>>(printed.expose())
            .map_err(|_| "it printed something else than a JSON object of strings".to_owned())
    });
    match read {
        Ok(printed) => add(entry, printed, helper),
        Err(reason) => findings.error(&helper.place, Problem::Helper { reason }),
    }
}

fn add(entry: &mut Node, printed: IndexMap<String, String>, helper: &Node) {
    let Value::Map(members) = &mut entry.value else {
        return;
    };
    let none = || Node {
        value: Value::Map(IndexMap::new()),
        place: helper.place.clone(),
    };
    let headers = members.entry("headers".to_owned()).or_insert_with(none);
    if headers.is_null() {
        *headers = none();
    }
    if let Value::Map(headers) = &mut headers.value {
        headers.retain(|name, _| !printed.keys().any(|new| new.eq_ignore_ascii_case(name)));
        headers.extend(printed.into_iter().map(|(name, text)| {
            let form = Form::Expanded(String::new());
            let place = helper.place.clone();
            let value = Value::Text(Text { text, form });
            (name, Node { value, place })
        }));
    }
}
