//! A client of the first transport over HTTP: one stream of events, one POST for each message.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use super::stdio::Stdio;
use crate::support::{Request, Response};

/// A stream that is open, and where its messages go to.
pub(crate) struct Sse {
    pub(crate) endpoint: String,
    pub(crate) stream: Response,
    addr: SocketAddr,
}

impl Sse {
    #[track_caller]
    pub(crate) fn open(addr: SocketAddr) -> Self {
        let mut stream = Request::get().path("/sse").send(addr);
        assert_eq!((stream.status(), stream.is_stream()), (200, true));
        let first = stream.event().expect("the endpoint event");
        assert_eq!(first.name.as_deref(), Some("endpoint"));
        Self {
            endpoint: first.data,
            stream,
            addr,
        }
    }

    /// Posts a message.
    #[track_caller]
    pub(crate) fn post(&self, body: &str) -> Response {
        Request::post(body).path(&self.endpoint).send(self.addr)
    }
}

/// The transport as a link.
#[track_caller]
pub(crate) fn open(addr: SocketAddr) -> Arc<Stdio> {
    let Sse {
        endpoint, stream, ..
    } = Sse::open(addr);
    let lines = Lines {
        stream,
        line: Vec::new(),
    };
    let posts = Posts {
        addr,
        endpoint,
        line: Vec::new(),
    };
    Stdio::new(posts, lines)
}

/// Each line is posted.
struct Posts {
    addr: SocketAddr,
    endpoint: String,
    line: Vec<u8>,
}

impl Write for Posts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend(bytes);
        while let Some(end) = memchr::memchr(b'\n', &self.line) {
            let line: Vec<u8> = self.line.drain(..=end).collect();
            let post = Request::post(&line[..end]).path(&self.endpoint);
            let status = post.try_send(self.addr)?.status();
            if status != 202 {
                return Err(io::Error::other(format!("{status} for a message")));
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Each event is a line.
struct Lines {
    stream: Response,
    line: Vec<u8>,
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.line.is_empty() {
            let Some(event) = self.stream.try_event()? else {
                return Ok(0);
            };
            assert_eq!(event.name.as_deref(), Some("message"));
            self.line = [event.data.as_bytes(), b"\n"].concat();
        }
        let count = buffer.len().min(self.line.len());
        buffer[..count].copy_from_slice(&self.line[..count]);
        self.line.drain(..count);
        Ok(count)
    }
}
