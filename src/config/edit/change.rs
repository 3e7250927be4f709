//! `Change`: what is taken out of a text, and what is put in there.

use std::ops::Range;

/// One change, by the place in the old text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// The bytes to take out; empty where something is only put in.
    pub(super) range: Range<usize>,
    /// What to put in their place.
    pub(super) text: String,
}

impl Change {
    /// Puts something in.
    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self {
            range: at..at,
            text: text.into(),
        }
    }

    /// Takes something out.
    pub(super) fn remove(range: Range<usize>) -> Self {
        Self {
            range,
            text: String::new(),
        }
    }

    /// Puts something in the place of something else.
    pub(super) fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Self {
            range,
            text: text.into(),
        }
    }
}

/// Makes the changes. Those at one place are made in the order given; they may not overlap.
pub(super) fn apply(text: &str, mut changes: Vec<Change>) -> String {
    changes.sort_by_key(|change| change.range.start);
    let mut made = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for change in changes {
        made.push_str(text.get(at..change.range.start).unwrap_or_default());
        made.push_str(&change.text);
        at = change.range.end.max(at);
    }
    made.push_str(text.get(at..).unwrap_or_default());
    made
}

/// The line end that the text uses.
pub(super) fn newline_of(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text.get(..at).is_some_and(|before| before.ends_with('\r')) => "\r\n",
        _ => "\n",
    }
}

/// Where the line begins that this place is in.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |newline| newline + 1)
}

/// Where the next line begins, or the text ends.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text.get(at..)
        .and_then(|after| after.find('\n'))
        .map_or(text.len(), |newline| at + newline + 1)
}

/// The blanks at the beginning of the line that this place is in.
pub(super) fn indent_at(text: &str, at: usize) -> &str {
    let line = text.get(line_start(text, at)..at).unwrap_or_default();
    let blanks = line.find(|c: char| !is_blank(c)).unwrap_or(line.len());
    line.get(..blanks).unwrap_or_default()
}

/// Whether nothing but blanks stands before this place on its line.
pub(super) fn is_first_on_line(text: &str, at: usize) -> bool {
    line_start(text, at) + indent_at(text, at).len() == at
}

/// Whether this is white space within a line.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r')
}

/// The number of the line that this place is in, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    1 + before.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_made_in_order_of_place() {
        let changes = vec![
            Change::replace(4..5, "E"),
            Change::insert(2, "<"),
            Change::insert(2, ">"),
            Change::remove(0..1),
        ];
        assert_eq!(apply("abcdef", changes), "b<>cdEf");
    }

    #[test]
    fn lines_are_found() {
        let text = "a\r\n  b: c\nd";
        assert_eq!(newline_of(text), "\r\n");
        assert_eq!((line_start(text, 8), line_end(text, 5)), (3, 10));
        assert_eq!((indent_at(text, 8), line_of(text, 8)), ("  ", 2));
        assert!(is_first_on_line(text, 5) && !is_first_on_line(text, 8));
    }
}
