//! `Statements`: a TOML text as its headers and `key = value` lines, each with its place.

use std::ops::Range;

use toml_edit::{Document, Item, Table, TableLike, Value};

use super::change::{line_end, line_start};

/// One step of the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    /// The place in an array of tables.
    Index(usize),
}

/// What a statement is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `[…]` or `[[…]]`.
    Header,
    /// `… = …`, with the places of the last part of the key and of the value.
    Pair { key: usize, value: Range<usize> },
}

/// A header, or a key with its value.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    /// Its lines, with the line end.
    pub(super) lines: Range<usize>,
    /// Where it leads.
    pub(super) path: Vec<Step>,
    pub(super) kind: Kind,
}

impl Statement {
    pub(super) fn is_header(&self) -> bool {
        self.kind == Kind::Header
    }

    pub(super) fn is_within(&self, path: &[Step]) -> bool {
        self.path.starts_with(path)
    }

    /// The value, if this is `key = value`.
    pub(super) fn value(&self) -> Option<Range<usize>> {
        match &self.kind {
            Kind::Header => None,
            Kind::Pair { value, .. } => Some(value.clone()),
        }
    }
}

/// All statements in the order of the text.
pub(super) fn statements(text: &str, document: &Document<&str>) -> Vec<Statement> {
    let mut walk = Walk {
        text,
        found: Vec::new(),
    };
    walk.members(document.as_table(), &[]);
    walk.found.sort_by_key(|statement| statement.lines.start);
    walk.found
}

struct Walk<'a> {
    text: &'a str,
    found: Vec<Statement>,
}

impl Walk<'_> {
    fn members(&mut self, table: &dyn TableLike, path: &[Step]) {
        for (key, item) in table.iter() {
            let path = [path, &[Step::Key(key.to_owned())]].concat();
            match item {
                Item::None => {}
                Item::Value(Value::InlineTable(dotted)) if dotted.is_dotted() => {
                    self.members(dotted, &path);
                }
                Item::Value(value) => {
                    let key = table.key(key).and_then(toml_edit::Key::span);
                    if let (Some(key), Some(value)) = (key, value.span()) {
                        self.pair(path, key.start, value);
                    }
                }
                Item::Table(table) => self.table(table, &path),
                Item::ArrayOfTables(tables) => {
                    for (index, table) in tables.iter().enumerate() {
                        let path = [path.as_slice(), &[Step::Index(index)]].concat();
                        self.table(table, &path);
                    }
                }
            }
        }
    }

    fn table(&mut self, table: &Table, path: &[Step]) {
        let header = table.span().map(|span| span.start);
        let is_written = !table.is_implicit() && !table.is_dotted();
        if let Some(at) = header.filter(|_| is_written) {
            self.found.push(Statement {
                lines: line_start(self.text, at)..line_end(self.text, at),
                path: path.to_vec(),
                kind: Kind::Header,
            });
        }
        self.members(table, path);
    }

    fn pair(&mut self, path: Vec<Step>, key: usize, value: Range<usize>) {
        self.found.push(Statement {
            lines: line_start(self.text, key)..line_end(self.text, value.end),
            path,
            kind: Kind::Pair { key, value },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each statement as its path and its lines.
    fn told(text: &str) -> Vec<(String, &str)> {
        let document = Document::parse(text).unwrap();
        let step = |step: &Step| match step {
            Step::Key(key) => key.clone(),
            Step::Index(index) => index.to_string(),
        };
        let path = |path: &[Step]| path.iter().map(step).collect::<Vec<_>>().join("/");
        statements(text, &document)
            .iter()
            .map(|s| (path(&s.path), &text[s.lines.clone()]))
            .collect()
    }

    #[test]
    fn every_statement_is_found_with_its_lines() {
        let text = "# c\na.b.c = 1 # x\r\n  a.d = [\n 1 ]\n\n[t.u] # h\nv = { w = 1 }\n[[l.m]]\nn = 'x'\n[l.m.o]\np = 1\n[[l.m]]\n\"q r\" = \"\"\"\ny\n\"\"\" # z";
        assert_eq!(
            told(text),
            [
                ("a/b/c", "a.b.c = 1 # x\r\n"),
                ("a/d", "  a.d = [\n 1 ]\n"),
                ("t/u", "[t.u] # h\n"),
                ("t/u/v", "v = { w = 1 }\n"),
                ("l/m/0", "[[l.m]]\n"),
                ("l/m/0/n", "n = 'x'\n"),
                ("l/m/0/o", "[l.m.o]\n"),
                ("l/m/0/o/p", "p = 1\n"),
                ("l/m/1", "[[l.m]]\n"),
                ("l/m/1/q r", "\"q r\" = \"\"\"\ny\n\"\"\" # z"),
            ]
            .map(|(path, lines)| (path.to_owned(), lines))
        );
    }
}
