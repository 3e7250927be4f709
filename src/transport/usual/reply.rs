//! The head of an answer, in the order in which hyper writes it.

use std::time::{SystemTime, UNIX_EPOCH};

use http::StatusCode;
use httpdate::HttpDate;

use super::super::header_line::{length_line, line};
use super::super::reply::{HttpReply, ReplyBody};

/// Whether another request may follow on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    More,
    Nothing,
}

/// Writes the heads of a connection's answers.
#[derive(Default)]
pub(super) struct Heads {
    second: u64,
    date: Vec<u8>,
}

impl Heads {
    /// Appends all that stands before the body.
    pub(super) fn write(&mut self, reply: &HttpReply, after: After, out: &mut Vec<u8>) {
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(reply.status.as_str().as_bytes());
        out.push(b' ');
        let reason = reply.status.canonical_reason().unwrap_or_default();
        out.extend_from_slice(reason.as_bytes());
        out.extend_from_slice(b"\r\n");
        if let Some(content_type) = reply.content_type {
            line("content-type", content_type.as_bytes(), out);
        }
        for (name, value) in &reply.headers {
            line(name.as_str(), value.as_bytes(), out);
        }
        if after == After::Nothing {
            line("connection", b"close", out);
        }
        match &reply.body {
            ReplyBody::Stream(_) => line("transfer-encoding", b"chunked", out),
            ReplyBody::Empty if is_bare(reply.status) => {}
            ReplyBody::Empty => length_line(0, out),
            ReplyBody::Full(body) => length_line(body.len(), out),
        }
        out.extend_from_slice(self.date());
        out.extend_from_slice(b"\r\n");
    }

    /// The line with the date, put together once a second.
    fn date(&mut self) -> &[u8] {
        let now = SystemTime::now();
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.second != since.as_secs() {
            self.second = since.as_secs();
            self.date = format!("date: {}\r\n", HttpDate::from(now)).into_bytes();
        }
        &self.date
    }
}

/// Whether an answer with this status has no body, whatever its headers say (RFC 9110, section 6.4.1).
fn is_bare(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}
