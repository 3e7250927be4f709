//! The one JSON scanner: checks the full grammar of RFC 8259, finds spans, decodes nothing and never recurses.
//!
//! It accepts what `serde_json` accepts as a `RawValue`: any number by grammar, and `\u` escapes without looking at
//! surrogate pairs. UTF-8 is checked by the caller beforehand, since the standard library does that faster in one go.

use std::borrow::Cow;
use std::ops::Range;

use super::WireError;
use super::nesting::{Container, Nesting};
use super::text;

/// A scanner over a text, standing at `at`.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

/// A string literal: the span between its quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Literal {
    start: usize,
    end: usize,
    escaped: bool,
}

/// One member of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    /// Offset of the quote that opens the key.
    pub(super) start: usize,
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

impl Literal {
    /// The decoded string; `text` is what was scanned.
    pub(super) fn decode<'a>(&self, text: &'a [u8]) -> Cow<'a, str> {
        let raw = &text[self.start..self.end];
        if self.escaped {
            text::unescape(raw).text.into()
        } else {
            String::from_utf8_lossy(raw)
        }
    }

    /// The same as bytes, which spares a second look at the encoding.
    pub(super) fn bytes<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let raw = &text[self.start..self.end];
        if self.escaped {
            text::unescape(raw).text.into_bytes().into()
        } else {
            raw.into()
        }
    }

    /// Whether the string decodes to `wanted`.
    pub(super) fn is(&self, text: &[u8], wanted: &str) -> bool {
        *self.bytes(text) == *wanted.as_bytes()
    }
}

/// Checks that `text` is one JSON value in UTF-8 and returns its span without the whitespace around it.
pub(super) fn whole(text: &[u8]) -> Result<Span, WireError> {
    check_utf8(text)?;
    let mut scanner = Scanner::new(text);
    scanner.blank();
    let value = scanner.value()?;
    scanner.end()?;
    Ok(value)
}

/// Checks the encoding of a whole text.
pub(super) fn check_utf8(text: &[u8]) -> Result<(), WireError> {
    match std::str::from_utf8(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(WireError::NotJson {
            at: error.valid_up_to(),
            detail: "expected UTF-8",
        }),
    }
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn text(&self) -> &'a [u8] {
        self.text
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Skips whitespace.
    pub(super) fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
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
        let mut nesting = Nesting::default();
        loop {
            match self.peek() {
                Some(b'{') => {
                    if self.opens(b'}') {
                        self.key()?;
                        nesting.push(Container::Object);
                        continue;
                    }
                }
                Some(b'[') => {
                    if self.opens(b']') {
                        nesting.push(Container::Array);
                        continue;
                    }
                }
                _ => self.scalar()?,
            }
            if !self.more(&mut nesting)? {
                return Ok(Span {
                    start,
                    end: self.at,
                });
            }
        }
    }

    /// Scans the object that starts here (the caller has seen its bracket) and shows each member.
    pub(super) fn object(&mut self, mut visit: impl FnMut(Member)) -> Result<(), WireError> {
        if !self.opens(b'}') {
            return Ok(());
        }
        loop {
            let start = self.at;
            let key = self.key()?;
            let value = self.value()?;
            visit(Member { start, key, value });
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
    fn opens(&mut self, close: u8) -> bool {
        self.at += 1;
        self.blank();
        let empty = self.peek() == Some(close);
        self.at += usize::from(empty);
        !empty
    }

    /// Steps over what follows an element: true at the next one, false behind the closing bracket.
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

    /// After a value: closes containers until one goes on; false if the outermost value is complete.
    fn more(&mut self, nesting: &mut Nesting) -> Result<bool, WireError> {
        while let Some(container) = nesting.top() {
            let close = match container {
                Container::Object => b'}',
                Container::Array => b']',
            };
            if self.comma(close)? {
                if container == Container::Object {
                    self.key()?;
                }
                return Ok(true);
            }
            nesting.pop();
        }
        Ok(false)
    }

    /// Scans a key and its colon up to the value.
    fn key(&mut self) -> Result<Literal, WireError> {
        if self.peek() != Some(b'"') {
            return Err(self.fault("expected a key"));
        }
        let key = self.string()?;
        self.blank();
        if self.peek() != Some(b':') {
            return Err(self.fault("expected a colon"));
        }
        self.at += 1;
        self.blank();
        Ok(key)
    }

    fn scalar(&mut self) -> Result<(), WireError> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => Err(self.fault("expected a value")),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), WireError> {
        if self.text[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.fault("expected a value"))
        }
    }

    fn number(&mut self) -> Result<(), WireError> {
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), WireError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start {
            Ok(())
        } else {
            Err(self.fault("expected a digit"))
        }
    }

    /// Scans the string whose opening quote is here.
    fn string(&mut self) -> Result<Literal, WireError> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += text::plain_prefix(&self.text[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    let end = self.at;
                    self.at += 1;
                    return Ok(Literal {
                        start,
                        end,
                        escaped,
                    });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.fault("control character in a string")),
                None => return Err(self.fault("unterminated string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), WireError> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                let digits = self.text.get(self.at + 1..self.at + 5);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.fault("expected four hexadecimal digits"));
                }
                self.at += 5;
            }
            _ => return Err(self.fault("unknown escape")),
        }
        Ok(())
    }

    #[cold]
    fn fault(&self, detail: &'static str) -> WireError {
        WireError::NotJson {
            at: self.at,
            detail,
        }
    }
}
