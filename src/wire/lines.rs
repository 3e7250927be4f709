//! Frames that end in a newline, as stdio has them.

use bytes::{Buf, Bytes, BytesMut};

use super::WireError;

/// Cuts a byte stream into lines of bounded length. Pure: bytes go in by [`LineDecoder::push`], lines come out by iterating.
///
/// Lines end in LF or CRLF; blank lines are skipped. A line beyond the limit is reported once and skipped up to its newline
/// without being kept, and decoding goes on behind it. The result does not depend on how the stream was cut into chunks.
/// `None` from the iterator means "not yet".
#[derive(Debug)]
pub struct LineDecoder {
    limit: usize,
    buffer: BytesMut,
    /// Up to here the buffer holds no newline.
    searched: usize,
    /// Inside a line that was reported as too long.
    skipping: bool,
}

/// A buffer that grew beyond this for one line is given away with it.
const KEEP: usize = 64 * 1024;

impl LineDecoder {
    /// A decoder for lines of at most `limit` bytes, the line end not counted.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            buffer: BytesMut::new(),
            searched: 0,
            skipping: false,
        }
    }

    /// Takes the next bytes of the stream. Drain the iterator before pushing more, else the limit bounds nothing.
    pub fn push(&mut self, chunk: &[u8]) {
        if !self.skipping {
            self.buffer.extend_from_slice(chunk);
        } else if let Some(at) = memchr::memchr(b'\n', chunk) {
            self.skipping = false;
            self.buffer.extend_from_slice(&chunk[at + 1..]);
        }
    }

    /// At the end of the stream: the last line, if it lacks its newline. Drain the iterator first.
    pub fn finish(&mut self) -> Option<Bytes> {
        self.searched = 0;
        let mut rest = std::mem::take(&mut self.buffer);
        rest.truncate(content(&rest).len());
        (!is_blank(&rest)).then(|| rest.freeze())
    }

    /// Removes the line that ends before the newline at `end`.
    fn take_line(&mut self, end: usize) -> BytesMut {
        let mut line = self.buffer.split_to(end);
        self.buffer.advance(1);
        self.searched = 0;
        if self.buffer.is_empty() && line.len() > KEEP {
            self.buffer = BytesMut::new();
        }
        line.truncate(content(&line).len());
        line
    }

    /// Gives up the line that the buffer begins with, if it is too long already.
    fn give_up(&mut self) -> Option<WireError> {
        self.searched = self.buffer.len();
        if content(&self.buffer).len() <= self.limit {
            return None;
        }
        self.buffer = BytesMut::new();
        self.searched = 0;
        self.skipping = true;
        Some(WireError::TooLarge { limit: self.limit })
    }
}

impl Iterator for LineDecoder {
    type Item = Result<Bytes, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(at) = memchr::memchr(b'\n', &self.buffer[self.searched..]) else {
                return self.give_up().map(Err);
            };
            let line = self.take_line(self.searched + at);
            if line.len() > self.limit {
                return Some(Err(WireError::TooLarge { limit: self.limit }));
            }
            if !is_blank(&line) {
                return Some(Ok(line.freeze()));
            }
        }
    }
}

/// The line without the CR of its CRLF.
fn content(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes the chunks one by one; lines as text, `!` for one that is too long, `…` before the unterminated rest.
    fn lines(limit: usize, chunks: &[&str]) -> Vec<String> {
        let mut decoder = LineDecoder::new(limit);
        let mut lines = Vec::new();
        for chunk in chunks {
            decoder.push(chunk.as_bytes());
            for line in &mut decoder {
                lines.push(match line {
                    Ok(line) => String::from_utf8(line.into()).unwrap(),
                    Err(error) => {
                        assert_eq!(error, WireError::TooLarge { limit });
                        "!".to_owned()
                    }
                });
            }
        }
        let rest = decoder.finish();
        lines.extend(rest.map(|rest| format!("…{}", String::from_utf8(rest.into()).unwrap())));
        lines
    }

    #[test]
    fn lines_end_in_lf_or_crlf() {
        assert_eq!(lines(9, &["one\ntwo\r\nthree\n"]), ["one", "two", "three"]);
        assert_eq!(lines(9, &["o", "ne\r", "\ntw", "o\n"]), ["one", "two"]);
    }

    #[test]
    fn blank_lines_are_skipped() {
        assert_eq!(lines(9, &["\n\r\n \t\na\n\n"]), ["a"]);
        assert_eq!(lines(9, &["a\n \r"]), ["a"]);
    }

    #[test]
    fn the_rest_is_handed_out_at_the_end() {
        assert_eq!(lines(9, &["a\nb", "c\r"]), ["a", "…bc"]);
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit() {
        assert_eq!(
            lines(3, &["abc\nabc\r\nabc\r", "\nabc\r"]),
            ["abc", "abc", "abc", "…abc"]
        );
        assert_eq!(
            lines(3, &["abcd\nx\n", "abc\rd", "\ny\n"]),
            ["!", "x", "!", "y"]
        );
    }

    #[test]
    fn an_overlong_line_is_reported_once_and_not_kept() {
        let mut decoder = LineDecoder::new(3);
        decoder.push(b"abcd");
        assert_eq!(decoder.next(), Some(Err(WireError::TooLarge { limit: 3 })));
        for _ in 0..100 {
            decoder.push(&[b'x'; 1000]);
            assert_eq!(decoder.next(), None);
        }
        assert_eq!(decoder.buffer.capacity(), 0);
        decoder.push(b"x\nok\n");
        assert_eq!(decoder.next(), Some(Ok(Bytes::from_static(b"ok"))));
        assert_eq!(decoder.next(), None);
    }

    #[test]
    fn a_big_line_takes_its_memory_along() {
        let mut decoder = LineDecoder::new(usize::MAX);
        decoder.push(&vec![b'x'; 2 * KEEP]);
        decoder.push(b"\n");
        assert_eq!(decoder.next().unwrap().unwrap().len(), 2 * KEEP);
        assert_eq!(decoder.buffer.capacity(), 0);
    }
}
