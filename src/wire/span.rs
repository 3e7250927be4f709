//! Where things are in a text.

use std::borrow::Cow;
use std::ops::Range;

use super::text;

/// A string literal: the span between its quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Literal {
    start: usize,
    pub(super) end: usize,
    escaped: bool,
}

/// One member of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) key: Literal,
    pub(super) value: Span,
}

/// A range of bytes; `Copy`, unlike `Range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    pub(super) fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

impl Member {
    /// Offset of the quote that opens the key.
    pub(super) fn start(&self) -> usize {
        self.key.start - 1
    }
}

impl Literal {
    /// The literal between quotes at these places. `escaped`: there are backslashes in it.
    pub(super) fn new(start: usize, end: usize, escaped: bool) -> Self {
        Self {
            start,
            end,
            escaped,
        }
    }

    /// The decoded string; `text` is what was scanned.
    pub(super) fn decode<'a>(&self, text: &'a [u8]) -> Cow<'a, str> {
        let raw = &text[self.start..self.end];
        if self.escaped {
            text::unescape(raw).text.into()
        } else {
            text::unicode(raw)
        }
    }

    /// The same as bytes, which spares a second look at the encoding.
    #[inline]
    pub(super) fn bytes<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let raw = &text[self.start..self.end];
        if self.escaped {
            text::unescape(raw).text.into_bytes().into()
        } else {
            raw.into()
        }
    }

    /// Whether the string decodes to `wanted`.
    #[inline]
    pub(super) fn is(&self, text: &[u8], wanted: &str) -> bool {
        if self.escaped {
            return *self.bytes(text) == *wanted.as_bytes();
        }
        text[self.start..self.end] == *wanted.as_bytes()
    }
}
