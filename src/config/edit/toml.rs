//! Edits of TOML.
//!
//! Entries are tables with headers, dotted keys, or inline tables. The first two are edited by
//! lines, the last by its brackets.

use std::ops::Range;

use serde_json::Value;
use toml_edit::{Document, Item};

use super::change::{Change, apply, indent_at, line_of, newline_of};
use super::error::EditError;
use super::holder::{Form, Holder};
use super::statements::{Kind, Statement, Step, statements};
use super::toml_place::{Doc, runs};
use super::toml_text;
use super::wanted::{Edit, Edited, EntryText, Existing, named, steps};

/// Makes the edit. The text has no byte order mark, and was read without an error.
pub(super) fn edit(text: &str, holder: &Holder, edit: &Edit<'_>) -> Result<Edited, EditError> {
    let Ok(document) = Document::parse(text) else {
        return Err(unfit(edit));
    };
    let doc = Doc {
        text,
        newline: newline_of(text),
        statements: statements(text, &document),
        document: &document,
        holder,
    };
    let path = doc.path_of(edit.name())?;
    match edit {
        Edit::Put { existing, .. } => match (path, existing) {
            (Some(path), Existing::Keep) => Err(EditError::Exists {
                name: edit.name().to_owned(),
                line: doc.line_of_entry(&path),
            }),
            (Some(path), Existing::Replace) => doc.replace(&path, edit),
            (None, _) => doc.add(edit),
        },
        Edit::Remove { .. } => {
            let path = path.ok_or_else(|| missing(edit))?;
            let line = doc.line_of_entry(&path);
            let text = apply(text, doc.remove(&path).ok_or_else(|| unfit(edit))?);
            match self::edit(&text, holder, edit) {
                Ok(again) => Ok(Edited { line, ..again }),
                Err(_) => Ok(Edited { text, line }),
            }
        }
        Edit::Switch { .. } => {
            let path = path.ok_or_else(|| missing(edit))?;
            doc.switch(&path, edit)
        }
    }
}

impl Doc<'_> {
    fn add(&self, edit: &Edit<'_>) -> Result<Edited, EditError> {
        let Edit::Put { name, entry, .. } = edit else {
            return Err(unfit(edit));
        };
        let path = self.holder_path();
        // The holder, or something on the way to it, is an inline table or array.
        let inline =
            |statement: &&Statement| !statement.is_header() && path.starts_with(&statement.path);
        let changes = match self.statements.iter().find(inline) {
            Some(statement) if statement.path.len() == path.len() => {
                let bracket = statement.value().and_then(|value| self.bracket(value));
                let bracket = bracket.ok_or_else(|| unfit(edit))?;
                let item = match self.holder.form {
                    Form::Map => toml_text::pair(name, &Value::Object((*entry).clone())),
                    Form::List => toml_text::text(&Value::Object(named(name, entry))),
                };
                bracket.insert(&item, &self.layout(&bracket))
            }
            Some(_) => return Err(unfit(edit)),
            None => vec![self.append(&path, name, entry)],
        };
        let at = changes.last().map_or(0, |change| change.range.start);
        let text = apply(self.text, changes);
        let shown = toml_text::key(name);
        let found = text.get(at..).and_then(|rest| rest.find(&shown));
        let line = line_of(&text, at + found.unwrap_or(0));
        Ok(Edited { text, line })
    }

    /// A new table behind those of the holder, else at the end.
    fn append(&self, path: &[Step], name: &str, entry: &EntryText) -> Change {
        let last = self.statements.iter().rposition(|s| s.is_within(path));
        let at = match last {
            None => self.text.len(),
            Some(last) => {
                // Behind the whole table: what follows a header belongs to it.
                let rest = self.statements.get(last + 1..).unwrap_or_default();
                let end = rest.iter().position(Statement::is_header);
                let end = last + end.unwrap_or(rest.len());
                self.statements.get(end).map_or(0, |s| s.lines.end)
            }
        };
        let before = self.text.get(..at).unwrap_or_default();
        let newline = self.newline;
        let ends_line = before.is_empty() || before.ends_with('\n');
        let mut text = String::new();
        if !ends_line {
            text.push_str(newline);
        }
        if !before.trim().is_empty() && !before.replace('\r', "").ends_with("\n\n") {
            text.push_str(newline);
        }
        let block = self.block(name, entry);
        text.push_str(&block.join(newline));
        if ends_line {
            text.push_str(newline);
        }
        Change::insert(at, text)
    }

    /// The lines of an entry with a header.
    fn block(&self, name: &str, entry: &EntryText) -> Vec<String> {
        let path = toml_text::path(&self.holder.path);
        let (header, entry) = match self.holder.form {
            Form::Map => (
                format!("[{path}.{}]", toml_text::key(name)),
                (*entry).clone(),
            ),
            Form::List => (format!("[[{path}]]"), named(name, entry)),
        };
        let members = entry.iter().filter(|(_, value)| !value.is_null());
        let pairs = members.map(|(key, value)| toml_text::pair(key, value));
        std::iter::once(header).chain(pairs).collect()
    }

    fn replace(&self, path: &[Step], edit: &Edit<'_>) -> Result<Edited, EditError> {
        let Edit::Put { name, entry, .. } = edit else {
            return Err(unfit(edit));
        };
        let line = self.line_of_entry(path);
        let statements = self.of_entry(path);
        if let [
            (
                _,
                Statement {
                    kind: Kind::Pair { value, .. },
                    path: own,
                    ..
                },
            ),
        ] = statements.as_slice()
            && own == path
        {
            let text = toml_text::text(&Value::Object((*entry).clone()));
            let text = apply(self.text, vec![Change::replace(value.clone(), text)]);
            return Ok(Edited { text, line });
        }
        let runs = runs(&statements);
        if let (Some(first), true) = (runs.first(), statements.iter().any(|(_, s)| s.is_header())) {
            let ended = self
                .text
                .get(..first.end)
                .is_some_and(|t| t.ends_with('\n'));
            let mut block = self.block(name, entry).join(self.newline);
            block.push_str(if ended { self.newline } else { "" });
            let mut changes = vec![Change::replace(first.clone(), block)];
            let others = runs.iter().skip(1).cloned();
            changes.extend(others.map(Change::remove));
            let text = apply(self.text, changes);
            return Ok(Edited { text, line });
        }
        if let Some((bracket, index)) = self.enclosing(path) {
            let item = bracket.items.get(index).cloned().unwrap_or_default();
            let text = match self.holder.form {
                Form::Map => toml_text::pair(name, &Value::Object((*entry).clone())),
                Form::List => toml_text::text(&Value::Object(named(name, entry))),
            };
            let text = apply(self.text, vec![Change::replace(item, text)]);
            return Ok(Edited { text, line });
        }
        let changes = self.remove(path).ok_or_else(|| unfit(edit))?;
        self::edit(&apply(self.text, changes), self.holder, edit)
    }

    fn remove(&self, path: &[Step]) -> Option<Vec<Change>> {
        let runs = runs(&self.of_entry(path));
        if runs.is_empty() {
            let (bracket, index) = self.enclosing(path)?;
            return Some(bracket.remove(index));
        }
        let changes = runs.into_iter().map(|run| Change::remove(self.parted(run)));
        Some(changes.collect())
    }

    /// The lines of a run with the empty line that parts it from its neighbour.
    fn parted(&self, run: Range<usize>) -> Range<usize> {
        let before = self.text.get(..run.start).unwrap_or_default();
        let after = self.text.get(run.end..).unwrap_or_default();
        let blank = |text: &str| text.len() - text.trim_end_matches(['\n', '\r']).len();
        let empty_before = before.replace('\r', "").ends_with("\n\n") || before.is_empty();
        if after.is_empty() && empty_before && blank(before) > 0 {
            let newline = if before.ends_with("\r\n") { 2 } else { 1 };
            return run.start - newline..run.end;
        }
        let empty_after = ["\r\n", "\n"]
            .into_iter()
            .find(|end| after.starts_with(end));
        match empty_after.filter(|_| empty_before) {
            Some(end) => run.start..run.end + end.len(),
            None => run,
        }
    }

    fn switch(&self, path: &[Step], edit: &Edit<'_>) -> Result<Edited, EditError> {
        let Edit::Switch { power, .. } = edit else {
            return Err(unfit(edit));
        };
        let line = self.line_of_entry(path);
        let Some(entry) = self.entry(path) else {
            return Err(EditError::Shape {
                key: format!("{}.{}", self.holder.key_path(), edit.name()),
                expected: "an object",
                line,
            });
        };
        let flag = |key: &str| {
            let value = entry.get(key)?;
            Some(value.as_bool().map_or_else(|| Value::from(""), Value::Bool))
        };
        let mut changes = Vec::new();
        for (key, value) in steps(flag, *power, self.holder.switch) {
            let place = entry.get(key).and_then(Item::span);
            if let Some(place) = place {
                changes.push(Change::replace(place, value.to_string()));
            } else {
                let more = self.insert_pair(path, key, &value.into());
                changes.extend(more.ok_or_else(|| unfit(edit))?);
            }
        }
        let text = apply(self.text, changes);
        Ok(Edited { text, line })
    }

    /// A further `key = value` in an entry.
    fn insert_pair(&self, path: &[Step], key: &str, value: &Value) -> Option<Vec<Change>> {
        let statements = self.of_entry(path);
        let pair = toml_text::pair(key, value);
        let own = statements.iter().find(|(_, s)| s.path == path);
        if let Some((_, statement)) = own
            && let Some(value) = statement.value()
        {
            let bracket = self.bracket(value)?;
            return Some(bracket.insert(&pair, &self.layout(&bracket)));
        }
        let direct = |s: &Statement| !s.is_header() && s.path.len() == path.len() + 1;
        let (at, lead) = if let Some((index, header)) = own {
            let rest = self.statements.get(index + 1..).unwrap_or_default();
            let section = rest.iter().take_while(|s| !s.is_header());
            let last = section.last();
            let indent = last.unwrap_or(header).lines.start;
            let lead = self.text.get(indent..).unwrap_or_default();
            let lead = lead.trim_start_matches([' ', '\t']);
            let lead = indent_at(self.text, self.text.len() - lead.len());
            (last.unwrap_or(header).lines.end, lead.to_owned())
        } else if let Some((_, last)) = statements.iter().rfind(|(_, s)| direct(s)) {
            let Kind::Pair { key, .. } = &last.kind else {
                return None;
            };
            let lead = self.text.get(last.lines.start..*key)?;
            (last.lines.end, lead.to_owned())
        } else {
            let (bracket, index) = self.enclosing(path)?;
            let item = bracket.items.get(index)?.clone();
            let open = self.text.get(item.clone())?.find('{')? + item.start;
            let entry = self.bracket(open..item.end)?;
            return Some(entry.insert(&pair, &self.layout(&entry)));
        };
        let ended = self.text.get(..at)?.ends_with('\n');
        let line = if ended {
            format!("{lead}{pair}{}", self.newline)
        } else {
            format!("{}{lead}{pair}", self.newline)
        };
        Some(vec![Change::insert(at, line)])
    }
}

fn missing(edit: &Edit<'_>) -> EditError {
    let name = edit.name().to_owned();
    EditError::Missing { name }
}

fn unfit(edit: &Edit<'_>) -> EditError {
    let name = edit.name().to_owned();
    EditError::Unfit { name }
}
