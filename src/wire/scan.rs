//! The one JSON scanner: checks the full grammar of RFC 8259, finds spans, decodes nothing and never recurses.
//!
//! It accepts what `serde_json` accepts as a `RawValue`: any number by grammar, and `\u` escapes without looking at
//! surrogate pairs. UTF-8 is checked by the caller beforehand, since the standard library does that faster in one go.

use super::WireError;
use super::nesting::{Container, Nesting};
use super::runs::{LONG, Runs};
use super::span::{Literal, Member, Span};
use super::text;

/// A scanner over a text, standing at `at`.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    runs: &'a Runs,
    at: usize,
    /// How many escapes there were so far.
    escapes: usize,
}

/// What is wrong with a text; where, is then in [`Scanner::at`].
type Detail = &'static str;

/// Checks that `text` is one JSON value in UTF-8 and returns its span without the whitespace around it, and its runs.
pub(super) fn whole(text: &[u8]) -> Result<(Span, Runs), WireError> {
    let runs = check_utf8(text)?;
    let mut scanner = Scanner::new(text, &runs);
    scanner.blank();
    let value = scanner.value()?;
    scanner.end()?;
    Ok((value, runs))
}

/// Checks the encoding of a whole text, and finds its runs.
#[inline]
pub(super) fn check_utf8(text: &[u8]) -> Result<Runs, WireError> {
    if text.len() >= LONG {
        let (runs, ascii) = Runs::of(text);
        return unicode_from(text, ascii).map(|()| runs);
    }
    unicode_from(text, 0).map(|()| Runs::default())
}

/// Checks the encoding from `start` on.
fn unicode_from(text: &[u8], start: usize) -> Result<(), WireError> {
    let rest = &text[start..];
    // Most texts are plain ASCII, which is seen four times as fast.
    if rest.is_ascii() {
        return Ok(());
    }
    match std::str::from_utf8(rest) {
        Ok(_) => Ok(()),
        Err(error) => Err(WireError::NotJson {
            at: start + error.valid_up_to(),
            detail: "expected UTF-8",
        }),
    }
}

impl<'a> Scanner<'a> {
    /// `runs` are those of the text.
    pub(super) fn new(text: &'a [u8], runs: &'a Runs) -> Self {
        Self {
            text,
            runs,
            at: 0,
            escapes: 0,
        }
    }

    pub(super) fn text(&self) -> &'a [u8] {
        self.text
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Skips whitespace.
    #[inline]
    pub(super) fn blank(&mut self) {
        self.at = self.past_blank(self.at);
    }

    /// Skips whitespace and demands the end of the text.
    pub(super) fn end(&mut self) -> Result<(), WireError> {
        self.blank();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(self.fault("expected the end"))
        }
    }

    /// Scans the value that starts here, whatever its depth.
    pub(super) fn value(&mut self) -> Result<Span, WireError> {
        let start = self.at;
        match self.end_of_value(start) {
            Ok(end) => {
                self.at = end;
                Ok(Span { start, end })
            }
            Err(detail) => Err(self.fault(detail)),
        }
    }

    /// The end of the value at `at`.
    #[inline]
    fn end_of_value(&mut self, at: usize) -> Result<usize, Detail> {
        match self.text.get(at) {
            Some(b'"') => self.string(at),
            Some(b'-' | b'0'..=b'9') => self.number(at),
            Some(b'{' | b'[') => self.end_of_container(at),
            _ => self.word(at),
        }
    }

    /// The end of the container at `at`. What is read is a number in a register, not a member: that halves the time.
    fn end_of_container(&mut self, mut at: usize) -> Result<usize, Detail> {
        let mut nesting = Nesting::default();
        loop {
            match self.text.get(at) {
                Some(b'"') => at = self.string(at)?,
                Some(b'-' | b'0'..=b'9') => at = self.number(at)?,
                Some(b'{') => {
                    at = self.past_blank(at + 1);
                    if self.text.get(at) != Some(&b'}') {
                        (at, _) = self.key(at)?;
                        nesting.push(Container::Object);
                        continue;
                    }
                    at += 1;
                }
                Some(b'[') => {
                    at = self.past_blank(at + 1);
                    if self.text.get(at) != Some(&b']') {
                        nesting.push(Container::Array);
                        continue;
                    }
                    at += 1;
                }
                _ => at = self.word(at)?,
            }
            loop {
                let Some(container) = nesting.top() else {
                    return Ok(at);
                };
                at = self.past_blank(at);
                match (self.text.get(at), container) {
                    (Some(b','), Container::Array) => {
                        at = self.past_blank(at + 1);
                        break;
                    }
                    (Some(b','), Container::Object) => {
                        (at, _) = self.key(self.past_blank(at + 1))?;
                        break;
                    }
                    (Some(b']'), Container::Array) | (Some(b'}'), Container::Object) => {
                        at += 1;
                        nesting.pop();
                    }
                    _ => return self.expected(at, "expected a comma or a closing bracket"),
                }
            }
        }
    }

    /// Scans the object that starts here (the caller has seen its bracket) and shows each member.
    pub(super) fn object(&mut self, mut visit: impl FnMut(Member)) -> Result<(), WireError> {
        if !self.opens(b'}') {
            return Ok(());
        }
        loop {
            let key = match self.key(self.at) {
                Ok((value, key)) => {
                    self.at = value;
                    key
                }
                Err(detail) => return Err(self.fault(detail)),
            };
            let value = self.value()?;
            visit(Member { key, value });
            if !self.comma(b'}')? {
                return Ok(());
            }
        }
    }

    /// Scans the array that starts here (the caller has seen its bracket); `visit` must scan one element.
    pub(super) fn array(
        &mut self,
        mut visit: impl FnMut(&mut Self) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        if !self.opens(b']') {
            return Ok(());
        }
        loop {
            visit(self)?;
            if !self.comma(b']')? {
                return Ok(());
            }
        }
    }

    /// Steps over an opening bracket; false if the container is empty, which is then closed.
    #[inline]
    fn opens(&mut self, close: u8) -> bool {
        self.at += 1;
        self.blank();
        let empty = self.peek() == Some(close);
        self.at += usize::from(empty);
        !empty
    }

    /// Steps over what follows an element: true at the next one, false behind the closing bracket.
    #[inline]
    fn comma(&mut self, close: u8) -> Result<bool, WireError> {
        self.blank();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.blank();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.fault("expected a comma or a closing bracket")),
        }
    }

    /// Scans a key and its colon: where its value begins, and the key.
    #[inline]
    fn key(&mut self, at: usize) -> Result<(usize, Literal), Detail> {
        if self.text.get(at) != Some(&b'"') {
            return self.expected(at, "expected a key");
        }
        let escapes = self.escapes;
        let end = self.string(at)?;
        let key = Literal::new(at + 1, end - 1, self.escapes > escapes);
        let colon = self.past_blank(end);
        if self.text.get(colon) != Some(&b':') {
            return self.expected(colon, "expected a colon");
        }
        Ok((self.past_blank(colon + 1), key))
    }

    /// The end of `true`, `false` or `null`.
    fn word(&mut self, at: usize) -> Result<usize, Detail> {
        let rest = self.text.get(at..).unwrap_or_default();
        let words: [&[u8]; 3] = [b"true", b"false", b"null"];
        match words.iter().find(|word| rest.starts_with(word)) {
            Some(word) => Ok(at + word.len()),
            None => self.expected(at, "expected a value"),
        }
    }

    #[inline]
    fn number(&mut self, mut at: usize) -> Result<usize, Detail> {
        at += usize::from(self.text[at] == b'-');
        if self.text.get(at) == Some(&b'0') {
            at += 1;
        } else {
            at = self.digits(at)?;
        }
        if self.text.get(at) == Some(&b'.') {
            at = self.digits(at + 1)?;
        }
        if let Some(b'e' | b'E') = self.text.get(at) {
            at += 1;
            at += usize::from(matches!(self.text.get(at), Some(b'+' | b'-')));
            at = self.digits(at)?;
        }
        Ok(at)
    }

    /// One digit or more.
    #[inline]
    fn digits(&mut self, start: usize) -> Result<usize, Detail> {
        let mut at = start;
        while let Some(b'0'..=b'9') = self.text.get(at) {
            at += 1;
        }
        if at > start {
            Ok(at)
        } else {
            self.expected(at, "expected a digit")
        }
    }

    /// The end of the string whose opening quote is at `quote`.
    #[inline]
    fn string(&mut self, quote: usize) -> Result<usize, Detail> {
        let start = quote + 1;
        match text::short_string(&self.text[start..]) {
            Some(length) => Ok(start + length + 1),
            None => self.long_string(start),
        }
    }

    /// The end of the string whose text begins at `at`.
    fn long_string(&mut self, mut at: usize) -> Result<usize, Detail> {
        loop {
            at += self.runs.prefix(&self.text[at..], text::plain_prefix);
            match self.text.get(at) {
                Some(b'"') => return Ok(at + 1),
                Some(b'\\') => {
                    self.escapes += 1;
                    at = self.escape(at + 1)?;
                }
                Some(_) => return self.expected(at, "control character in a string"),
                None => return self.expected(at, "unterminated string"),
            }
        }
    }

    /// The end of the escape whose backslash is before `at`.
    fn escape(&mut self, at: usize) -> Result<usize, Detail> {
        match self.text.get(at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
            Some(b'u') => {
                let digits = self.text.get(at + 1..at + 5);
                if digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    Ok(at + 5)
                } else {
                    self.expected(at, "expected four hexadecimal digits")
                }
            }
            _ => self.expected(at, "unknown escape"),
        }
    }

    #[inline]
    fn past_blank(&self, mut at: usize) -> usize {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.text.get(at) {
            at += 1;
        }
        at
    }

    /// What is at `at` is something else.
    #[cold]
    fn expected<T>(&mut self, at: usize, detail: Detail) -> Result<T, Detail> {
        self.at = at;
        Err(detail)
    }

    #[cold]
    fn fault(&self, detail: Detail) -> WireError {
        WireError::NotJson {
            at: self.at,
            detail,
        }
    }
}
