//! Any edit leaves every byte outside the touched entry as it was.

use std::ops::Range;
use std::path::Path;

use jsonc_parser::common::Ranged;
use jsonc_parser::tokens::Token;
use jsonc_parser::{CollectOptions, ParseOptions, ast, parse_to_ast};
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{Edit, Edited, Existing, Holder, Power, SwitchKey, edit};
use super::documents::{NAMES, json, text_of, toml};
use super::examples::entry;

/// Whether `short` is `long` without some of the bytes that may go.
fn is_without(long: &str, may_go: &[bool], short: &str) -> bool {
    let short = short.as_bytes();
    // Which lengths of `short` the bytes so far may have come to.
    let mut reached = vec![false; short.len() + 1];
    reached[0] = true;
    for (byte, may_go) in long.bytes().zip(may_go) {
        for length in (0..=short.len()).rev() {
            let kept = length > 0 && reached[length - 1] && short[length - 1] == byte;
            reached[length] = kept || (*may_go && reached[length]);
        }
    }
    reached[short.len()]
}

fn parsed<T>(text: &str, take: impl FnOnce(ast::Object<'_>, Vec<Range<usize>>) -> T) -> T {
    let options = CollectOptions {
        tokens: true,
        ..CollectOptions::default()
    };
    let parsed = parse_to_ast(text, &options, &ParseOptions::default()).unwrap();
    let tokens = parsed.tokens.unwrap_or_default();
    let commas = tokens.into_iter().filter(|t| t.token == Token::Comma);
    let commas = commas.map(|t| t.range.start..t.range.end).collect();
    let Some(ast::Value::Object(root)) = parsed.value else {
        panic!("no object: {text}");
    };
    take(root, commas)
}

/// Which bytes of a text are an entry, the white space around it, or a comma.
fn belongs(text: &str, name: &str) -> Vec<bool> {
    let body = text.trim_start_matches('\u{feff}');
    let mark = text.len() - body.len();
    let (place, commas) = parsed(body, |root, commas| {
        let servers = root
            .properties
            .into_iter()
            .find(|p| p.name.as_str() == "mcpServers");
        let Some(ast::Value::Object(servers)) = servers.map(|servers| servers.value) else {
            panic!("no servers: {text}");
        };
        let entry = servers.properties.iter().find(|p| p.name.as_str() == name);
        let range = entry.unwrap().range();
        (range.start..range.end, commas)
    });
    let white = |text: &str| text.len() - text.trim_start().len();
    let before = body[..place.start].trim_end().len();
    let after = place.end + white(&body[place.end..]);
    let mut bytes = vec![false; text.len()];
    bytes[mark + before..mark + after].fill(true);
    for comma in commas {
        bytes[mark + comma.start] = true;
        // The white space behind the comma of the entry.
        let follows = body.get(place.end..comma.start);
        if follows.is_some_and(|between| between.trim().is_empty()) {
            let end = comma.end + white(&body[comma.end..]);
            bytes[mark + comma.start..mark + end].fill(true);
        }
    }
    bytes
}

fn run(file: &str, text: &str, wanted: &Edit<'_>) -> Edited {
    let holder = match file {
        "x.json" => Holder::mcp_servers(),
        _ => Holder::map(["mcp_servers"], SwitchKey::Enabled),
    };
    let edited = edit(Path::new(file), text, &holder, wanted);
    edited.unwrap_or_else(|error| panic!("{error:?} for {wanted:?} in:\n{text}"))
}

fn power() -> impl Strategy<Value = Power> {
    select(vec![Power::On, Power::Off])
}

proptest! {
    #[test]
    fn json_add((text, _) in json()) {
        let entry = entry();
        let put = Edit::Put { name: "new", entry: &entry, existing: Existing::Keep };
        let added = run("x.json", &text, &put).text;
        prop_assert!(is_without(&added, &belongs(&added, "new"), &text), "{text}\n=>\n{added}");
    }

    #[test]
    fn json_remove((text, names) in json(), index in 0..NAMES.len()) {
        let Some(name) = names.get(index).copied() else {
            return Ok(());
        };
        let removed = run("x.json", &text, &Edit::Remove { name }).text;
        prop_assert!(is_without(&text, &belongs(&text, name), &removed), "{text}\n=>\n{removed}");
    }

    #[test]
    fn json_switch((text, names) in json(), index in 0..NAMES.len(), power in power()) {
        let Some(name) = names.get(index).copied() else {
            return Ok(());
        };
        let switched = run("x.json", &text, &Edit::Switch { name, power }).text;
        let literal = format!("{}:", serde_json::Value::from(name));
        let start = text.find(&literal).unwrap();
        prop_assert_eq!(&switched[..start], &text[..start]);
        let body = text.trim_start_matches('\u{feff}');
        let mark = text.len() - body.len();
        let rest = parsed(body, |root, _| {
            let servers = root.properties.iter().find(|p| p.name.as_str() == "mcpServers");
            let servers = servers.unwrap().value.as_object().unwrap();
            servers.properties.iter().find(|p| p.name.as_str() == name).unwrap().end()
        });
        prop_assert!(switched.ends_with(&text[mark + rest..]), "{text}\n=>\n{switched}");
    }

    #[test]
    fn json_replace((text, names) in json(), index in 0..NAMES.len()) {
        let Some(name) = names.get(index).copied() else {
            return Ok(());
        };
        let entry = entry();
        let put = Edit::Put { name, entry: &entry, existing: Existing::Replace };
        let replaced = run("x.json", &text, &put).text;
        // Taken out of both, there is no difference left.
        let without = |text: &str| run("x.json", text, &Edit::Remove { name }).text;
        prop_assert_eq!(without(&replaced).replace(char::is_whitespace, ""), without(&text).replace(char::is_whitespace, ""));
    }

    #[test]
    fn toml_add((lines, crlf, ended) in toml()) {
        let text = text_of(&lines, crlf, ended);
        let entry = entry();
        let put = Edit::Put { name: "new", entry: &entry, existing: Existing::Keep };
        let added = run("x.toml", &text, &put).text;
        let prefix = text.bytes().zip(added.bytes()).take_while(|(a, b)| a == b).count();
        let more = added.len() - text.len();
        let inserted = (0..=prefix).rev().find(|at| text.as_bytes()[*at..] == added.as_bytes()[at + more..]);
        prop_assert!(inserted.is_some(), "{text}\n=>\n{added}");
        prop_assert_eq!(added.ends_with('\n'), text.ends_with('\n'), "{}\n=>\n{}", text, added);
        prop_assert!(!text.contains("\r\n") || !added.replace("\r\n", "").contains('\n'));
    }

    #[test]
    fn toml_remove((lines, crlf, ended) in toml(), index in 0..NAMES.len()) {
        let text = text_of(&lines, crlf, ended);
        let Some(name) = lines.iter().find(|(owner, _)| *owner == Some(NAMES[index])).and_then(|(owner, _)| *owner) else {
            return Ok(());
        };
        let removed = run("x.toml", &text, &Edit::Remove { name }).text;
        // All lines of the entry may go, and empty lines beside them.
        let newline = if crlf { 2 } else { 1 };
        let mut may_go = Vec::new();
        for (index, (owner, line)) in lines.iter().enumerate() {
            let length = line.replace('\n', if crlf { "\r\n" } else { "\n" }).len() + newline;
            let beside = |index: usize| lines.get(index).is_some_and(|(owner, _)| *owner == Some(name));
            let empty = line.is_empty() && (beside(index + 1) || beside(index.wrapping_sub(1)));
            may_go.extend(std::iter::repeat_n(*owner == Some(name) || empty, length));
        }
        prop_assert!(is_without(&text, &may_go, &removed), "{text}\n=>\n{removed}");
    }

    #[test]
    fn toml_switch((lines, crlf, ended) in toml(), index in 0..NAMES.len(), power in power()) {
        let text = text_of(&lines, crlf, ended);
        let name = NAMES[index];
        if !lines.iter().any(|(owner, _)| *owner == Some(name)) {
            return Ok(());
        }
        let switched = run("x.toml", &text, &Edit::Switch { name, power }).text;
        let first = lines.iter().position(|(owner, _)| *owner == Some(name)).unwrap();
        let before = text_of(&lines[..first].to_vec(), crlf, true);
        prop_assert!(switched.starts_with(&before), "{text}\n=>\n{switched}");
        let last = lines.iter().rposition(|(owner, _)| *owner == Some(name)).unwrap();
        let after = text_of(&lines[last + 1..].to_vec(), crlf, ended);
        prop_assert!(switched.ends_with(&after), "{text}\n=>\n{switched}");
    }

    #[test]
    fn any_text_is_edited_or_refused(text in ".{0,60}", name in "[a-c\"\\\\.]{0,2}") {
        let entry = entry();
        for (file, holder) in [("x.json", Holder::mcp_servers()), ("x.toml", Holder::list(["mcp", "p"], SwitchKey::Enabled))] {
            let name = name.as_str();
            let put = Edit::Put { name, entry: &entry, existing: Existing::Replace };
            for wanted in [put, Edit::Remove { name }, Edit::Switch { name, power: Power::Off }] {
                let _ = edit(Path::new(file), &text, &holder, &wanted);
            }
        }
    }
}
