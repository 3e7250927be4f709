//! One connection: what is being written, and what was read.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;

use super::super::place::Place;
use super::PlainRequest;
use super::response::{Head, Search};
use crate::wire::Pieces;

/// How much is read at once, at first and at most: more where the server fills it.
const AT_ONCE: usize = 8 * 1024;
const AT_ONCE_MOST: usize = 256 * 1024;
/// With less room than this, more is made before reading.
const LITTLE: usize = 1024;
/// How many parts of a request are written at a time: its head, and of a big one what is around and between its edits.
const AT_A_TIME: usize = 6;

/// A connection that carries one exchange at a time.
pub(super) struct Wire {
    stream: TcpStream,
    /// What was read and not used yet.
    pub(super) buffer: BytesMut,
    at_once: usize,
    search: Search,
    /// The head of the request, and how much of it has left.
    head: Vec<u8>,
    sent: usize,
    /// What has not left of its body.
    body: Pieces,
    /// Whether any of the request has left.
    began: bool,
    /// The server takes no more of the request. It may have answered all the same.
    refused: Option<io::Error>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            at_once: AT_ONCE,
            search: Search::default(),
            head: Vec::new(),
            sent: 0,
            body: Pieces::default(),
            began: false,
            refused: None,
        }
    }

    /// Whether the server has kept an idle connection open, and said nothing unasked.
    pub(super) fn is_alive(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        self.buffer.is_empty() && self.poll_read(&mut context).is_pending()
    }

    /// Whether another exchange can follow, the answer to this one having been read.
    pub(super) fn is_clean(&self) -> bool {
        !self.is_writing() && self.refused.is_none() && self.buffer.is_empty()
    }

    /// Frees what a large answer took.
    pub(super) fn rest(&mut self) {
        if self.at_once > AT_ONCE {
            self.at_once = AT_ONCE;
            self.buffer = BytesMut::new();
        }
        if self.head.capacity() > AT_ONCE {
            self.head = Vec::new();
        }
    }

    /// Puts a request on its way. It leaves while the answer is read.
    pub(super) fn ask(&mut self, request: &PlainRequest<'_>) {
        self.head.clear();
        request.write_head(&mut self.head);
        self.sent = 0;
        self.began = false;
        self.body = request.body.cloned().unwrap_or_default();
    }

    /// Whether it is certain that nothing of the request has left.
    pub(super) fn never_began(&self) -> bool {
        !self.began
    }

    /// Reads more into the buffer, and gives how much; 0 at the end of the stream. Cancel safe.
    pub(super) async fn fill(&mut self) -> io::Result<usize> {
        poll_fn(|cx| {
            self.write_on(cx);
            self.poll_read(cx)
        })
        .await
    }

    /// Takes the head of the answer out of the buffer; `None`: it is not complete. An error says what is wrong.
    pub(super) fn head(&mut self) -> Result<Option<Head>, &'static str> {
        self.search.head(&mut self.buffer)
    }

    /// As [`fill`](Self::fill), for bytes that have their place elsewhere.
    pub(super) async fn fill_into(&mut self, place: &mut Place) -> io::Result<usize> {
        poll_fn(|cx| {
            self.write_on(cx);
            place.poll_fill(&mut self.stream, cx)
        })
        .await
    }

    /// What ended the exchange before its answer: the end of the stream, or that the server took nothing more.
    pub(super) fn why(&mut self) -> Option<io::Error> {
        self.refused.take()
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let room = self.buffer.capacity() - self.buffer.len();
        if room < LITTLE {
            self.buffer.reserve(self.at_once);
        }
        let room = self.buffer.capacity() - self.buffer.len();
        let read = ready!(pin!(self.stream.read_buf(&mut self.buffer)).poll(cx))?;
        if read == room {
            self.at_once = (self.at_once * 2).min(AT_ONCE_MOST);
        }
        Poll::Ready(Ok(read))
    }

    fn is_writing(&self) -> bool {
        self.sent < self.head.len() || !self.body.is_empty()
    }

    /// Writes as much of the request as the server takes now.
    fn write_on(&mut self, cx: &mut Context<'_>) {
        while self.is_writing() {
            let mut slices = [IoSlice::new(&[]); AT_A_TIME];
            slices[0] = IoSlice::new(&self.head[self.sent..]);
            let count = 1 + self.body.chunks_vectored(&mut slices[1..]);
            match Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..count]) {
                Poll::Pending => return,
                Poll::Ready(Ok(written)) if written > 0 => self.wrote(written),
                Poll::Ready(result) => {
                    let error = result.err();
                    self.refused = Some(error.unwrap_or(io::ErrorKind::WriteZero.into()));
                    self.sent = self.head.len();
                    self.body = Pieces::default();
                }
            }
        }
    }

    fn wrote(&mut self, written: usize) {
        self.began = true;
        let of_head = written.min(self.head.len() - self.sent);
        self.sent += of_head;
        self.body.advance(written - of_head);
    }
}
