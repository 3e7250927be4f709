//! `Bracket`: an object, array or inline table as places in a text, and how items come and go there.

use std::ops::Range;

use super::change::{Change, indent_at, is_blank, is_first_on_line, line_end, line_start};

/// How the syntax writes comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comments {
    /// `// …` and `/* … */`.
    Slashes,
    /// `# …`.
    Hash,
}

/// Something with items between two brackets, and commas between the items.
#[derive(Clone, Debug)]
pub(super) struct Bracket<'a> {
    pub(super) text: &'a str,
    pub(super) comments: Comments,
    /// Where the opening bracket stands.
    pub(super) open: usize,
    /// Where the closing bracket stands.
    pub(super) close: usize,
    /// The items, without the commas.
    pub(super) items: Vec<Range<usize>>,
}

/// Whether items stand on lines of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// Each on its own line.
    Lines,
    /// All on one line.
    OneLine,
}

/// How new items are written.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) spread: Spread,
    pub(super) newline: &'static str,
    /// The indentation of the items.
    pub(super) indent: String,
    /// One step of indentation.
    pub(super) unit: String,
}

impl Layout {
    /// The layout one level deeper.
    pub(super) fn deeper(&self) -> Self {
        Self {
            indent: format!("{}{}", self.indent, self.unit),
            ..self.clone()
        }
    }
}

/// A place past a comment or white space.
struct Past {
    at: usize,
    /// The end of the last comment on the way.
    comment: Option<usize>,
    /// Whether the last comment ends with its line.
    is_line: bool,
}

impl Bracket<'_> {
    /// How the items stand; `empty` is for a bracket without items and line breaks.
    pub(super) fn spread(&self, empty: Spread) -> Spread {
        let breaks = |range: Range<usize>| self.slice(range).contains('\n');
        let spread = match self.items.as_slice() {
            [] if breaks(self.open..self.close) => true,
            [] => return empty,
            [first, second, ..] => {
                breaks(self.open..first.start) || breaks(first.end..second.start)
            }
            [first] => breaks(self.open..first.start),
        };
        if spread {
            Spread::Lines
        } else {
            Spread::OneLine
        }
    }

    /// The indentation of the items that begin a line, if any does.
    pub(super) fn item_indent(&self) -> Option<&str> {
        let mut items = self.items.iter().rev();
        let item = items.find(|item| is_first_on_line(self.text, item.start))?;
        Some(indent_at(self.text, item.start))
    }

    /// The indentation of the line on which the bracket opens.
    pub(super) fn base_indent(&self) -> &str {
        indent_at(self.text, self.open)
    }

    /// Puts an item behind the others. Nothing is taken out.
    pub(super) fn insert(&self, item: &str, layout: &Layout) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut from = self.open + 1;
        let mut own_comma = "";
        if let Some(last) = self.items.last() {
            if let Some(comma) = self.comma_after(last.end) {
                from = comma + 1;
                own_comma = ",";
            } else {
                changes.push(Change::insert(last.end, ","));
                from = last.end;
            }
        }
        let past = self.skip(from);
        let at = past.comment.unwrap_or(from);
        let on_line = layout.spread == Spread::OneLine && !(past.comment.is_some() && past.is_line);
        let rest = self.slice(at..self.close);
        let mut text = if !on_line {
            format!("{}{}", layout.newline, layout.indent)
        } else if self.items.is_empty() && past.comment.is_none() && rest.is_empty() {
            String::new()
        } else {
            " ".to_owned()
        };
        text.push_str(item);
        text.push_str(own_comma);
        if !on_line && self.items.is_empty() && !rest.contains('\n') {
            text.push_str(layout.newline);
            text.push_str(self.base_indent());
        }
        changes.push(Change::insert(at, text));
        changes
    }

    /// Takes an item out, with its comma, and with its lines if it has lines of its own. Comments
    /// around it stay.
    pub(super) fn remove(&self, index: usize) -> Vec<Change> {
        let Some(item) = self.items.get(index) else {
            return Vec::new();
        };
        let mut changes = Vec::new();
        let mut tail = item.end;
        let comma = self.comma_after(item.end);
        if let Some(comma) = comma {
            if self.slice(item.end..comma).chars().all(char::is_whitespace) {
                tail = comma + 1;
            } else {
                changes.push(Change::remove(comma..comma + 1));
            }
        } else if let Some(before) = index.checked_sub(1).and_then(|i| self.items.get(i)) {
            // A comma must not be left at the end where there was none.
            let comma = self.comma_after(before.end);
            changes.extend(comma.map(|comma| Change::remove(comma..comma + 1)));
        }
        changes.push(Change::remove(self.with_blanks(
            item.start,
            tail,
            comma.is_some(),
        )));
        changes
    }

    /// The range with its line or lines if it has them to itself, else with the blanks that parted
    /// it from its neighbour.
    fn with_blanks(&self, start: usize, tail: usize, has_comma: bool) -> Range<usize> {
        let line = line_end(self.text, tail);
        let rest = self.slice(tail..line);
        let alone = is_first_on_line(self.text, start)
            && rest.ends_with('\n')
            && rest.trim_end_matches('\n').chars().all(is_blank);
        if alone {
            return line_start(self.text, start)..line;
        }
        if has_comma || self.items.len() == 1 {
            let blanks = rest.find(|c| !matches!(c, ' ' | '\t'));
            return start..tail + blanks.unwrap_or(rest.len());
        }
        let before = self.slice(line_start(self.text, start)..start);
        let kept = before.trim_end_matches([' ', '\t']).len();
        start - (before.len() - kept)..tail
    }

    /// Where the comma stands that follows, if one does.
    pub(super) fn comma_after(&self, at: usize) -> Option<usize> {
        let at = self.skip(at).at;
        self.slice(at..self.close).starts_with(',').then_some(at)
    }

    /// Past white space and comments.
    fn skip(&self, from: usize) -> Past {
        let mut past = Past {
            at: from,
            comment: None,
            is_line: false,
        };
        loop {
            let rest = self.slice(past.at..self.close);
            let white = rest.len() - rest.trim_start().len();
            past.at += white;
            let rest = self.slice(past.at..self.close);
            let line = match self.comments {
                Comments::Slashes => rest.starts_with("//"),
                Comments::Hash => rest.starts_with('#'),
            };
            let length = if line {
                rest.find(['\n', '\r']).unwrap_or(rest.len())
            } else if self.comments == Comments::Slashes && rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                return past;
            };
            past.at += length;
            past.comment = Some(past.at);
            past.is_line = line;
        }
    }

    /// Where the first item begins behind this place.
    pub(super) fn start_after(&self, at: usize) -> usize {
        self.skip(at).at
    }

    fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }
}
