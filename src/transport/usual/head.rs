//! The head of a request, if there is nothing special about it (RFC 9112, sections 3 to 6).

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use httparse::{ParserConfig, Request, Status};

use super::super::alike::{self, Alike};

const END: &[u8] = b"\r\n\r\n";
/// How many headers a usual request has at most.
const HEADERS: usize = 48;

/// The head of a request. Clients begin every one alike, so it is kept to be known again.
pub(super) struct Head {
    pub(super) text: Alike,
    pub(super) method: Method,
    pub(super) target: Uri,
    /// All but the length of the body.
    pub(super) headers: HeaderMap,
}

impl Head {
    /// The head of a usual request at the start of what was read. `None`: it is not complete, or not usual, or wrong.
    pub(super) fn usual(read: &[u8]) -> Option<Self> {
        let end = memchr::memmem::find(read, END)? + END.len();
        // Of its own, so that what it was read to can be used again.
        let text = Bytes::copy_from_slice(&read[..end]);
        let mut room = [const { MaybeUninit::uninit() }; HEADERS];
        let mut request = Request::new(&mut []);
        let parsed = ParserConfig::default().parse_request_with_uninit_headers(
            &mut request,
            &text,
            &mut room,
        );
        if parsed != Ok(Status::Complete(end)) || request.version != Some(1) {
            return None;
        }
        let method = match request.method? {
            "POST" => Method::POST,
            "GET" => Method::GET,
            "DELETE" => Method::DELETE,
            _ => return None,
        };
        let path = request.path.filter(|path| path.starts_with('/'))?;
        let target = Uri::from_maybe_shared(text.slice_ref(path.as_bytes())).ok()?;
        let mut headers = HeaderMap::with_capacity(request.headers.len());
        let mut length = None;
        for header in request.headers.iter() {
            let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
            match name {
                CONTENT_LENGTH if length.is_none() => {
                    alike::length(header.value)?;
                    length = Some(header.value);
                    continue;
                }
                CONNECTION if header.value.eq_ignore_ascii_case(b"keep-alive") => {}
                CONTENT_LENGTH | CONNECTION | TRANSFER_ENCODING | UPGRADE | EXPECT => return None,
                _ => {}
            }
            // A slice of the head: the value is not copied.
            let value = HeaderValue::from_maybe_shared(text.slice_ref(header.value)).ok()?;
            headers.append(name, value);
        }
        Some(Self {
            text: Alike::new(text.clone(), length),
            method,
            target,
            headers,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual(text: &str) -> Option<Head> {
        Head::usual(text.as_bytes())
    }

    #[test]
    fn a_usual_head_is_read() {
        let lines = "POST /mcp?a=b HTTP/1.1\r\nHost: x\r\nConnection: Keep-Alive\r\nX: 1\r\nContent-Length: 007\r\nx: 2\r\n\r\n";
        let text = format!("{lines}body");
        let head = usual(&text).unwrap();
        assert_eq!(head.method, Method::POST);
        assert_eq!(head.target, "/mcp?a=b");
        let all: Vec<_> = head.headers.get_all("x").iter().collect();
        assert_eq!(all, ["1", "2"]);
        let ends = head.text.again(text.as_bytes()).unwrap();
        assert_eq!((ends.head, ends.body), (lines.len(), 7));
        let bare = "GET / HTTP/1.1\r\n\r\n";
        let ends = usual(bare).unwrap().text.again(bare.as_bytes()).unwrap();
        assert_eq!((ends.head, ends.body), (bare.len(), 0));
    }

    #[test]
    fn what_is_special_or_wrong_is_not_usual() {
        let line = "POST / HTTP/1.1";
        for (line, header) in [
            (line, "Transfer-Encoding: chunked"),
            (line, "Transfer-Encoding: chunked\r\nContent-Length: 1"),
            (line, "Content-Length: 1\r\nContent-Length: 1"),
            (line, "Content-Length: 1\r\ncontent-length: 2"),
            (line, "Content-Length: 1, 1"),
            (line, "Content-Length: +1"),
            (line, "Content-Length: -1"),
            (line, "Content-Length: 0x1"),
            (line, "Content-Length:"),
            (line, "A: b\n\nGET / HTTP/1.1"),
            (line, "Content-Length: 99999999999999999999"),
            (line, "Connection: close"),
            (line, "Connection: keep-alive, upgrade"),
            (line, "Upgrade: websocket"),
            (line, "Expect: 100-continue"),
            (line, "Bad Name: x"),
            (line, "A: b\r\n folded"),
            (line, "Nul: \0"),
            ("POST / HTTP/1.0", "A: b"),
            ("POST / HTTP/2.0", "A: b"),
            ("HEAD / HTTP/1.1", "A: b"),
            ("CONNECT x:1 HTTP/1.1", "A: b"),
            ("OPTIONS * HTTP/1.1", "A: b"),
            ("GET http://x/ HTTP/1.1", "A: b"),
            ("GET  HTTP/1.1", "A: b"),
            ("GET /\u{1} HTTP/1.1", "A: b"),
        ] {
            assert!(
                usual(&format!("{line}\r\n{header}\r\n\r\n")).is_none(),
                "{line} {header}"
            );
        }
        assert!(usual("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").is_none());
        assert!(usual("POST / HTTP/1.1\r\nHost: x\r\n").is_none());
        let many = "a: b\r\n".repeat(HEADERS + 1);
        assert!(usual(&format!("{line}\r\n{many}\r\n")).is_none());
    }
}
