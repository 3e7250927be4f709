//! Which texts look like secrets, and texts in which none can be seen.

use std::ops::Range;
use std::path::Path;

use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ast, parse_to_ast};
use serde_json::Value;
use toml_edit::{Document, Item, TableLike};

use super::super::file;
use super::super::jsonc::OPTIONS;
use super::change::{Change, apply};
use super::wanted::EntryText;

/// What stands in the place of a secret.
const HIDDEN: &str = "\"***\"";

/// Parts of names that say that the value is a secret.
const NAMES: [&str; 9] = [
    "token",
    "secret",
    "passw",
    "apikey",
    "api_key",
    "api-key",
    "authorization",
    "credential",
    "auth",
];

/// How secrets of well-known makers begin.
const BEGINNINGS: [&str; 18] = [
    "sk-",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "AIza",
    "eyJ",
    "ntn_",
    "hf_",
    "npm_",
    "pypi-",
    "Bearer ",
    "Basic ",
    "lin_api_",
];

/// Objects whose values are for the server only.
const PRIVATE: [&str; 9] = [
    "env",
    "headers",
    "http_headers",
    "headersHelper",
    "http_headers_helper",
    "auth",
    "oauth",
    "requestInit",
    "environment",
];

/// Whether the value of this name looks like a secret that stands there as it is.
pub fn looks_secret(name: &str, value: &str) -> bool {
    // What stands in for a variable that is not set stands there as it is.
    let value = match value.split_once(":-") {
        Some((before, default)) if before.contains("${") => default.trim_end_matches('}'),
        _ => value,
    };
    if value.is_empty() || value.contains("${") || value.starts_with('$') {
        return false;
    }
    let name = name.to_ascii_lowercase();
    let named = NAMES.iter().any(|part| name.contains(part)) || name.ends_with("key");
    let begins = BEGINNINGS.iter().any(|begin| value.starts_with(begin));
    named && value.len() > 3 || begins && value.len() > 12 || is_random(value) || in_url(value)
}

/// The keys of an entry whose values look like secrets, as in `env.TOKEN`.
pub fn secrets_of(entry: &EntryText) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in entry {
        match value {
            Value::String(text) if looks_secret(key, text) => found.push(key.clone()),
            Value::Object(members) => {
                let members = members.iter();
                let texts = members.filter_map(|(name, value)| Some((name, value.as_str()?)));
                let secret =
                    texts.filter(|(name, text)| *name != "type" && looks_secret(name, text));
                found.extend(secret.map(|(name, _)| format!("{key}.{name}")));
            }
            Value::Array(items) => {
                let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                let hidden = (0..texts.len()).filter(|index| is_secret_item(&texts, *index));
                found.extend(hidden.map(|index| format!("{key}[{index}]")));
            }
            _ => {}
        }
    }
    found
}

/// The text with every secret in it replaced: what is in the environment, headers and credentials of
/// a server, and whatever else looks like one. For showing only.
pub fn masked(file: &Path, text: &str) -> String {
    let mut found = Vec::new();
    if file::is_toml(file) {
        if let Ok(document) = Document::parse(text) {
            toml_table(document.as_table(), "", &mut found);
        }
    } else if let Ok(parsed) = parse_to_ast(text, &CollectOptions::default(), &OPTIONS)
        && let Some(root) = parsed.value
    {
        json(&root, "", &mut found);
    }
    let hide = |range: Range<usize>| Change::replace(range, HIDDEN);
    apply(text, found.into_iter().map(hide).collect())
}

/// Everything within such an object is private.
const ALL: &str = "authorization";

fn below<'a>(name: &'a str, key: &'a str) -> &'a str {
    if name == ALL || PRIVATE.contains(&key) {
        ALL
    } else {
        key
    }
}

/// The name under which a text is judged; a number or flag hides nothing.
fn json(value: &ast::Value<'_>, name: &str, found: &mut Vec<Range<usize>>) {
    match value {
        ast::Value::StringLit(text) if is_hidden(name, &text.value) => {
            let range = text.range();
            found.push(range.start..range.end);
        }
        ast::Value::Array(array) => {
            let text = |value: &ast::Value<'_>| match value {
                ast::Value::StringLit(text) => text.value.to_string(),
                _ => String::new(),
            };
            let texts: Vec<String> = array.elements.iter().map(text).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            for (index, element) in array.elements.iter().enumerate() {
                let secret = is_secret_item(&texts, index);
                json(element, if secret { ALL } else { name }, found);
            }
        }
        ast::Value::Object(object) => {
            for property in &object.properties {
                json(&property.value, below(name, property.name.as_str()), found);
            }
        }
        _ => {}
    }
}

fn toml_table(table: &dyn TableLike, name: &str, found: &mut Vec<Range<usize>>) {
    for (key, item) in table.iter() {
        toml_item(item, below(name, key), found);
    }
}

fn toml_item(item: &Item, name: &str, found: &mut Vec<Range<usize>>) {
    if let Some(table) = item.as_table_like() {
        toml_table(table, name, found);
    } else if let Some(tables) = item.as_array_of_tables() {
        tables
            .iter()
            .for_each(|table| toml_table(table, name, found));
    } else if let Item::Value(value) = item {
        toml_value(value, name, found);
    }
}

fn toml_value(value: &toml_edit::Value, name: &str, found: &mut Vec<Range<usize>>) {
    match value {
        toml_edit::Value::String(text) if is_hidden(name, text.value()) => {
            found.extend(value.span());
        }
        toml_edit::Value::Array(array) => {
            let texts: Vec<&str> = array
                .iter()
                .map(|v| v.as_str().unwrap_or_default())
                .collect();
            for (index, element) in array.iter().enumerate() {
                let secret = is_secret_item(&texts, index);
                toml_value(element, if secret { ALL } else { name }, found);
            }
        }
        toml_edit::Value::InlineTable(table) => toml_table(table, name, found),
        _ => {}
    }
}

/// Within private objects everything is hidden but references.
fn is_hidden(name: &str, value: &str) -> bool {
    looks_secret(name, value) || name == ALL && !says_where(value)
}

/// Whether a text is empty, or only says where its value is: `${VAR}`, `$VAR` or `Bearer ${file:x}`, without a default.
fn says_where(value: &str) -> bool {
    let scheme = ["Bearer ", "Basic "]
        .iter()
        .find_map(|scheme| value.strip_prefix(scheme));
    let mut references = scheme.unwrap_or(value).split_inclusive('}');
    references.all(|reference| {
        let inner = reference
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'));
        let named = inner.or_else(|| reference.strip_prefix('$'));
        named.is_some_and(|named| {
            !named.contains(":-") && !named.starts_with("cmd:") && !named.contains(['$', '{', ' '])
        })
    })
}

/// An argument is a secret by itself, by the option before it, or by the option in it.
fn is_secret_item(items: &[&str], index: usize) -> bool {
    let item = items.get(index).copied().unwrap_or_default();
    let before = index.checked_sub(1).and_then(|before| items.get(before));
    let option = before.filter(|before| before.starts_with('-') && !item.starts_with('-'));
    let (own, value) = item.split_once(['=', ':']).unwrap_or(("", item));
    looks_secret(option.unwrap_or(&""), item)
        || own.trim_start_matches('-').chars().all(is_name) && looks_secret(own, value.trim())
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// Letters and digits mixed for long, as nobody writes them by hand.
fn is_random(value: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '=');
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let letters = value.chars().filter(char::is_ascii_alphabetic).count();
    value.len() >= 24 && value.chars().all(word) && digits >= 4 && letters >= 4
}

/// A password or a key in a URL.
fn in_url(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let password = authority
        .split_once('@')
        .is_some_and(|(user, _)| user.contains(':'));
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut named = pairs.filter(|(name, value)| {
        let name = name.to_ascii_lowercase();
        !value.is_empty() && (NAMES.iter().any(|part| name.contains(part)) || name.ends_with("key"))
    });
    password || named.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_name_and_by_looks() {
        for (name, value) in [
            ("GITHUB_TOKEN", "abcdef"),
            ("X", "ghp_0123456789abcdef"),
            ("X", "0a1b2c3d4e5f0a1b2c3d4e5f"),
            ("X", "https://u:p@example.com/"),
            ("X", "https://example.com/?api_key=1"),
            ("TOKEN", "${TOKEN:-abcdef}"),
        ] {
            assert!(looks_secret(name, value), "{name} {value}");
        }
        for (name, value) in [
            ("GITHUB_TOKEN", "${GITHUB_TOKEN}"),
            ("TOKEN", "$TOKEN"),
            ("TOKEN", "${TOKEN:-}"),
            ("X", "@modelcontextprotocol/server-everything"),
            ("LOG_LEVEL", "debug"),
            ("X", "https://example.com/mcp?a=1"),
        ] {
            assert!(!looks_secret(name, value), "{name} {value}");
        }
    }

    #[test]
    fn a_reference_says_where_and_no_more() {
        for value in [
            "",
            "$A",
            "${A}",
            "Bearer ${A}",
            "${env:A}${B}",
            "${file:/a/b}",
        ] {
            assert!(says_where(value), "{value}");
        }
        for value in [
            "a",
            "a${A}",
            "${A}a",
            "${A:-a}",
            "Bearer a${A}",
            "$A a",
            "${cmd:a}",
            "${",
        ] {
            assert!(!says_where(value), "{value}");
        }
    }

    #[test]
    fn nothing_private_is_shown() {
        let json = r#"{"s": {"url": "http://x/", "headers": {"A": "b c"}, "env": {"V": "${V}", "W": "w"}, "args": ["--token", "t0k3n", "--x=y", "--api-key=abcd", "z"]}}"#;
        assert_eq!(
            masked(Path::new("x.json"), json),
            r#"{"s": {"url": "http://x/", "headers": {"A": "***"}, "env": {"V": "${V}", "W": "***"}, "args": ["--token", "***", "--x=y", "***", "z"]}}"#
        );
        let toml = "[s]\nbearer_token = 'abcd'\nargs = ['x']\n[s.env]\nW = 'w'\n";
        assert_eq!(
            masked(Path::new("x.toml"), toml),
            "[s]\nbearer_token = \"***\"\nargs = ['x']\n[s.env]\nW = \"***\"\n"
        );
    }
}
