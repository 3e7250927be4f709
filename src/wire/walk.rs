//! Walking through a text that has been scanned: spans are found by quotes and brackets alone, and nothing is checked again.
//!
//! A span costs a tenth of what the scanner takes for it, and looking for a member is done many times for each message.
//! In a text that is not valid after all, spans would be wrong, but never outside of it.

use super::runs::Runs;
use super::span::{Literal, Member, Span};
use super::text::{short_string, until_quote};

/// The members of an object, in order, duplicates too.
pub(super) struct Members<'a> {
    text: &'a [u8],
    runs: &'a Runs,
    at: usize,
}

impl<'a> Members<'a> {
    /// Those of the object that `text` is; `None` if it is none. `runs` are those of the text.
    #[inline]
    pub(super) fn of(text: &'a [u8], runs: &'a Runs) -> Option<Self> {
        let at = 1;
        (text.first() == Some(&b'{')).then_some(Self { text, runs, at })
    }

    /// Those of the object that `text` may be, else none.
    #[inline]
    pub(super) fn of_any(text: &'a [u8], runs: &'a Runs) -> Self {
        let (none, at) = (b"", 0);
        Self::of(text, runs).unwrap_or(Self {
            text: none,
            runs,
            at,
        })
    }
}

impl Iterator for Members<'_> {
    type Item = Member;

    #[inline]
    fn next(&mut self) -> Option<Member> {
        let start = past_blank(self.text, self.at);
        if self.text.get(start) != Some(&b'"') {
            return None;
        }
        let key = string(self.text, self.runs, start);
        let colon = past_blank(self.text, key.end + 1);
        let value = value(self.text, self.runs, past_blank(self.text, colon + 1));
        self.at = past_comma(self.text, value.end);
        Some(Member { key, value })
    }
}

/// The elements of an array, in order.
pub(super) struct Elements<'a> {
    text: &'a [u8],
    runs: &'a Runs,
    at: usize,
}

impl<'a> Elements<'a> {
    /// Those of the array that `text` is; `None` if it is none. `runs` are those of the text.
    pub(super) fn of(text: &'a [u8], runs: &'a Runs) -> Option<Self> {
        let at = 1;
        (text.first() == Some(&b'[')).then_some(Self { text, runs, at })
    }
}

impl Iterator for Elements<'_> {
    type Item = Span;

    #[inline]
    fn next(&mut self) -> Option<Span> {
        let start = past_blank(self.text, self.at);
        if matches!(self.text.get(start), None | Some(b']')) {
            return None;
        }
        let value = value(self.text, self.runs, start);
        self.at = past_comma(self.text, value.end);
        // Of nothing there would be no end.
        (value.end > start).then_some(value)
    }
}

#[inline]
fn past_blank(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

#[inline]
fn past_comma(text: &[u8], at: usize) -> usize {
    let at = past_blank(text, at);
    at + usize::from(text.get(at) == Some(&b','))
}

/// The string whose opening quote is at `quote`.
#[inline]
fn string(text: &[u8], runs: &Runs, quote: usize) -> Literal {
    let start = quote + 1;
    if let Some(length) = short_string(&text[start..]) {
        return Literal::new(start, start + length, false);
    }
    let end = start + runs.prefix(&text[start..], until_quote);
    match text.get(end) {
        Some(b'"') => Literal::new(start, end, false),
        _ => Literal::new(start, end_of_escaped(text, runs, end), true),
    }
}

/// The place of the quote that ends a string, whose opening quote is at `quote`, or the end of the text.
#[inline]
fn closing_quote(text: &[u8], runs: &Runs, quote: usize) -> usize {
    let start = quote + 1;
    if let Some(length) = short_string(&text[start..]) {
        return start + length;
    }
    let end = start + runs.prefix(&text[start..], until_quote);
    match text.get(end) {
        Some(b'"') => end,
        _ => end_of_escaped(text, runs, end),
    }
}

/// The same for a string with escapes; this is the place of the first one.
#[cold]
fn end_of_escaped(text: &[u8], runs: &Runs, mut at: usize) -> usize {
    while text.get(at) == Some(&b'\\') {
        at += 2;
        at += runs.prefix(text.get(at..).unwrap_or_default(), until_quote);
    }
    at.min(text.len())
}

#[inline]
fn value(text: &[u8], runs: &Runs, start: usize) -> Span {
    let end = match text.get(start) {
        Some(b'"') => closing_quote(text, runs, start) + 1,
        Some(b'{' | b'[') => end_of_container(text, runs, start),
        _ => end_of_word(text, start),
    };
    let end = end.min(text.len());
    let start = start.min(end);
    Span { start, end }
}

/// The end of a number, `true`, `false` or `null`.
#[inline]
fn end_of_word(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = text.get(at) {
        if matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r') {
            break;
        }
        at += 1;
    }
    at
}

/// What a byte is to who looks for the end of a container.
const PLAIN: u8 = 0;
const QUOTE: u8 = 1;
const OPENS: u8 = 2;
const CLOSES: u8 = 3;
static CLASSES: [u8; 256] = {
    let mut classes = [PLAIN; 256];
    classes[b'"' as usize] = QUOTE;
    classes[b'{' as usize] = OPENS;
    classes[b'[' as usize] = OPENS;
    classes[b'}' as usize] = CLOSES;
    classes[b']' as usize] = CLOSES;
    classes
};

fn end_of_container(text: &[u8], runs: &Runs, start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = text.get(at) {
        at += 1;
        match CLASSES[usize::from(*byte)] {
            PLAIN => {}
            QUOTE => at = closing_quote(text, runs, at - 1) + 1,
            OPENS => depth += 1,
            _ => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No text at all makes a walk panic, go on for ever or leave the text.
    #[test]
    fn walks_through_what_is_no_json_end_within_it() {
        let pieces = ["{", "\"", "\\", "[", "]", "}", ":", ",", "a", " ", "\"a\":"];
        let count = pieces.len();
        for number in 0..count.pow(3) {
            let text: String = (0..3)
                .map(|place| pieces[number / count.pow(place) % count])
                .collect();
            let text = text.as_bytes();
            let runs = Runs::default();
            let members = Members::of(text, &runs).into_iter().flatten();
            let spans = members.map(|member| member.value);
            let elements = Elements::of(text, &runs).into_iter().flatten();
            for span in spans.chain(elements) {
                assert!(span.start <= span.end && span.end <= text.len());
            }
        }
    }
}
