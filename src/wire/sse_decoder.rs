//! Server-Sent Events: reading a stream.

use bytes::{Buf, Bytes, BytesMut};

use super::{SseEvent, WireError};

/// Cuts a `text/event-stream` into events. Pure: bytes go in by [`SseDecoder::push`], events come out by iterating.
///
/// Follows WHATWG HTML section 9.2.6, but also reports events that have an id or a reconnection time and no data, as
/// priming events do. An event whose data, or one of whose lines, is beyond the limit is reported once and left out;
/// decoding goes on behind it. The result does not depend on how the stream was cut into chunks. `None` from the iterator
/// means "not yet"; an event that is not complete when the stream ends is void.
#[derive(Debug)]
pub struct SseDecoder {
    limit: usize,
    buffer: BytesMut,
    /// Up to here the buffer holds no line end.
    searched: usize,
    before: Before,
    /// Inside a line that is too long to be kept.
    skipping: bool,
    event: Partial,
}

/// What precedes the buffer.
#[derive(Debug, PartialEq, Eq)]
enum Before {
    /// Nothing: there may be a byte order mark.
    Start,
    /// A CR that ended a line: an LF belongs to it.
    Cr,
    Other,
}

enum Line {
    Text(Bytes),
    TooLong,
}

/// The event that is being received.
#[derive(Debug, Default)]
struct Partial {
    event: Option<String>,
    data: Data,
    id: Option<String>,
    retry: Option<u64>,
    /// Reported as too large: what follows of it is ignored.
    refused: bool,
}

/// The usual single line of data stays a slice.
#[derive(Debug, Default)]
enum Data {
    #[default]
    None,
    One(Bytes),
    Many(Vec<u8>),
}

/// Room on a line for the longest field name beside the data.
const FIELD: usize = "event: ".len();
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl SseDecoder {
    /// A decoder for events with at most `limit` bytes of data.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            buffer: BytesMut::new(),
            searched: 0,
            before: Before::Start,
            skipping: false,
            event: Partial::default(),
        }
    }

    /// Takes the next bytes of the stream. Drain the iterator before pushing more, else the limit bounds nothing.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next line that is not to be skipped, if it is complete or too long.
    fn line(&mut self) -> Option<Line> {
        loop {
            self.join_crlf();
            let Some(at) = memchr::memchr2(b'\r', b'\n', &self.buffer[self.searched..]) else {
                return self.give_up();
            };
            let line = self.take_line(self.searched + at);
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            if line.len() <= self.limit.saturating_add(FIELD) {
                return Some(Line::Text(line));
            }
            if !is_comment(&line) {
                return Some(Line::TooLong);
            }
        }
    }

    /// Drops the LF of a CRLF whose CR has ended a line already.
    fn join_crlf(&mut self) {
        if self.before == Before::Cr && !self.buffer.is_empty() {
            self.before = Before::Other;
            if self.buffer[0] == b'\n' {
                self.buffer.advance(1);
            }
        }
    }

    /// Removes the line that ends before the line end at `end`.
    fn take_line(&mut self, end: usize) -> Bytes {
        let mut line = self.buffer.split_to(end).freeze();
        if self.before == Before::Start && line.starts_with(BYTE_ORDER_MARK) {
            line.advance(BYTE_ORDER_MARK.len());
        }
        self.before = if self.buffer[0] == b'\r' {
            Before::Cr
        } else {
            Before::Other
        };
        self.buffer.advance(1);
        self.searched = 0;
        line
    }

    /// Forgets an incomplete line that is too long already; a comment nobody misses.
    fn give_up(&mut self) -> Option<Line> {
        self.searched = self.buffer.len();
        let line = match self.before {
            Before::Start => self
                .buffer
                .strip_prefix(BYTE_ORDER_MARK)
                .unwrap_or(&self.buffer),
            _ => &self.buffer,
        };
        let too_long = line.len() > self.limit.saturating_add(FIELD);
        let report = too_long && !self.skipping && !is_comment(line);
        if too_long || self.skipping {
            self.skipping = true;
            self.before = Before::Other;
            self.buffer = BytesMut::new();
            self.searched = 0;
        }
        report.then_some(Line::TooLong)
    }
}

impl Iterator for SseDecoder {
    type Item = Result<SseEvent, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.line()? {
                Line::Text(line) if line.is_empty() => {
                    if let Some(event) = std::mem::take(&mut self.event).complete() {
                        return Some(Ok(event));
                    }
                }
                Line::Text(line) if self.event.take(&line, self.limit) => {}
                _ => {
                    if self.event.refuse() {
                        return Some(Err(WireError::TooLarge { limit: self.limit }));
                    }
                }
            }
        }
    }
}

impl Partial {
    /// Takes one line; false if the event becomes too large by it.
    fn take(&mut self, line: &Bytes, limit: usize) -> bool {
        if self.refused || is_comment(line) {
            return true;
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let mut value = line.slice((colon + 1).min(line.len())..);
        if value.first() == Some(&b' ') {
            value.advance(1);
        }
        match &line[..colon] {
            b"data" => return self.data.append(value, limit),
            b"event" => self.event = Some(lossy(&value)),
            b"id" if !value.contains(&0) => self.id = Some(lossy(&value)),
            b"retry" => self.retry = milliseconds(&value).or(self.retry),
            _ => {}
        }
        true
    }

    /// Marks the event as too large and frees what it holds; false if that has been reported.
    fn refuse(&mut self) -> bool {
        !std::mem::replace(
            self,
            Self {
                refused: true,
                ..Self::default()
            },
        )
        .refused
    }

    /// What the blank line makes of it.
    fn complete(self) -> Option<SseEvent> {
        let data = match self.data {
            Data::None if self.id.is_none() && self.retry.is_none() => return None,
            Data::None => Bytes::new(),
            Data::One(line) => line,
            Data::Many(lines) => lines.into(),
        };
        Some(SseEvent {
            event: self.event,
            data,
            id: self.id,
            retry: self.retry,
        })
    }
}

impl Data {
    /// Appends a line; false if the data would exceed `limit` bytes.
    fn append(&mut self, line: Bytes, limit: usize) -> bool {
        let length = match self {
            Self::None => line.len(),
            Self::One(first) => first.len() + 1 + line.len(),
            Self::Many(lines) => lines.len() + 1 + line.len(),
        };
        if length > limit {
            return false;
        }
        let mut lines = match std::mem::take(self) {
            Self::None => {
                *self = Self::One(line);
                return true;
            }
            Self::One(first) => first.to_vec(),
            Self::Many(lines) => lines,
        };
        lines.push(b'\n');
        lines.extend_from_slice(&line);
        *self = Self::Many(lines);
        true
    }
}

fn is_comment(line: &[u8]) -> bool {
    line.first() == Some(&b':')
}

fn lossy(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// Digits only, as the specification demands.
fn milliseconds(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value)
        .ok()
        .filter(|_| digits)?
        .parse()
        .ok()
}

#[cfg(test)]
#[path = "sse_decoder_tests.rs"]
mod tests;
