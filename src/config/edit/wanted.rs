//! `edit`: the text with one edit made, checked against what was wanted.

use std::path::Path;

use serde_json::{Map, Value};

use super::super::error::Findings;
use super::super::file;
use super::super::tree::{self, Node};
use super::error::EditError;
use super::holder::{Form, Holder, SwitchKey};
use super::{jsonc, toml};

/// A server entry as it is to be written, its keys in order.
pub type EntryText = Map<String, Value>;

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit<'a> {
    /// Write an entry.
    Put {
        /// Its name.
        name: &'a str,
        /// What it says.
        entry: &'a EntryText,
        /// What becomes of an entry that has the name.
        existing: Existing,
    },
    /// Take an entry out.
    Remove {
        /// Its name.
        name: &'a str,
    },
    /// Switch an entry on or off, with the keys that it has.
    Switch {
        /// Its name.
        name: &'a str,
        /// How it is to be.
        power: Power,
    },
}

/// What becomes of an entry that has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the edit is an error.
    Keep,
    /// The new one takes its place.
    Replace,
}

/// Whether an entry counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// It does.
    On,
    /// It does not.
    Off,
}

/// A text with the edit made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The whole text.
    pub text: String,
    /// The line of the entry in the text, from 1; for a removed one that in the old text.
    pub line: usize,
}

impl Edit<'_> {
    /// The name of the entry.
    pub fn name(&self) -> &str {
        match self {
            Self::Put { name, .. } | Self::Remove { name } | Self::Switch { name, .. } => name,
        }
    }
}

/// Makes an edit. The ending of `file` says the syntax: TOML for `.toml`, else JSON with comments.
/// Every byte outside the entry stays, save for the comma or the empty line that parts it from its
/// neighbour; an empty text becomes a file in the canonical form. Fails without any change.
pub fn edit(
    file: &Path,
    text: &str,
    holder: &Holder,
    edit: &Edit<'_>,
) -> Result<Edited, EditError> {
    if let Edit::Put {
        name,
        entry,
        existing,
    } = edit
        && file::is_toml(file)
        && has_null(entry)
    {
        let (entry, existing) = (&without_nulls(entry), *existing);
        let edit = Edit::Put {
            name,
            entry,
            existing,
        };
        return self::edit(file, text, holder, &edit);
    }
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let made = if file::is_toml(file) {
        let before = tree_of(file, body)?;
        (toml::edit(body, holder, edit)?, before)
    } else if is_empty(body) {
        (jsonc::edit(body, holder, edit)?, Value::Object(Map::new()))
    } else {
        let before = tree_of(file, body)?;
        (jsonc::edit(body, holder, edit)?, before)
    };
    let (made, mut wanted) = made;
    want(&mut wanted, holder, edit);
    let mut found = tree_of(file, &made.text).unwrap_or_default();
    for tree in [&mut wanted, &mut found] {
        drop_empty(tree, &holder.path);
    }
    if found != wanted {
        let name = edit.name().to_owned();
        return Err(EditError::Unfit { name });
    }
    Ok(Edited {
        text: format!("{mark}{}", made.text),
        line: made.line,
    })
}

/// In TOML a holder without entries need not be written.
fn drop_empty(tree: &mut Value, path: &[String]) {
    let (Some((key, rest)), Value::Object(map)) = (path.split_first(), tree) else {
        return;
    };
    let Some(value) = map.get_mut(key) else {
        return;
    };
    drop_empty(value, rest);
    let is_empty = match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    if is_empty {
        map.shift_remove(key);
    }
}

/// Whether a JSON text holds nothing but white space and comments.
fn is_empty(text: &str) -> bool {
    super::super::jsonc::is_empty(text)
}

fn tree_of(file: &Path, text: &str) -> Result<Value, EditError> {
    let mut findings = Findings::default();
    match file::parse(file, text, &mut findings) {
        Some(node) => Ok(plain(&node)),
        None => Err(EditError::Broken(findings.errors)),
    }
}

/// The tree without its places. Numbers are texts, so that no digit is lost.
fn plain(node: &Node) -> Value {
    match &node.value {
        tree::Value::Null => Value::Null,
        tree::Value::Bool(flag) => Value::Bool(*flag),
        tree::Value::Number(digits) => Value::String(format!("number {digits}")),
        tree::Value::Text(text) => Value::String(text.text.clone()),
        tree::Value::List(list) => list.iter().map(plain).collect(),
        tree::Value::Map(map) => {
            let member = |(key, node): (&String, &Node)| (key.clone(), plain(node));
            map.iter().map(member).collect::<Map<_, _>>().into()
        }
    }
}

/// What an entry comes to when it is read again.
fn read_again(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::String(format!("number {number}")),
        Value::Array(list) => list.iter().map(read_again).collect(),
        Value::Object(map) => {
            let member = |(key, value): (&String, &Value)| (key.clone(), read_again(value));
            map.iter().map(member).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// Makes the edit in the tree.
fn want(root: &mut Value, holder: &Holder, edit: &Edit<'_>) {
    let mut at = root;
    for (depth, key) in holder.path.iter().enumerate() {
        let last = depth + 1 == holder.path.len();
        let Value::Object(map) = at else { return };
        let slot = map.entry(key.clone()).or_insert(Value::Null);
        if slot.is_null() {
            *slot = match holder.form {
                Form::List if last => Value::Array(Vec::new()),
                _ => Value::Object(Map::new()),
            };
        }
        at = slot;
    }
    match (at, edit) {
        (Value::Object(map), Edit::Put { name, entry, .. }) => {
            let entry = entry.iter().map(|(k, v)| (k.clone(), read_again(v)));
            map.insert((*name).to_owned(), entry.collect::<Map<_, _>>().into());
        }
        (Value::Object(map), Edit::Remove { name }) => {
            map.shift_remove(*name);
        }
        (Value::Object(map), Edit::Switch { name, power }) => {
            if let Some(Value::Object(entry)) = map.get_mut(*name) {
                switch(entry, *power, holder.switch);
            }
        }
        (Value::Array(list), edit) => want_in_list(list, holder, edit),
        _ => {}
    }
}

fn want_in_list(list: &mut Vec<Value>, holder: &Holder, edit: &Edit<'_>) {
    let is_it = |value: &Value| value.get("name").and_then(Value::as_str) == Some(edit.name());
    match edit {
        Edit::Put { name, entry, .. } => {
            let named = named(name, entry);
            let new = read_again(&Value::Object(named));
            match list.iter_mut().rfind(|value| is_it(value)) {
                Some(old) => *old = new,
                None => list.push(new),
            }
        }
        Edit::Remove { .. } => list.retain(|value| !is_it(value)),
        Edit::Switch { power, .. } => {
            if let Some(Value::Object(entry)) = list.iter_mut().rfind(|value| is_it(value)) {
                switch(entry, *power, holder.switch);
            }
        }
    }
}

fn has_null(entry: &EntryText) -> bool {
    let is_null = |value: &Value| value.is_null() || value.as_object().is_some_and(has_null);
    entry.values().any(is_null)
}

/// TOML has no null.
fn without_nulls(entry: &EntryText) -> EntryText {
    let members = entry.iter().filter(|(_, value)| !value.is_null());
    let members = members.map(|(key, value)| match value {
        Value::Object(map) => (key.clone(), without_nulls(map).into()),
        other => (key.clone(), other.clone()),
    });
    members.collect()
}

/// The entry with its name as the first key.
pub(super) fn named(name: &str, entry: &EntryText) -> EntryText {
    let first = ("name".to_owned(), Value::from(name));
    let rest = entry.iter().filter(|(key, _)| *key != "name");
    std::iter::once(first)
        .chain(rest.map(|(key, value)| (key.clone(), value.clone())))
        .collect()
}

fn switch(entry: &mut EntryText, power: Power, otherwise: SwitchKey) {
    let steps = steps(|key| entry.get(key).cloned(), power, otherwise);
    for (key, value) in steps {
        entry.insert(key.to_owned(), value.into());
    }
}

/// Which keys of an entry must get which values, so that it is on or off. `get` tells the value that
/// a key has: only true and false count, anything else is set.
pub(super) fn steps(
    get: impl Fn(&str) -> Option<Value>,
    power: Power,
    otherwise: SwitchKey,
) -> Vec<(&'static str, bool)> {
    let keys = [SwitchKey::Enabled, SwitchKey::Disabled];
    let value = |key: SwitchKey, power: Power| (key == SwitchKey::Enabled) == (power == Power::On);
    let there = |key: &SwitchKey| get(key.key()).filter(|value| !value.is_null());
    let is = |key: SwitchKey, power| there(&key) == Some(Value::Bool(value(key, power)));
    let mut present = keys.into_iter().filter(|key| there(key).is_some());
    match power {
        Power::On => present
            .filter(|key| !is(*key, Power::On))
            .map(|key| (key.key(), value(key, Power::On)))
            .collect(),
        Power::Off if keys.into_iter().any(|key| is(key, Power::Off)) => Vec::new(),
        Power::Off => {
            let key = present.next_back().unwrap_or(otherwise);
            vec![(key.key(), value(key, Power::Off))]
        }
    }
}
