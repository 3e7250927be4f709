//! Gemini CLI's `settings.json` and `gemini-extension.json`.

use std::path::Path;

use super::super::error::Findings;
use super::super::expand::is_variable_name;
use super::super::rules::texts;
use super::super::sources::Environment;
use super::super::tree::{Form, Node, Text, Value};
use super::dialect::{Around, Becomes, Container, Dialect, Fate, Format, Rule};
use super::entry::{Entry, off};
use super::login;
use super::mcp_servers::TYPES;

pub(super) const GEMINI: Dialect = Dialect {
    format: Format::Gemini,
    path: &["mcpServers"],
    container: Container::Map,
    keys: KEYS,
    recognises,
    finish,
};

const KEYS: &[Rule] = &[
    ("type", Becomes::Word("type", TYPES)),
    ("httpUrl", Becomes::With(http_url)),
    ("tcp", Becomes::Key("url")),
    ("includeTools", Becomes::With(include_tools)),
    ("excludeTools", Becomes::Member("tools", "deny")),
    ("timeout", Becomes::Millis("callTimeout")),
    ("oauth", Becomes::With(login::oauth)),
    ("authProviderType", Becomes::With(provider)),
];

/// Keys that only Gemini CLI has in entries.
const IN_ENTRIES: [&str; 6] = [
    "httpUrl",
    "includeTools",
    "excludeTools",
    "trust",
    "authProviderType",
    "tcp",
];

/// Keys that only Gemini CLI has beside `mcpServers`.
const IN_FILE: [&str; 6] = [
    "allowMCPServers",
    "excludeMCPServers",
    "selectedAuthType",
    "contextFileName",
    "security",
    "general",
];

/// Lists of servers that may run, and of those that may not.
const ALLOWED: [&[&str]; 2] = [&["mcp", "allowed"], &["allowMCPServers"]];
const EXCLUDED: [&[&str]; 2] = [&["mcp", "excluded"], &["excludeMCPServers"]];

fn recognises(around: &Around<'_>, servers: &Node) -> bool {
    let entries = || servers.map().into_iter().flat_map(|map| map.values());
    let lists = ALLOWED.iter().chain(&EXCLUDED);
    let name = |path: &Path| path.ends_with("gemini-extension.json");
    let folder = |path: &Path| path.iter().any(|part| part == ".gemini");
    around
        .place
        .file()
        .is_some_and(|path| name(path) || folder(path))
        || IN_FILE.iter().any(|key| around.get(&[key]).is_some())
        || lists.into_iter().any(|path| around.get(path).is_some())
        || entries().any(|entry| IN_ENTRIES.iter().any(|key| entry.get(key).is_some()))
}

fn finish(name: &str, entry: &mut Entry, around: &Around<'_>, _: &mut Findings) -> Fate {
    for value in entry.values_mut() {
        refer(value, around.env);
    }
    let lists = |paths: [&[&str]; 2]| paths.into_iter().find_map(|path| around.get(path));
    let names = |list: &Node| texts(list).iter().any(|listed| listed == name);
    if let Some(list) = lists(ALLOWED).filter(|list| !list.is_blank() && !names(list)) {
        entry.set("enabled", off(&list.place));
    }
    if let Some(list) = lists(EXCLUDED).filter(|list| names(list)) {
        entry.set("enabled", off(&list.place));
    }
    Fate::Kept
}

/// `httpUrl` beats `url`, which is that of a server of the older transport.
fn http_url(entry: &mut Entry, url: Node) {
    entry.put("type", Node::literal("http", url.place.clone()));
    entry.set("url", url);
}

/// Logins are found out from the server, as with the first of their kinds.
fn provider(entry: &mut Entry, kind: Node) {
    if kind.text() != Some("dynamic_discovery") {
        entry.put("authProviderType", kind);
    }
}

/// A tool may be written with arguments, which say for what it may be used.
fn include_tools(entry: &mut Entry, mut list: Node) {
    if let Value::List(tools) = &mut list.value {
        for tool in tools {
            if let Value::Text(Text { text, .. }) = &mut tool.value
                && let Some((name, _)) = text.split_once('(')
            {
                *text = name.trim_end().to_owned();
            }
        }
    }
    entry.put_member("tools", "allow", list);
}

/// Makes `${VAR}` of each `$VAR` that is set; any other stays as it is.
fn refer(node: &mut Node, env: &Environment) {
    match &mut node.value {
        Value::Text(Text {
            text,
            form: Form::Literal,
        }) => *text = with_braces(text, env),
        Value::List(list) => list.iter_mut().for_each(|node| refer(node, env)),
        Value::Map(map) => map.values_mut().for_each(|node| refer(node, env)),
        _ => {}
    }
}

fn with_braces(text: &str, env: &Environment) -> String {
    let mut parts = text.split('$');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = part.find(|c| !inside(c)).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        if is_variable_name(name) && env.get(name).is_some() {
            filled.extend(["${", name, "}", rest]);
        } else {
            filled.push('$');
            filled.push_str(part);
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_that_are_set_get_braces() {
        let env = Environment::new([("A".to_owned(), "x".to_owned()), ("B_2".into(), "y".into())]);
        let written = ["$A", "a$A/$B_2.", "$C", "${A}", "$", "$$A", "$AB", "5$"];
        let read = [
            "${A}",
            "a${A}/${B_2}.",
            "$C",
            "${A}",
            "$",
            "$${A}",
            "$AB",
            "5$",
        ];
        assert_eq!(written.map(|text| with_braces(text, &env)), read);
    }
}
