//! The headers that decide what becomes of a message, found in one pass: to look each of them up costs ten times as much.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::protocol::{Era, ProtocolVersion};

/// Names the revision that a message is written in.
pub(super) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// Names the session of a legacy client.
pub(super) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// The method of a modern request.
pub(super) const METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// The name or URI that a modern request is about.
pub(super) const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The media type of a message.
pub(super) const JSON: &str = "application/json";
/// The media type of a stream of messages.
pub(super) const EVENTS: &str = "text/event-stream";
/// What nearly every client accepts.
const USUAL: &str = "application/json, text/event-stream";

/// The headers of one request. Of those that are repeated, the first counts.
pub(super) struct Headers<'a> {
    all: &'a HeaderMap,
    era: Option<Era>,
    content_type: Option<&'a HeaderValue>,
    accept: Option<&'a HeaderValue>,
    version: Option<&'a HeaderValue>,
    session: Option<&'a HeaderValue>,
    method: Option<&'a HeaderValue>,
    name: Option<&'a HeaderValue>,
    last_event: Option<&'a HeaderValue>,
}

impl<'a> Headers<'a> {
    pub(super) fn read(all: &'a HeaderMap) -> Self {
        let mut found = Self {
            all,
            era: None,
            content_type: None,
            accept: None,
            version: None,
            session: None,
            method: None,
            name: None,
            last_event: None,
        };
        for (name, value) in all {
            let place = match name.as_str() {
                "accept" => &mut found.accept,
                "content-type" => &mut found.content_type,
                "mcp-protocol-version" => &mut found.version,
                "mcp-session-id" => &mut found.session,
                "mcp-method" => &mut found.method,
                "mcp-name" => &mut found.name,
                "last-event-id" => &mut found.last_event,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        let version = found.version().and_then(ProtocolVersion::parse);
        found.era = version.map(ProtocolVersion::era);
        found
    }

    /// Whether the body claims to be JSON.
    pub(super) fn is_json(&self) -> bool {
        self.content_type
            .and_then(text)
            .is_some_and(|value| value == JSON || is(essence(value.as_bytes()), JSON))
    }

    /// Which answers the client takes; one that says nothing takes everything.
    pub(super) fn accepts(&self) -> Accepts {
        match self.accept.and_then(text) {
            None | Some(USUAL) => Accepts {
                json: true,
                events: true,
            },
            Some(value) => Accepts {
                json: takes(value, JSON),
                events: takes(value, EVENTS),
            },
        }
    }

    /// The revision that the message is written in, in the words of the client.
    pub(super) fn version(&self) -> Option<&'a str> {
        self.version.and_then(text)
    }

    /// The era of that revision, if it is one that the mux speaks.
    pub(super) fn era(&self) -> Option<Era> {
        self.era
    }

    /// The session of a legacy client.
    pub(super) fn session(&self) -> Option<&'a str> {
        self.session.and_then(text)
    }

    /// The event after which a stream is to go on.
    pub(super) fn last_event(&self) -> Option<&'a str> {
        self.last_event.and_then(text)
    }

    /// The method of a modern request.
    pub(super) fn method(&self) -> Option<&'a str> {
        self.method.and_then(text)
    }

    /// What a modern request is about.
    pub(super) fn name(&self) -> Option<&'a str> {
        self.name.and_then(text)
    }

    /// Any other header.
    pub(super) fn get(&self, name: &HeaderName) -> Option<&'a str> {
        text(self.all.get(name)?)
    }
}

/// Which answers a client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepts {
    /// One message.
    pub(super) json: bool,
    /// A stream of them.
    pub(super) events: bool,
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok().map(str::trim_ascii)
}

/// Whether one of the ranges in `accept` has this media type in it.
fn takes(accept: &str, media_type: &str) -> bool {
    let family = media_type.split('/').next().unwrap_or_default();
    let mut ranges = accept.as_bytes().split(|byte| *byte == b',').map(essence);
    ranges.any(|range| {
        is(range, media_type)
            || range == b"*/*"
            || range
                .strip_suffix(b"/*")
                .is_some_and(|start| is(start, family))
    })
}

fn is(range: &[u8], media_type: &str) -> bool {
    range.eq_ignore_ascii_case(media_type.as_bytes())
}

/// A media type without its parameters.
fn essence(range: &[u8]) -> &[u8] {
    let end = range.iter().position(|byte| *byte == b';');
    range[..end.unwrap_or(range.len())].trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn each_header_is_found_and_the_first_counts() {
        let all = headers(&[
            ("mcp-session-id", " abc\t"),
            ("host", "localhost"),
            ("mcp-protocol-version", "2025-06-18"),
            ("mcp-name", "echo"),
            ("mcp-method", "tools/call"),
            ("last-event-id", "1-2"),
            ("mcp-session-id", "second"),
        ]);
        let found = Headers::read(&all);
        assert_eq!(found.session(), Some("abc"));
        assert_eq!(found.version(), Some("2025-06-18"));
        assert_eq!(found.era(), Some(Era::Legacy));
        assert_eq!(found.name(), Some("echo"));
        assert_eq!(found.method(), Some("tools/call"));
        assert_eq!(found.last_event(), Some("1-2"));
        assert_eq!(found.get(&http::header::HOST), Some("localhost"));
        assert!(!found.is_json());
        let empty = HeaderMap::new();
        let none = Headers::read(&empty);
        assert_eq!((none.session(), none.era()), (None, None));
    }

    #[test]
    fn a_body_is_json_whatever_its_parameters() {
        for (content_type, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/jsonx", false),
            ("text/plain", false),
        ] {
            let all = headers(&[("content-type", content_type)]);
            assert_eq!(Headers::read(&all).is_json(), expected, "{content_type}");
        }
    }

    #[test]
    fn what_a_client_takes() {
        for (accept, json, events) in [
            (USUAL, true, true),
            ("text/event-stream", false, true),
            ("application/json", true, false),
            ("TEXT/Event-Stream;q=0.5 , x/y", false, true),
            ("text/*", false, true),
            ("*/*", true, true),
            ("text/html, application/jsonx", false, false),
            ("", false, false),
        ] {
            let all = headers(&[("accept", accept)]);
            let accepts = Headers::read(&all).accepts();
            assert_eq!(accepts, Accepts { json, events }, "{accept}");
        }
        let silent = HeaderMap::new();
        assert!(Headers::read(&silent).accepts().events);
    }
}
