//! The head of an answer (RFC 9112, sections 4 and 5).

use std::mem::MaybeUninit;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use httparse::{ParserConfig, Response};

use super::super::alike::{self, Alike};
use super::framing::{Chunk, Framing};

/// How many headers an answer may have, and how long they may be together.
const HEADERS: usize = 100;
const LONGEST_HEAD: usize = 400 * 1024;

/// What precedes the body.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: Arc<HeaderMap>,
    pub(super) framing: Framing,
    /// Whether the server keeps the connection.
    pub(super) keeps: bool,
}

/// Looks for the heads of a connection's answers, and remembers how far it has looked.
#[derive(Default)]
pub(super) struct Search {
    looked: usize,
    known: Option<Known>,
}

/// The head of the last answer. Servers begin one after the other alike, but for the length of the body and, each second,
/// the date: what was made of it serves again.
struct Known {
    text: Alike,
    status: StatusCode,
    headers: Arc<HeaderMap>,
}

/// How long a head is at most that is kept.
const KEPT: usize = 2 * 1024;

impl Search {
    /// Takes the head out of what was read; `None`: it is not complete.
    pub(super) fn head(&mut self, buffer: &mut BytesMut) -> Result<Option<Head>, &'static str> {
        if let Some(head) = self.again(buffer) {
            return Ok(Some(head));
        }
        while let Some(end) = self.end(buffer) {
            self.looked = 0;
            // Of its own, so that what it was read to can be used again.
            let text = Bytes::copy_from_slice(&buffer.split_to(end));
            match parse(&text)? {
                Some((head, _)) if head.status == StatusCode::SWITCHING_PROTOCOLS => {
                    return Err("a switch of protocols that nobody has asked for");
                }
                Some((head, length)) if !head.status.is_informational() => {
                    self.known = Known::of(&head, &text, length);
                    return Ok(Some(head));
                }
                // What comes before the answer itself is not for us.
                _ => {}
            }
        }
        if buffer.len() > LONGEST_HEAD {
            return Err("a head that is too long");
        }
        Ok(None)
    }

    fn again(&self, buffer: &mut BytesMut) -> Option<Head> {
        let known = self.known.as_ref().filter(|_| self.looked == 0)?;
        let ends = known.text.again(buffer)?;
        buffer.advance(ends.head);
        Some(Head {
            status: known.status,
            headers: known.headers.clone(),
            framing: Framing::Length(ends.body as u64),
            keeps: true,
        })
    }

    /// Where the empty line ends: nothing is parsed in vain, however slowly it comes.
    fn end(&mut self, buffer: &[u8]) -> Option<usize> {
        let from = self.looked.saturating_sub(3);
        for at in memchr::memchr_iter(b'\n', &buffer[from..]) {
            let line = from + at + 1;
            match &buffer[line..] {
                [b'\n', ..] => return Some(line + 1),
                [b'\r', b'\n', ..] => return Some(line + 2),
                _ => {}
            }
        }
        self.looked = buffer.len();
        None
    }
}

impl Known {
    /// `length` is the one header that says how long the body is; without that, or where nothing may follow, there is
    /// nothing to be known again.
    fn of(head: &Head, text: &Bytes, length: Option<&[u8]>) -> Option<Self> {
        let length = length.filter(|length| alike::length(length).is_some())?;
        let is_usual = head.keeps && matches!(head.framing, Framing::Length(_));
        (is_usual && head.status == StatusCode::OK && text.len() <= KEPT).then(|| Self {
            text: Alike::new(text.clone(), Some(length)),
            status: head.status,
            headers: head.headers.clone(),
        })
    }
}

/// A head, and what its only header about the length says.
type Parsed<'a> = (Head, Option<&'a [u8]>);

fn parse(head: &Bytes) -> Result<Option<Parsed<'_>>, &'static str> {
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
    let mut lengths = response
        .headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = lengths.next().map(|header| header.value);
    let length = length.filter(|_| lengths.next().is_none());
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
    let head = Head {
        status,
        headers: Arc::new(headers),
        framing,
        keeps,
    };
    Ok(Some((head, length)))
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
