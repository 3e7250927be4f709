//! Does a value look as the table of keys says?

use std::time::Duration;

use super::error::{Findings, Problem};
use super::keys::{ELSEWHERE, FOREIGN, Key, Shape};
use super::listen::Listen;
use super::problem::Expected;
use super::quantity;
use super::suggest::nearest;
use super::tree::{Node, Value};

/// What an unknown key is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownKey {
    /// Ours alone are allowed here.
    Error,
    /// Other programs may have keys of their own here.
    Warning,
}

/// Reports everything in `node` that does not look as it should.
pub(crate) fn check(node: &Node, shape: &Shape, unknown: UnknownKey, findings: &mut Findings) {
    // What could not be filled in was reported, and null means not given.
    if node.is_broken() || node.is_null() {
        return;
    }
    match shape {
        Shape::List(element) => match node.list() {
            Some(list) => list
                .iter()
                .for_each(|node| check(node, element, unknown, findings)),
            None => wrong_type(node, shape, findings),
        },
        Shape::Map(member) => match node.map() {
            Some(map) => {
                if map.contains_key("") {
                    let key = node.place.key().to_owned();
                    findings.error(&node.place, Problem::EmptyKey { key });
                }
                map.values()
                    .for_each(|node| check(node, member, unknown, findings));
            }
            None => wrong_type(node, shape, findings),
        },
        Shape::Section(_) if node.list().is_some() => {
            check(node, &Shape::List(&Shape::Name), unknown, findings);
        }
        Shape::Object(keys) | Shape::Section(keys) => match node.map() {
            Some(_) => check_object(node, keys, unknown, findings),
            None => wrong_type(node, shape, findings),
        },
        Shape::Foreign => {}
        plain => {
            if let Err(problem) = check_plain(node, plain) {
                findings.error(&node.place, problem);
            }
        }
    }
}

fn check_object(node: &Node, keys: &'static [Key], unknown: UnknownKey, findings: &mut Findings) {
    for (name, member) in node.map().into_iter().flatten() {
        if let Some(key) = keys.iter().find(|key| key.name == name) {
            check(member, &key.shape, unknown, findings);
            continue;
        }
        let elsewhere = ELSEWHERE.iter().find(|(key, _)| key == name);
        let problem = match elsewhere {
            Some((key, why)) if unknown == UnknownKey::Warning => Problem::Elsewhere { key, why },
            _ => unknown_key(name, keys),
        };
        match unknown {
            UnknownKey::Error => findings.error(&member.place, problem),
            UnknownKey::Warning if is_comment(name) || FOREIGN.contains(&name.as_str()) => {}
            UnknownKey::Warning => findings.warning(&member.place, problem),
        }
    }
}

/// JSON has no comments, so people make keys of them.
fn is_comment(name: &str) -> bool {
    name.starts_with(['_', '#', '$']) || name.starts_with("//")
}

fn unknown_key(name: &str, keys: &'static [Key]) -> Problem {
    let known: Vec<&'static str> = keys.iter().map(|key| key.name).collect();
    let suggestion = nearest(name, known.iter().copied()).map(str::to_owned);
    Problem::UnknownKey {
        key: name.to_owned(),
        suggestion,
        known,
    }
}

fn check_plain(node: &Node, shape: &Shape) -> Result<(), Problem> {
    match shape {
        Shape::Flag => flag(node).map(drop),
        Shape::Count(min, max) => count(node, *min, *max).map(drop),
        Shape::Time(min, max) => time(node, *min, *max).map(drop),
        Shape::Size(min, max) => size(node, *min, *max).map(drop),
        Shape::Word(known) => word(node, known).map(drop),
        Shape::Listen => listen(node).map(drop),
        Shape::Mode => mode(node).map(drop),
        Shape::Name | Shape::Path if node.text() == Some("") => Err(Problem::Empty {
            key: node.place.key().to_owned(),
        }),
        _ => node
            .text()
            .map(drop)
            .ok_or_else(|| mismatch(node, Expected::Text)),
    }
}

/// Reads `true` or `false`.
pub(crate) fn flag(node: &Node) -> Result<bool, Problem> {
    match (&node.value, node.scalar()) {
        (Value::Bool(flag), _) => Ok(*flag),
        (Value::Text(_), Some("true" | "1")) => Ok(true),
        (Value::Text(_), Some("false" | "0")) => Ok(false),
        _ => Err(mismatch(node, Expected::Flag)),
    }
}

/// Reads a whole number.
pub(crate) fn count(node: &Node, min: u64, max: u64) -> Result<u64, Problem> {
    let number = node.scalar().and_then(quantity::whole);
    let number = number.ok_or_else(|| mismatch(node, Expected::Whole))?;
    if (min..=max).contains(&number) {
        return Ok(number);
    }
    Err(out_of_range(node, min.to_string(), max.to_string()))
}

/// Reads a duration; a bare number is seconds.
pub(crate) fn time(node: &Node, min: Duration, max: Duration) -> Result<Duration, Problem> {
    let written = node.scalar().or_else(|| node.text());
    let duration = written
        .filter(|text| is_quoted_unit(node, text))
        .and_then(quantity::duration);
    let duration = duration.ok_or_else(|| mismatch(node, Expected::Duration))?;
    if (min..=max).contains(&duration) {
        return Ok(duration);
    }
    let shown = quantity::show_duration;
    Err(out_of_range(node, shown(min), shown(max)))
}

/// In a file a string has a unit: `"30"` could be anything.
fn is_quoted_unit(node: &Node, text: &str) -> bool {
    node.scalar().is_some() || text.ends_with(|c: char| c.is_ascii_alphabetic())
}

/// Reads a number of bytes.
pub(crate) fn size(node: &Node, min: u64, max: u64) -> Result<u64, Problem> {
    let written = node.scalar().or_else(|| node.text());
    let size = written
        .and_then(quantity::size)
        .ok_or_else(|| mismatch(node, Expected::Size))?;
    if (min..=max).contains(&size) {
        return Ok(size);
    }
    let shown = quantity::show_size;
    Err(out_of_range(node, shown(min), shown(max)))
}

/// Reads one of some words.
pub(crate) fn word(node: &Node, known: &'static [&'static str]) -> Result<&'static str, Problem> {
    let text = node.text().ok_or_else(|| mismatch(node, Expected::Text))?;
    let found = known.iter().find(|word| **word == text);
    found.copied().ok_or_else(|| Problem::WrongWord {
        key: node.place.key().to_owned(),
        found: node.shown(),
        known,
        suggestion: nearest(text, known.iter().copied()).map(str::to_owned),
    })
}

/// Reads the permissions of a file, as in `0660`.
pub(crate) fn mode(node: &Node) -> Result<u32, Problem> {
    let digits = node
        .text()
        .map(|text| text.strip_prefix('0').unwrap_or(text));
    let digits = digits.filter(|digits| digits.len() == 3 && !digits.starts_with('+'));
    digits
        .and_then(|digits| u32::from_str_radix(digits, 8).ok())
        .ok_or_else(|| mismatch(node, Expected::Mode))
}

/// Reads an address to listen on; a number is a port.
pub(crate) fn listen(node: &Node) -> Result<Listen, Problem> {
    let text = node.scalar().or_else(|| node.text());
    let text = text.ok_or_else(|| mismatch(node, Expected::Address))?;
    text.parse().map_err(|reason| Problem::Listen {
        found: node.shown(),
        reason,
    })
}

fn wrong_type(node: &Node, shape: &Shape, findings: &mut Findings) {
    let expected = match shape {
        Shape::List(_) => Expected::Array,
        Shape::Section(_) => Expected::Section,
        _ => Expected::Object,
    };
    findings.error(&node.place, mismatch(node, expected));
}

/// A value of the wrong sort. Strings in places where a quantity belongs are shown as written.
pub(crate) fn mismatch(node: &Node, expected: Expected) -> Problem {
    let is_quantity = matches!(
        expected,
        Expected::Flag | Expected::Whole | Expected::Duration | Expected::Size | Expected::Mode
    );
    let found = match &node.value {
        Value::Text(_) if is_quantity => format!("`{:?}`", node.shown()),
        Value::Number(_) if is_quantity => format!("`{}`", node.shown()),
        _ => node.sort().to_owned(),
    };
    Problem::WrongType {
        key: node.place.key().to_owned(),
        expected,
        found,
    }
}

fn out_of_range(node: &Node, min: String, max: String) -> Problem {
    Problem::OutOfRange {
        key: node.place.key().to_owned(),
        found: node.shown(),
        min,
        max,
    }
}
