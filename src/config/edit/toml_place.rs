//! Where servers stand in a TOML text, and in which form.

use std::ops::Range;

use toml_edit::{Document, Item};

use super::bracket::{Bracket, Comments, Layout, Spread};
use super::change::line_of;
use super::error::EditError;
use super::holder::{Form, Holder};
use super::statements::{Statement, Step};

/// Makes a document of a value, so that it can be read alone.
const LEAD: &str = "x=";

/// A text, its statements, and where its servers are.
pub(super) struct Doc<'a> {
    pub(super) text: &'a str,
    pub(super) newline: &'static str,
    pub(super) statements: Vec<Statement>,
    pub(super) document: &'a Document<&'a str>,
    pub(super) holder: &'a Holder,
}

impl Doc<'_> {
    pub(super) fn holder_path(&self) -> Vec<Step> {
        self.holder.path.iter().cloned().map(Step::Key).collect()
    }

    /// The holder's value, if there is one.
    pub(super) fn held(&self) -> Result<Option<&Item>, EditError> {
        let mut item = self.document.as_item();
        for key in &self.holder.path {
            if !item.is_table_like() {
                return Err(self.shape("an object"));
            }
            match item.get(key) {
                Some(next) => item = next,
                None => return Ok(None),
            }
        }
        match self.holder.form {
            Form::Map if !item.is_table_like() => Err(self.shape("an object")),
            Form::List if !item.is_array_of_tables() && !item.is_array() => {
                Err(self.shape("an array"))
            }
            _ => Ok(Some(item)),
        }
    }

    pub(super) fn shape(&self, expected: &'static str) -> EditError {
        let path = self.holder_path();
        let on_way = |statement: &&Statement| path.starts_with(&statement.path);
        let found = self.statements.iter().rfind(on_way);
        EditError::Shape {
            key: self.holder.key_path(),
            expected,
            line: found.map_or(1, |found| line_of(self.text, found.lines.start)),
        }
    }

    /// The way to the entry that counts: the last of its name.
    pub(super) fn path_of(&self, name: &str) -> Result<Option<Vec<Step>>, EditError> {
        let Some(held) = self.held()? else {
            return Ok(None);
        };
        let step = match self.holder.form {
            Form::Map => held.get(name).map(|_| Step::Key(name.to_owned())),
            Form::List => {
                let count = match held {
                    Item::ArrayOfTables(tables) => tables.len(),
                    other => other.as_array().map_or(0, toml_edit::Array::len),
                };
                let name_of = |index: &usize| {
                    let entry = held.get(*index).and_then(|entry| entry.get("name"));
                    entry.and_then(Item::as_str) == Some(name)
                        || inline_name(held, *index) == Some(name)
                };
                (0..count).rfind(name_of).map(Step::Index)
            }
        };
        Ok(step.map(|step| [self.holder_path(), vec![step]].concat()))
    }

    /// The statements of an entry.
    pub(super) fn of_entry(&self, path: &[Step]) -> Vec<(usize, &Statement)> {
        let all = self.statements.iter().enumerate();
        all.filter(|(_, statement)| statement.is_within(path))
            .collect()
    }

    pub(super) fn line_of_entry(&self, path: &[Step]) -> usize {
        let at = if let Some((_, first)) = self.of_entry(path).first() {
            first.lines.start
        } else {
            let inline = self.enclosing(path);
            let item = inline.and_then(|(bracket, index)| bracket.items.get(index).cloned());
            item.map_or(0, |item| item.start)
        };
        line_of(self.text, at)
    }

    /// An entry, in whatever form.
    pub(super) fn entry(&self, path: &[Step]) -> Option<Item> {
        let mut item = self.document.as_item().clone();
        for step in path {
            item = match step {
                Step::Key(key) => item.get(key)?.clone(),
                Step::Index(index) => match &item {
                    Item::ArrayOfTables(tables) => Item::Table(tables.get(*index)?.clone()),
                    other => Item::Value(other.as_array()?.get(*index)?.clone()),
                },
            };
        }
        item.is_table_like().then_some(item)
    }

    /// The inline table or array that the entry is an item of.
    pub(super) fn enclosing(&self, path: &[Step]) -> Option<(Bracket<'_>, usize)> {
        let (step, holder) = path.split_last()?;
        let statement = self.statements.iter().find(|s| s.path == holder)?;
        let bracket = self.bracket(statement.value()?)?;
        let index = match step {
            Step::Index(index) => *index,
            Step::Key(name) => {
                let table = self.entry(holder)?;
                let table = table.as_inline_table()?;
                table.iter().position(|(key, _)| key == name)?
            }
        };
        Some((bracket, index))
    }

    /// An inline table or array as places.
    pub(super) fn bracket(&self, value: Range<usize>) -> Option<Bracket<'_>> {
        let text = self.text.get(value.clone())?;
        let alone = format!("{LEAD}{text}");
        let parsed = Document::parse(alone.as_str()).ok()?;
        let item = parsed.as_item().get("x")?;
        let ends: Vec<usize> = match item {
            Item::Value(toml_edit::Value::Array(array)) => {
                array.iter().filter_map(|v| Some(v.span()?.end)).collect()
            }
            Item::Value(toml_edit::Value::InlineTable(table)) => table
                .get_values()
                .iter()
                .filter_map(|(_, v)| Some(v.span()?.end))
                .collect(),
            _ => return None,
        };
        let mut bracket = Bracket {
            text: self.text,
            comments: Comments::Hash,
            open: value.start,
            close: value.end - 1,
            items: Vec::new(),
        };
        let mut from = value.start + 1;
        for end in ends {
            let end = end - LEAD.len() + value.start;
            let start = bracket.start_after(from);
            bracket.items.push(start..end);
            from = bracket.comma_after(end).map_or(end, |comma| comma + 1);
        }
        Some(bracket)
    }

    pub(super) fn layout(&self, bracket: &Bracket<'_>) -> Layout {
        Layout {
            spread: bracket.spread(Spread::OneLine),
            newline: self.newline,
            indent: bracket.item_indent().unwrap_or("  ").to_owned(),
            unit: "  ".to_owned(),
        }
    }
}

/// Statements that follow each other, as one range of lines each.
pub(super) fn runs(statements: &[(usize, &Statement)]) -> Vec<Range<usize>> {
    let mut runs: Vec<(usize, Range<usize>)> = Vec::new();
    for (index, statement) in statements {
        match runs.last_mut() {
            Some((last, run)) if *last + 1 == *index => {
                *last = *index;
                run.end = statement.lines.end;
            }
            _ => runs.push((*index, statement.lines.clone())),
        }
    }
    runs.into_iter().map(|(_, run)| run).collect()
}

fn inline_name(held: &Item, index: usize) -> Option<&str> {
    let entry = held.as_array()?.get(index)?.as_inline_table()?;
    entry.get("name")?.as_str()
}
