//! An HTTP/1.1 client by hand: one connection a request, every byte of it under control.

use std::io::{self, BufReader, Write};
use std::time::Instant;

use super::door::{Connection, Door};
use super::head::{Framing, Head};
use super::{Msg, patience};

/// A request to be sent; later headers of the same name replace earlier ones.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str) -> Self {
        let (method, path) = (method.to_owned(), "/mcp".to_owned());
        Self {
            method,
            path,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A POST as every MCP client sends it.
    pub(crate) fn post(body: impl Into<Vec<u8>>) -> Self {
        let request = Self {
            body: body.into(),
            ..Self::new("POST")
        };
        request
            .header("Content-Type", "application/json")
            .header("Accept", "application/json, text/event-stream")
    }

    /// A GET that asks for an event stream.
    pub(crate) fn get() -> Self {
        Self::new("GET").header("Accept", "text/event-stream")
    }

    pub(crate) fn delete() -> Self {
        Self::new("DELETE")
    }

    #[must_use]
    pub(crate) fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self
    }

    /// Sends the request and reads the head of the answer.
    #[track_caller]
    pub(crate) fn send(&self, to: impl Into<Door>) -> Response {
        self.try_send(to)
            .unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path))
    }

    pub(crate) fn try_send(&self, to: impl Into<Door>) -> io::Result<Response> {
        Response::read(self.post_off(to)?)
    }

    /// Sends the request and leaves the answer unread.
    pub(crate) fn post_off(&self, to: impl Into<Door>) -> io::Result<Connection> {
        let to = to.into();
        let mut stream = to.connect()?;
        stream.write_all(&self.bytes(to))?;
        Ok(stream)
    }

    fn bytes(&self, to: Door) -> Vec<u8> {
        let mut lines = vec![format!("{} {} HTTP/1.1", self.method, self.path)];
        if !self
            .headers
            .iter()
            .any(|(key, _)| key.eq_ignore_ascii_case("host"))
        {
            lines.push(format!("Host: {}", to.host()));
        }
        for (name, value) in &self.headers {
            lines.push(format!("{name}: {value}"));
        }
        if !self.body.is_empty() || self.method == "POST" {
            lines.push(format!("Content-Length: {}", self.body.len()));
        }
        let text = lines.join("\r\n") + "\r\n\r\n";
        [text.as_bytes(), &self.body].concat()
    }
}

/// One event of a stream, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) retry: Option<u64>,
    pub(crate) data: String,
}

/// An answer whose body is read as it arrives; dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Response {
    head: Head,
    stream: BufReader<Connection>,
    framing: Framing,
    rest: Vec<u8>,
    /// Up to here `rest` holds no end of an event.
    scanned: usize,
    ended: bool,
}

impl Response {
    pub(crate) fn read(stream: Connection) -> io::Result<Self> {
        let mut stream = BufReader::new(stream);
        let head = Head::read(&mut stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut framing = head.framing();
        if matches!(head.word(1), "204" | "304") {
            framing = Framing::Length(0);
        }
        Ok(Self {
            head,
            stream,
            framing,
            rest: Vec::new(),
            scanned: 0,
            ended: false,
        })
    }

    pub(crate) fn status(&self) -> u16 {
        self.head.word(1).parse().expect("a status code")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.header("content-type")
            .is_some_and(|kind| kind.starts_with("text/event-stream"))
    }

    /// The whole body.
    #[track_caller]
    pub(crate) fn body(mut self) -> Vec<u8> {
        self.framing.rest(&mut self.stream).expect("a whole body")
    }

    /// The one message of a JSON answer.
    #[track_caller]
    pub(crate) fn msg(self) -> Msg {
        Msg::parse(&self.body())
    }

    /// The next event; `None` when the stream has ended as it should.
    #[track_caller]
    pub(crate) fn event(&mut self) -> Option<Event> {
        self.try_event()
            .unwrap_or_else(|error| panic!("an event stream broke: {error}"))
    }

    pub(crate) fn try_event(&mut self) -> io::Result<Option<Event>> {
        // Comments keep a stream alive, but they are not what a test waits for.
        let end = Instant::now() + patience();
        loop {
            if let Some(event) = self.take_event() {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            if Instant::now() > end {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let part = self.framing.part(&mut self.stream)?;
            self.ended = part.is_empty();
            self.rest.extend(part);
        }
    }

    /// Cuts one event off what has arrived; comments alone are no event.
    fn take_event(&mut self) -> Option<Event> {
        loop {
            let Some(end) = memchr::memmem::find(&self.rest[self.scanned..], b"\n\n") else {
                self.scanned = self.rest.len().saturating_sub(1);
                return None;
            };
            let block: Vec<u8> = self.rest.drain(..self.scanned + end + 2).collect();
            self.scanned = 0;
            let block = String::from_utf8(block).expect("UTF-8 events");
            if let Some(event) = parse_event(&block) {
                return Some(event);
            }
        }
    }
}

fn parse_event(block: &str) -> Option<Event> {
    let mut event = Event::default();
    let mut data: Vec<&str> = Vec::new();
    let mut any = false;
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        any |= !field.is_empty();
        match field {
            "event" => event.name = Some(value.to_owned()),
            "id" => event.id = Some(value.to_owned()),
            "retry" => event.retry = value.parse().ok(),
            "data" => data.push(value),
            _ => {}
        }
    }
    event.data = data.join("\n");
    any.then_some(event)
}
