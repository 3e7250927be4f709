//! What HTTP/1.1 messages of both directions share: a start line, headers, and a framed body.

use std::io::{self, BufRead, Read};

/// The start line and the headers of one HTTP message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    /// `POST /mcp HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub(crate) start: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    /// Reads up to the empty line; `None` when the peer has nothing more to say.
    pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let start = match line(from)? {
            Some(text) if !text.is_empty() => text,
            _ => return Ok(None),
        };
        let mut head = Self {
            start,
            headers: Vec::new(),
        };
        loop {
            let text = line(from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if text.is_empty() {
                return Ok(Some(head));
            }
            let (name, value) = text.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
            head.headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// The first header of that name, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        self.headers
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A word of the start line, counted from 0.
    pub(crate) fn word(&self, index: usize) -> &str {
        self.start.split(' ').nth(index).unwrap_or_default()
    }

    /// How the body that follows is delimited.
    pub(crate) fn framing(&self) -> Framing {
        if self
            .header("transfer-encoding")
            .is_some_and(|coding| coding.contains("chunked"))
        {
            return Framing::Chunked;
        }
        match self
            .header("content-length")
            .and_then(|length| length.parse().ok())
        {
            Some(length) => Framing::Length(length),
            None => Framing::Unknown,
        }
    }
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(usize),
    Chunked,
    Unknown,
}

impl Framing {
    /// Reads the next part of the body; empty at its end. `Length` counts down.
    pub(crate) fn part(&mut self, from: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut part = Vec::new();
        match self {
            Self::Length(0) => {}
            Self::Length(left) => {
                from.take((*left).min(64 * 1024) as u64)
                    .read_to_end(&mut part)?;
                if part.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                *left -= part.len();
            }
            Self::Chunked => {
                part = chunk(from)?;
                if part.is_empty() {
                    *self = Self::Length(0);
                }
            }
            Self::Unknown => {
                from.take(64 * 1024).read_to_end(&mut part)?;
            }
        }
        Ok(part)
    }

    /// Reads all that is left of the body.
    pub(crate) fn rest(&mut self, from: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            match self.part(from)? {
                part if part.is_empty() => return Ok(body),
                part => body.extend(part),
            }
        }
    }
}

fn chunk(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let size = line(from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let digits = size.split(';').next().unwrap_or_default();
    let size = usize::from_str_radix(digits.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut data = vec![0; size];
    from.read_exact(&mut data)?;
    match line(from)? {
        Some(end) if end.is_empty() => Ok(data),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if from.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    while bytes
        .last()
        .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
    {
        bytes.pop();
    }
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| io::ErrorKind::InvalidData.into())
}
