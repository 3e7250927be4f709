//! What our HTTP side answers.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};

use crate::wire::Pieces;

/// One answer.
#[derive(Debug)]
pub struct HttpReply {
    /// The status.
    pub status: StatusCode,
    /// The media type of the body. Nearly every answer has this header, and no other.
    pub content_type: Option<&'static str>,
    /// The other headers; length and date are added.
    pub headers: HeaderMap,
    /// The body.
    pub body: ReplyBody,
}

impl HttpReply {
    /// A status alone.
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            content_type: None,
            headers: HeaderMap::new(),
            body: ReplyBody::Empty,
        }
    }

    /// A body that is complete.
    pub fn full(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self::pieces(status, content_type, body.into().into())
    }

    /// A body that is complete, in pieces.
    pub fn pieces(status: StatusCode, content_type: &'static str, body: Pieces) -> Self {
        Self::of(status, content_type, ReplyBody::Full(body))
    }

    /// A body that comes bit by bit; each item is sent at once.
    pub fn stream(
        status: StatusCode,
        content_type: &'static str,
        stream: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Self {
        Self::of(status, content_type, ReplyBody::Stream(Box::pin(stream)))
    }

    pub(super) fn text(status: StatusCode, text: &str) -> Self {
        Self::full(status, "text/plain; charset=utf-8", format!("{text}\n"))
    }

    fn of(status: StatusCode, content_type: &'static str, body: ReplyBody) -> Self {
        Self {
            status,
            content_type: Some(content_type),
            headers: HeaderMap::new(),
            body,
        }
    }

    /// The answer as hyper sends it. `used` is the memory of headers that nobody needs any more, as a rule those of the
    /// request; hyper takes it over for those of the next one.
    pub(super) fn into_response(self, mut used: HeaderMap) -> Response<ReplyBody> {
        used.clear();
        if let Some(content_type) = self.content_type {
            used.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if !self.headers.is_empty() {
            used.extend(self.headers);
        }
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = used;
        response
    }
}

/// The body of an answer.
pub enum ReplyBody {
    /// None.
    Empty,
    /// All of it.
    Full(Pieces),
    /// What is to come. Dropped when the client disconnects.
    Stream(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Full(body) => f.debug_tuple("Full").field(body).finish(),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        match this {
            Self::Empty => Poll::Ready(None),
            Self::Full(body) => Poll::Ready(body.next().map(|piece| Ok(Frame::data(piece)))),
            Self::Stream(stream) => stream
                .as_mut()
                .poll_next(context)
                .map(|item| item.map(|item| Ok(Frame::data(item)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(body) => body.is_empty(),
            Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(body) => SizeHint::with_exact(body.len() as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}
