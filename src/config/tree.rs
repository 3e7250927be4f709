//! `Node`: one value of a configuration file with its place, whatever the syntax of the file.
//!
//! Both syntaxes become this tree, and everything that is read from a file is read from here. No
//! `Debug`: a tree holds secrets.

use std::cell::Cell;

use indexmap::IndexMap;

use super::place::{Origin, Place};

/// A value and where it was written.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// What was written.
#[derive(Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// The digits as written, in decimal.
    Number(String),
    Text(Text),
    List(Vec<Node>),
    Map(IndexMap<String, Node>),
}

/// A string, and how it came to be.
#[derive(Clone)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) form: Form,
}

/// Whether a string stands in the file as it is.
#[derive(Clone)]
pub(crate) enum Form {
    /// It does.
    Literal,
    /// It was made from this text by filling in variables, so its content is nobody's to show.
    Expanded(String),
    /// Filling in failed, and was reported: nothing else needs to be said about it.
    Broken,
}

impl Node {
    /// A string that stands as it is.
    pub(crate) fn literal(text: &str, place: Place) -> Self {
        let text = Text {
            text: text.to_owned(),
            form: Form::Literal,
        };
        Self {
            value: Value::Text(text),
            place,
        }
    }

    /// A member of an object; `None` if it is absent or null.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.map()?.get(key).filter(|node| !node.is_null())
    }

    /// A member of an object, to change it; `None` if it is absent or null.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.value {
            Value::Map(map) => map.get_mut(key).filter(|node| !node.is_null()),
            _ => None,
        }
    }

    /// Whether this is an explicit null.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_blank(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Bool(_) | Value::Number(_) => false,
            Value::Text(text) => text.text.is_empty(),
            Value::List(list) => list.is_empty(),
            Value::Map(map) => map.is_empty(),
        }
    }

    /// The members, if this is an object.
    pub(crate) fn map(&self) -> Option<&IndexMap<String, Self>> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub(crate) fn list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// The string, if this is one whose variables are filled in.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(Text {
                form: Form::Broken, ..
            }) => None,
            Value::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// Whether this is a string that could not be filled in.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(
            self.value,
            Value::Text(Text {
                form: Form::Broken,
                ..
            })
        )
    }

    /// The text of a number or flag: such a value may also be given as a string where only strings
    /// can be written, which is in variables and flags.
    pub(crate) fn scalar(&self) -> Option<&str> {
        let outside_files = !matches!(self.place.origin, Origin::File(_));
        match &self.value {
            Value::Number(digits) => Some(digits),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Text(Text {
                text,
                form: Form::Expanded(_),
            }) => Some(text.trim()),
            Value::Text(Text {
                text,
                form: Form::Literal,
            }) if outside_files => Some(text.trim()),
            _ => None,
        }
    }

    /// The value as it may be shown to a person: what was written, never what a variable held.
    pub(crate) fn shown(&self) -> String {
        match &self.value {
            Value::Null => "null".into(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(digits) => digits.clone(),
            Value::Text(Text {
                form: Form::Expanded(written),
                ..
            }) => written.clone(),
            Value::Text(Text { text, .. }) => text.clone(),
            Value::List(list) => list.iter().map(Self::shown).collect::<Vec<_>>().join(", "),
            Value::Map(map) => {
                let member = |(key, node): (&String, &Self)| format!("{key} = {}", node.shown());
                map.iter().map(member).collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// What sort of value this is, as in "found a number".
    pub(crate) fn sort(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "an array",
            Value::Map(_) => "an object",
        }
    }
}

/// Finds line and column of a byte offset.
pub(crate) struct Positions<'a> {
    text: &'a str,
    /// Offsets at which lines begin.
    starts: Vec<usize>,
    /// The last offset that was asked for, and its column. Offsets come mostly in order, and a whole
    /// file may stand on one line: counting from its start each time would take forever.
    last: Cell<(usize, usize)>,
}

impl<'a> Positions<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0)
            .chain(breaks.map(|(at, _)| at + 1))
            .collect();
        Self {
            text,
            starts,
            last: Cell::new((0, 1)),
        }
    }

    /// Line and column, from 1, columns in characters.
    pub(crate) fn of(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line
            .checked_sub(1)
            .and_then(|before| self.starts.get(before));
        let start = start.copied().unwrap_or(0);
        let (last, column) = self.last.get();
        let (from, column) = if (start..=offset).contains(&last) {
            (last, column)
        } else {
            (start, 1)
        };
        let between = self
            .text
            .get(from..offset)
            .map_or(0, |between| between.chars().count());
        self.last.set((offset, column + between));
        (line, column + between)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let positions = Positions::new("a\näö x\n\nlast");
        let at = |offset| positions.of(offset);
        assert_eq!(
            [at(0), at(1), at(2), at(7), at(9), at(13)],
            [(1, 1), (1, 2), (2, 1), (2, 4), (3, 1), (4, 4)]
        );
        assert_eq!([at(7), at(2), at(0)], [(2, 4), (2, 1), (1, 1)]);
    }

    #[test]
    fn what_a_variable_held_is_not_shown() {
        let form = Form::Expanded("${TOKEN}".into());
        let value = Value::Text(Text {
            text: "s3cret".into(),
            form,
        });
        let node = Node {
            value,
            place: Place::default(),
        };
        assert_eq!(node.shown(), "${TOKEN}");
        assert_eq!(node.text(), Some("s3cret"));
    }
}
