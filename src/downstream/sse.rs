//! Messages as server-sent events.

use bytes::Bytes;

use crate::wire::SseEvent;

/// The event that carries a message, on one `data` line, with an id where the stream can be resumed.
pub(super) fn message(frame: Bytes, id: Option<String>) -> Bytes {
    let event = SseEvent {
        event: Some("message".to_owned()),
        data: one_line(frame),
        id,
        retry: None,
    };
    event.encode()
}

/// The event that says where the client's messages go to (2024-11-05, "HTTP with SSE").
pub(super) fn endpoint(uri: &str) -> Bytes {
    SseEvent {
        event: Some("endpoint".to_owned()),
        data: Bytes::copy_from_slice(uri.as_bytes()),
        id: None,
        retry: None,
    }
    .encode()
}

/// The event without data that opens a stream which can be resumed (2025-11-25, "Sending messages").
pub(super) fn priming(id: String) -> Bytes {
    SseEvent {
        event: None,
        data: Bytes::new(),
        id: Some(id),
        retry: Some(1_000),
    }
    .encode()
}

/// Tells everybody on the way that the stream lives.
pub(super) fn keep_alive() -> Bytes {
    SseEvent::comment("keep-alive")
}

/// JSON has line breaks between tokens only, where a space means the same.
fn one_line(frame: Bytes) -> Bytes {
    if memchr::memchr2(b'\n', b'\r', &frame).is_none() {
        return frame;
    }
    frame
        .iter()
        .map(|byte| {
            if matches!(byte, b'\n' | b'\r') {
                b' '
            } else {
                *byte
            }
        })
        .collect()
}
