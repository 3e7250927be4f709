//! A request, as it is written.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::super::header_line::{length_line, line};
use super::super::http_client::AGENT;
use crate::wire::Pieces;

/// One request. It borrows all that is the same for many.
pub(crate) struct PlainRequest<'a> {
    pub(crate) method: &'a Method,
    /// Path and query.
    pub(crate) target: &'a str,
    /// What [`lines`] made of the headers that many requests share.
    pub(crate) lines: &'a [u8],
    /// Further headers; none of them is in `lines`.
    pub(crate) extra: &'a [(HeaderName, HeaderValue)],
    /// `Authorization`, which is not in `lines` then.
    pub(crate) shown: Option<&'a HeaderValue>,
    pub(crate) body: Option<&'a Pieces>,
}

impl PlainRequest<'_> {
    /// All that stands before the body.
    pub(super) fn write_head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.method.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(self.target.as_bytes());
        out.extend_from_slice(b" HTTP/1.1\r\n");
        out.extend_from_slice(self.lines);
        write_lines(self.extra.iter().map(|(name, value)| (name, value)), out);
        if let Some(shown) = self.shown {
            line(AUTHORIZATION.as_str(), shown.as_bytes(), out);
        }
        if let Some(body) = self.body {
            length_line(body.len(), out);
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// The header lines for a server at `host`, with those that every request has.
pub(crate) fn lines(host: &str, headers: &HeaderMap) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let standard = [(HOST, host), (USER_AGENT, AGENT), (ACCEPT, "*/*")];
    for (name, value) in standard {
        if !headers.contains_key(&name) {
            line(name.as_str(), value.as_bytes(), &mut out);
        }
    }
    write_lines(headers, &mut out);
    out
}

fn write_lines<'a>(
    headers: impl IntoIterator<Item = (&'a HeaderName, &'a HeaderValue)>,
    out: &mut Vec<u8>,
) {
    for (name, value) in headers {
        // How long a body is, only the body says.
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            line(name.as_str(), value.as_bytes(), out);
        }
    }
}
