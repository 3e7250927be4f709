//! Server-Sent Events: one event, and how it is written.

use bytes::Bytes;

/// One event of a `text/event-stream` (WHATWG HTML, section 9.2).
///
/// An event may carry only an id or a reconnection time: it is not for the application, but tells where to resume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// The event type; `None` means `message`.
    pub event: Option<String>,
    /// The payload, its lines joined by LF; empty if there is none.
    pub data: Bytes,
    /// What to send as `Last-Event-ID` when reconnecting.
    pub id: Option<String>,
    /// How long to wait before reconnecting, in milliseconds.
    pub retry: Option<u64>,
}

impl SseEvent {
    /// Whether it is of the type `message`, and carries one.
    pub fn is_message(&self) -> bool {
        let named = self.event.as_deref().unwrap_or("message");
        named == "message" && !self.data.is_empty()
    }

    /// The event as bytes of the stream, ready to be sent.
    ///
    /// Each line of the data becomes a field, so that a CR in it arrives as LF (outside of JSON strings both are blank).
    /// Line ends in type and id, and NUL in the id, cannot be expressed and are left out.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.data.len() + 64);
        if let Some(event) = &self.event {
            text_field(b"event: ", event, &mut out);
        }
        if let Some(id) = &self.id {
            text_field(b"id: ", &id.replace('\0', ""), &mut out);
        }
        if let Some(retry) = self.retry {
            text_field(b"retry: ", &retry.to_string(), &mut out);
        }
        // With an id, clients expect an empty `data` (it primes them); a lone `retry` needs none.
        if !self.data.is_empty() || self.id.is_some() || self.retry.is_none() {
            each_line(&self.data, |line| field(b"data: ", line, &mut out));
        }
        out.push(b'\n');
        out.into()
    }

    /// A comment, which receivers ignore; keeps an idle stream open.
    pub fn comment(text: &str) -> Bytes {
        let mut out = Vec::with_capacity(text.len() + 4);
        each_line(text.as_bytes(), |line| field(b": ", line, &mut out));
        out.push(b'\n');
        out.into()
    }
}

fn text_field(name: &[u8], text: &str, out: &mut Vec<u8>) {
    field(name, text.replace(['\r', '\n'], "").as_bytes(), out);
}

fn field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(value);
    out.push(b'\n');
}

/// Shows what stands between line ends of any kind.
fn each_line(text: &[u8], mut visit: impl FnMut(&[u8])) {
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'\r', b'\n', rest) {
        visit(&rest[..at]);
        let end = if rest[at..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
        rest = &rest[at + end..];
    }
    visit(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_field() {
        let event = SseEvent {
            data: Bytes::from_static(b"{\"a\":1}"),
            ..SseEvent::default()
        };
        assert_eq!(event.encode(), "data: {\"a\":1}\n\n");
    }

    #[test]
    fn all_fields_are_written() {
        let event = SseEvent {
            event: Some("a\r\n\0b".to_owned()),
            data: Bytes::from_static(b" x\r\ny\rz\n"),
            id: Some("1\n\0".to_owned()),
            retry: Some(5),
        };
        let expected = "event: a\0b\nid: 1\nretry: 5\ndata:  x\ndata: y\ndata: z\ndata: \n\n";
        assert_eq!(event.encode(), expected);
    }

    #[test]
    fn an_event_without_payload_primes_or_sets_the_reconnection_time() {
        let prime = SseEvent {
            id: Some("7".to_owned()),
            ..SseEvent::default()
        };
        assert_eq!(prime.encode(), "id: 7\ndata: \n\n");
        let retry = SseEvent {
            retry: Some(500),
            ..SseEvent::default()
        };
        assert_eq!(retry.encode(), "retry: 500\n\n");
    }

    #[test]
    fn a_comment_is_ended_by_a_blank_line() {
        assert_eq!(SseEvent::comment("ping\nx"), ": ping\n: x\n\n");
        assert_eq!(SseEvent::comment(""), ": \n\n");
    }
}
