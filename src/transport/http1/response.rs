//! The head of an answer (RFC 9112, sections 4 and 5).

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use httparse::{ParserConfig, Response};

use super::framing::{Chunk, Framing};

/// How many headers an answer may have, and how long they may be together.
const HEADERS: usize = 100;
const LONGEST_HEAD: usize = 400 * 1024;

/// What precedes the body.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) framing: Framing,
    /// Whether the server keeps the connection.
    pub(super) keeps: bool,
}

/// Looks for a head, and remembers how far it has looked.
#[derive(Default)]
pub(super) struct Search(usize);

impl Search {
    /// Takes the head out of what was read; `None`: it is not complete.
    pub(super) fn head(&mut self, buffer: &mut BytesMut) -> Result<Option<Head>, &'static str> {
        while let Some(end) = self.end(buffer) {
            self.0 = 0;
            match parse(&buffer.split_to(end).freeze())? {
                Some(head) if head.status == StatusCode::SWITCHING_PROTOCOLS => {
                    return Err("a switch of protocols that nobody has asked for");
                }
                Some(head) if !head.status.is_informational() => return Ok(Some(head)),
                // What comes before the answer itself is not for us.
                _ => {}
            }
        }
        if buffer.len() > LONGEST_HEAD {
            return Err("a head that is too long");
        }
        Ok(None)
    }

    /// Where the empty line ends: nothing is parsed in vain, however slowly it comes.
    fn end(&mut self, buffer: &[u8]) -> Option<usize> {
        let from = self.0.saturating_sub(3);
        for at in memchr::memchr_iter(b'\n', &buffer[from..]) {
            let line = from + at + 1;
            match &buffer[line..] {
                [b'\n', ..] => return Some(line + 1),
                [b'\r', b'\n', ..] => return Some(line + 2),
                _ => {}
            }
        }
        self.0 = buffer.len();
        None
    }
}

fn parse(head: &Bytes) -> Result<Option<Head>, &'static str> {
    let mut room = [const { MaybeUninit::uninit() }; HEADERS];
    let mut response = Response::new(&mut []);
    let parsed = ParserConfig::default()
        .parse_response_with_uninit_headers(&mut response, head, &mut room)
        .map_err(|_| "an answer that is no HTTP")?;
    if parsed.is_partial() {
        return Ok(None);
    }
    let status = response
        .code
        .and_then(|code| StatusCode::from_u16(code).ok());
    let status = status.ok_or("an answer without a status")?;
    let mut headers = HeaderMap::with_capacity(response.headers.len());
    for header in response.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        // A slice of the head: the value is not copied.
        let value = HeaderValue::from_maybe_shared(head.slice_ref(header.value));
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err("an unusable header");
        };
        headers.append(name, value);
    }
    let (framing, is_framed) = frame(status, &headers)?;
    let keeps = match connection(&headers) {
        Wish::Close => false,
        Wish::Keep => is_framed,
        Wish::Nothing => is_framed && response.version == Some(1),
    };
    Ok(Some(Head {
        status,
        headers,
        framing,
        keeps,
    }))
}

/// How the body ends, and whether anything can follow it.
fn frame(status: StatusCode, headers: &HeaderMap) -> Result<(Framing, bool), &'static str> {
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || status.is_informational()
    {
        return Ok((Framing::Length(0), true));
    }
    let length = length(headers)?;
    if let Some(coding) = headers.get_all(TRANSFER_ENCODING).iter().next_back() {
        let last = coding.as_bytes().rsplit(|byte| *byte == b',').next();
        let is_chunked =
            last.is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
        // Who says both may mean to smuggle something: nothing follows on this connection.
        return Ok(match (is_chunked, length) {
            (true, said) => (Framing::Chunked(Chunk::Size), said.is_none()),
            (false, _) => (Framing::Closing, false),
        });
    }
    Ok(match length {
        Some(length) => (Framing::Length(length), true),
        None => (Framing::Closing, false),
    })
}

fn length(headers: &HeaderMap) -> Result<Option<u64>, &'static str> {
    let mut said = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        for part in value.as_bytes().split(|byte| *byte == b',') {
            let part = part.trim_ascii();
            let digits = !part.is_empty() && part.iter().all(u8::is_ascii_digit);
            let number = std::str::from_utf8(part).ok().filter(|_| digits);
            let number = number.and_then(|text| text.parse().ok());
            let number = number.ok_or("an unusable length")?;
            if said.is_some_and(|said| said != number) {
                return Err("two different lengths");
            }
            said = Some(number);
        }
    }
    Ok(said)
}

enum Wish {
    Keep,
    Close,
    Nothing,
}

fn connection(headers: &HeaderMap) -> Wish {
    let mut wish = Wish::Nothing;
    for value in headers.get_all(CONNECTION) {
        for word in value.as_bytes().split(|byte| *byte == b',') {
            let word = word.trim_ascii();
            if word.eq_ignore_ascii_case(b"close") {
                return Wish::Close;
            }
            if word.eq_ignore_ascii_case(b"keep-alive") {
                wish = Wish::Keep;
            }
        }
    }
    wish
}
