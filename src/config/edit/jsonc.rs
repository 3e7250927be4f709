//! Edits of JSON with comments.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, parse_to_ast};
use serde_json::{Map, Value};

use super::super::jsonc::OPTIONS;
use super::bracket::{Layout, Spread};
use super::change::{Change, apply, indent_at, line_of};
use super::error::EditError;
use super::holder::{Form, Holder};
use super::json_text;
use super::jsonc_place::{Doc, Found, Holding, UNIT, range};
use super::wanted::{Edit, Edited, Existing, named, steps};

/// Makes the edit. The text has no byte order mark, and was read without an error or is empty.
pub(super) fn edit(text: &str, holder: &Holder, edit: &Edit<'_>) -> Result<Edited, EditError> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &OPTIONS);
    let root = parsed.ok().and_then(|parsed| parsed.value);
    let doc = Doc::new(text, root.as_ref());
    let Some(root) = &root else {
        return doc.create(holder, edit);
    };
    let place = doc.descend(root, holder)?;
    match edit {
        Edit::Put { name, existing, .. } => match (place.find(name), existing) {
            (Some(found), Existing::Keep) => Err(EditError::Exists {
                name: (*name).to_owned(),
                line: line_of(text, found.item.start),
            }),
            (Some(found), Existing::Replace) => Ok(doc.replace(&place, found, edit)),
            (None, _) => Ok(doc.add(&place, holder, edit)),
        },
        Edit::Remove { .. } => doc.remove(&place, holder, edit),
        Edit::Switch { .. } => doc.switch(&place, holder, edit),
    }
}

impl Doc<'_> {
    /// A file where there was none.
    fn create(&self, holder: &Holder, edit: &Edit<'_>) -> Result<Edited, EditError> {
        let Edit::Put { .. } = edit else {
            return Err(missing(edit));
        };
        let layout = Layout {
            spread: Spread::Lines,
            newline: self.newline,
            indent: String::new(),
            unit: UNIT.to_owned(),
        };
        let root = nested(&holder.path, new_value(holder, edit));
        let object = json_text::text(&root, &layout);
        // Comments of a file without a value stay in front of it.
        let gap = match self.text.trim() {
            "" => "",
            _ if self.text.ends_with('\n') => "",
            _ => self.newline,
        };
        let kept = if self.text.trim().is_empty() {
            ""
        } else {
            self.text
        };
        let text = format!("{kept}{gap}{object}{}", self.newline);
        let line = line_of_new(&text, kept.len(), edit);
        Ok(Edited { text, line })
    }

    fn add(&self, place: &Holding<'_>, holder: &Holder, edit: &Edit<'_>) -> Edited {
        let layout = self.layout(&place.bracket);
        let Edit::Put { name, entry, .. } = edit else {
            return self.made(Vec::new(), 0);
        };
        let changes = match (place.missing.split_first(), &place.null) {
            (None, _) if holder.form == Form::List => {
                let item = Value::Object(named(name, entry));
                let item = json_text::text(&item, &layout);
                place.bracket.insert(&item, &layout)
            }
            (None, _) => {
                let entry = Value::Object((*entry).clone());
                let item = json_text::member(name, &entry, &layout);
                place.bracket.insert(&item, &layout)
            }
            (Some((_, rest)), Some(null)) => {
                let value = nested(rest, new_value(holder, edit));
                let indent = indent_at(self.text, null.start).to_owned();
                let value = json_text::text(&value, &Layout { indent, ..layout });
                vec![Change::replace(null.clone(), value)]
            }
            (Some((first, rest)), None) => {
                let value = nested(rest, new_value(holder, edit));
                let item = json_text::member(first, &value, &layout);
                place.bracket.insert(&item, &layout)
            }
        };
        let at = changes.last().map_or(0, |change| change.range.start);
        let text = apply(self.text, changes);
        let line = line_of_new(&text, at, edit);
        Edited { text, line }
    }

    fn replace(&self, place: &Holding<'_>, found: &Found<'_>, edit: &Edit<'_>) -> Edited {
        let Edit::Put { name, entry, .. } = edit else {
            return self.made(Vec::new(), 0);
        };
        let indent = indent_at(self.text, found.item.start).to_owned();
        let layout = Layout {
            indent,
            ..self.layout(&place.bracket)
        };
        let is_element = found.item == range(found.value.range());
        let value = if is_element {
            named(name, entry)
        } else {
            (*entry).clone()
        };
        let value = json_text::text(&value.into(), &layout);
        let change = Change::replace(range(found.value.range()), value);
        self.made(vec![change], found.item.start)
    }

    /// Takes out every entry of the name: an earlier one must not come back to life.
    fn remove(
        &self,
        place: &Holding<'_>,
        holder: &Holder,
        edit: &Edit<'_>,
    ) -> Result<Edited, EditError> {
        let found = place.find(edit.name()).ok_or_else(|| missing(edit))?;
        let line = line_of(self.text, found.item.start);
        let text = apply(self.text, place.bracket.remove(found.index));
        match self::edit(&text, holder, edit) {
            Ok(again) => Ok(Edited { line, ..again }),
            Err(_) => Ok(Edited { text, line }),
        }
    }

    fn switch(
        &self,
        place: &Holding<'_>,
        holder: &Holder,
        edit: &Edit<'_>,
    ) -> Result<Edited, EditError> {
        let (Some(found), Edit::Switch { power, .. }) = (place.find(edit.name()), edit) else {
            return Err(missing(edit));
        };
        let key_path = format!("{}.{}", holder.key_path(), found.name);
        let ast::Value::Object(entry) = found.value else {
            return Err(self.shape(&key_path, "an object", found.value));
        };
        let bracket = self.object(entry);
        let get = |key: &str| entry.properties.iter().rfind(|p| p.name.as_str() == key);
        let flag = |key: &str| {
            get(key).map(|property| match &property.value {
                ast::Value::BooleanLit(flag) => Value::Bool(flag.value),
                ast::Value::NullKeyword(_) => Value::Null,
                _ => Value::from(""),
            })
        };
        let mut changes = Vec::new();
        for (key, value) in steps(flag, *power, holder.switch) {
            if let Some(property) = get(key) {
                let place = range(property.value.range());
                changes.push(Change::replace(place, value.to_string()));
            } else {
                let layout = self.layout(&bracket);
                let item = json_text::member(key, &value.into(), &layout);
                changes.extend(bracket.insert(&item, &layout));
            }
        }
        Ok(self.made(changes, found.item.start))
    }

    fn made(&self, changes: Vec<Change>, at: usize) -> Edited {
        Edited {
            text: apply(self.text, changes),
            line: line_of(self.text, at),
        }
    }
}

/// What stands at the end of the holder's keys when its first entry comes.
fn new_value(holder: &Holder, edit: &Edit<'_>) -> Value {
    let Edit::Put { name, entry, .. } = edit else {
        return Value::Null;
    };
    match holder.form {
        Form::Map => Map::from_iter([((*name).to_owned(), (*entry).clone().into())]).into(),
        Form::List => vec![Value::Object(named(name, entry))].into(),
    }
}

/// The value within objects of these keys.
fn nested(path: &[String], value: Value) -> Value {
    let wrap = |value, key: &String| Map::from_iter([(key.clone(), value)]).into();
    path.iter().rev().fold(value, wrap)
}

fn missing(edit: &Edit<'_>) -> EditError {
    let name = edit.name().to_owned();
    EditError::Missing { name }
}

/// The line of the name of a new entry, which stands behind this place.
fn line_of_new(text: &str, at: usize, edit: &Edit<'_>) -> usize {
    let name = Value::from(edit.name()).to_string();
    let found = text.get(at..).and_then(|rest| rest.find(&name));
    line_of(text, at + found.unwrap_or(0))
}
