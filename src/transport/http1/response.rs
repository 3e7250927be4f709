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
    let mut said = Said::default();
    for header in response.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        // A slice of the head: the value is not copied.
        let value = HeaderValue::from_maybe_shared(head.slice_ref(header.value));
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err("an unusable header");
        };
        said.note(&name, value.as_bytes())?;
        headers.append(name, value);
    }
    let (framing, is_framed) = said.framing(status);
    let keeps = match said.wish {
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

/// What the headers say about the body and the connection.
#[derive(Default)]
struct Said {
    length: Option<u64>,
    coding: Option<Coding>,
    wish: Wish,
}

#[derive(Clone, Copy)]
enum Coding {
    Chunked,
    Other,
}

#[derive(Default)]
enum Wish {
    Keep,
    Close,
    #[default]
    Nothing,
}

impl Said {
    fn note(&mut self, name: &HeaderName, value: &[u8]) -> Result<(), &'static str> {
        let mut words = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        if *name == CONTENT_LENGTH {
            words.try_for_each(|word| self.length(word))?;
        } else if *name == TRANSFER_ENCODING {
            let last = words.next_back().unwrap_or_default();
            self.coding = Some(if last.eq_ignore_ascii_case(b"chunked") {
                Coding::Chunked
            } else {
                Coding::Other
            });
        } else if *name == CONNECTION {
            for word in words {
                if word.eq_ignore_ascii_case(b"close") {
                    self.wish = Wish::Close;
                } else if word.eq_ignore_ascii_case(b"keep-alive")
                    && !matches!(self.wish, Wish::Close)
                {
                    self.wish = Wish::Keep;
                }
            }
        }
        Ok(())
    }

    fn length(&mut self, word: &[u8]) -> Result<(), &'static str> {
        let digits = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(word).ok().filter(|_| digits);
        let number = number.and_then(|text| text.parse().ok());
        let number = number.ok_or("an unusable length")?;
        if self.length.is_some_and(|said| said != number) {
            return Err("two different lengths");
        }
        self.length = Some(number);
        Ok(())
    }

    /// How the body ends, and whether anything can follow it.
    fn framing(&self, status: StatusCode) -> (Framing, bool) {
        let is_bare = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if is_bare || status.is_informational() {
            return (Framing::Length(0), true);
        }
        match (self.coding, self.length) {
            // Who says both may mean to smuggle something: nothing follows on this connection.
            (Some(Coding::Chunked), length) => (Framing::Chunked(Chunk::Size), length.is_none()),
            (None, Some(length)) => (Framing::Length(length), true),
            (Some(Coding::Other), _) | (None, None) => (Framing::Closing, false),
        }
    }
}
