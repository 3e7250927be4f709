//! From a frame to messages, in one pass.

use bytes::Bytes;

use super::runs::Runs;
use super::scan::{self, Scanner};
use super::span::{Literal, Member, Span};
use super::text;
use super::{
    Json, JsonKind, Malformed, MalformedKind, Message, Notification, Request, RequestId, Response,
    WireError,
};

/// The most messages that a batch may hold, so that a small frame cannot become a huge list.
pub const MAX_BATCH: usize = 1_000;

/// What one frame carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One message.
    One(Message),
    /// A batch (JSON-RPC 2.0 section 6) of 1 to [`MAX_BATCH`] elements, each good or bad for itself.
    Batch(Vec<Result<Message, Malformed>>),
}

impl Frame {
    /// Reads a frame: one scan, whatever its depth; payloads are slices of it and nothing but id and method is decoded.
    ///
    /// Members that JSON-RPC does not know are skipped. A `\u` escape of half a surrogate pair is let through in a payload
    /// and reads as U+FFFD in a method.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a frame is handed over, its slices outlive it"
    )]
    pub fn parse(frame: Bytes) -> Result<Self, Malformed> {
        let (found, runs) = scan_frame(&frame).map_err(|error| Malformed {
            id: None,
            kind: MalformedKind::Parse,
            detail: error.to_string(),
        })?;
        match found {
            Found::Envelope(envelope) => envelope.message(&frame, &runs).map(Self::One),
            Found::Scalar => Err(invalid(None, "a message is an object")),
            Found::Batch { length: 0, .. } => Err(invalid(None, "the batch is empty")),
            Found::Batch { length, .. } if length > MAX_BATCH => Err(invalid(
                None,
                &format!("a batch of more than {MAX_BATCH} messages"),
            )),
            Found::Batch { elements, .. } => {
                let message = |element: Option<Envelope>| match element {
                    Some(envelope) => envelope.message(&frame, &runs),
                    None => Err(invalid(None, "a message is an object")),
                };
                Ok(Self::Batch(elements.into_iter().map(message).collect()))
            }
        }
    }
}

/// The spans of a frame.
enum Found {
    Envelope(Envelope),
    Scalar,
    /// `None` stands for an element that is no object; elements beyond the limit are only counted.
    Batch {
        length: usize,
        elements: Vec<Option<Envelope>>,
    },
}

fn scan_frame(text: &[u8]) -> Result<(Found, Runs), WireError> {
    let runs = scan::check_utf8(text)?;
    let mut scanner = Scanner::new(text, &runs);
    scanner.blank();
    let found = match scanner.peek() {
        Some(b'{') => Found::Envelope(Envelope::scan(&mut scanner)?),
        Some(b'[') => scan_batch(&mut scanner)?,
        _ => {
            scanner.value()?;
            Found::Scalar
        }
    };
    scanner.end()?;
    Ok((found, runs))
}

fn scan_batch(scanner: &mut Scanner<'_>) -> Result<Found, WireError> {
    let mut length = 0;
    let mut elements = Vec::new();
    scanner.array(|scanner| {
        length += 1;
        if length > MAX_BATCH {
            scanner.value()?;
        } else if scanner.peek() == Some(b'{') {
            elements.push(Some(Envelope::scan(scanner)?));
        } else {
            scanner.value()?;
            elements.push(None);
        }
        Ok(())
    })?;
    Ok(Found::Batch { length, elements })
}

/// Where the members of a message are.
#[derive(Default)]
struct Envelope {
    version: Option<Span>,
    id: Option<Span>,
    method: Option<Span>,
    params: Option<Span>,
    result: Option<Span>,
    error: Option<Span>,
    /// The name of a member that occurs twice.
    repeated: Option<&'static str>,
}

impl Envelope {
    /// Scans the object that starts here.
    fn scan(scanner: &mut Scanner<'_>) -> Result<Self, WireError> {
        let mut envelope = Self::default();
        let text = scanner.text();
        scanner.object(|member| envelope.note(text, &member))?;
        Ok(envelope)
    }

    fn note(&mut self, text: &[u8], member: &Member) {
        let Some((name, slot)) = self.slot(text, &member.key) else {
            return;
        };
        if slot.replace(member.value).is_some() {
            // A repeated id outranks others: it must not be read.
            if self.repeated != Some("id") {
                self.repeated = Some(name);
            }
        }
    }

    fn slot(&mut self, text: &[u8], key: &Literal) -> Option<(&'static str, &mut Option<Span>)> {
        let key = key.bytes(text);
        Some(match (key.len(), &*key) {
            (7, b"jsonrpc") => ("jsonrpc", &mut self.version),
            (2, b"id") => ("id", &mut self.id),
            (6, b"method") => ("method", &mut self.method),
            (6, b"params") => ("params", &mut self.params),
            (6, b"result") => ("result", &mut self.result),
            (5, b"error") => ("error", &mut self.error),
            _ => return None,
        })
    }

    /// Makes the message, or says why it is none.
    fn message(&self, frame: &Bytes, runs: &Runs) -> Result<Message, Malformed> {
        let read = |span: Span| &frame[span.range()];
        let cut = |span: Span| Json::scanned(frame.slice(span.range()), runs);
        let id = match self.repeated {
            Some("id") => None,
            _ => self.id.map(read).and_then(RequestId::read),
        };
        let refuse = |detail: &str| Err(invalid(id.clone(), detail));
        if let Some(name) = self.repeated {
            return refuse(&format!("`{name}` occurs twice"));
        }
        if !self.version.map(read).is_some_and(is_two) {
            return refuse("`jsonrpc` is not \"2.0\"");
        }
        let null_id = self.id.map(read) == Some(b"null");
        if id.is_none() && self.id.is_some() && !null_id {
            return refuse("`id` is neither a string nor a number");
        }
        let Some(method) = self.method.map(read) else {
            return self.response(id, cut);
        };
        let Some(method) = text::decode(method) else {
            return refuse("`method` is not a string");
        };
        if self.result.is_some() || self.error.is_some() {
            return refuse("a message with a method has no result");
        }
        let (method, params) = (method.into(), self.params.map(cut));
        match id {
            Some(id) => Ok(Request { id, method, params }.into()),
            None if null_id => Err(invalid(None, "the `id` of a request is null")),
            None => Ok(Notification { method, params }.into()),
        }
    }

    fn response(
        &self,
        id: Option<RequestId>,
        cut: impl Fn(Span) -> Json,
    ) -> Result<Message, Malformed> {
        let body = match (self.result.map(&cut), self.error.map(&cut)) {
            (Some(result), None) => Ok(result),
            (None, Some(error)) => Err(error),
            (Some(_), Some(_)) => return Err(invalid(id, "both `result` and `error`")),
            (None, None) => return Err(invalid(id, "neither `method`, `result` nor `error`")),
        };
        match &body {
            Ok(_) if id.is_none() => Err(invalid(None, "a result without an id")),
            Err(error) if error.kind() != JsonKind::Object => {
                Err(invalid(id, "`error` is not an object"))
            }
            _ => Ok(Response { id, body }.into()),
        }
    }
}

/// Whether this is the version of JSON-RPC, as nearly always without escapes.
fn is_two(version: &[u8]) -> bool {
    version == b"\"2.0\"" || text::decode(version).as_deref() == Some("2.0")
}

fn invalid(id: Option<RequestId>, detail: &str) -> Malformed {
    Malformed {
        id,
        kind: MalformedKind::Invalid,
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
