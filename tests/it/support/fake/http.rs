//! A fake behind streamable HTTP, written by hand on sockets and threads.

use std::io::{self, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;

use super::brain::{self, Origin};
use super::builder::Start;
use super::state::{Session, Sink, State, Stream};
use super::strict;
use crate::support::head::{Framing, Head};
use crate::support::{Era, Msg};

/// Accepts until the fake is dropped.
pub(super) fn listen(state: &Arc<State>, listener: &TcpListener) {
    for stream in listener.incoming() {
        if state.with(|inner| inner.stopped) {
            return;
        }
        let Ok(stream) = stream else { continue };
        if state.take_refusal() {
            continue;
        }
        let state = Arc::clone(state);
        thread::spawn(move || {
            let link = state.new_link();
            let _ = converse(&state, link, &stream);
            state.link_ended(link);
        });
    }
}

fn converse(state: &Arc<State>, link: u64, stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let kept = stream.try_clone()?;
    state.with(|inner| inner.connections.insert(link, kept));
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(head) = Head::read(&mut reader)? {
        let body = match head.framing() {
            Framing::Unknown => Vec::new(),
            mut framing => framing.rest(&mut reader)?,
        };
        let sink = Arc::new(HttpSink {
            stream: Mutex::new((stream.try_clone()?, Phase::Waiting)),
            always_streams: state.fake.style.always_streams,
            session: Mutex::new(None),
        });
        if state.fake.start == Start::Hanging {
            continue;
        }
        if let Some(answer) = state.fake.hook.as_ref().and_then(|hook| hook(&head)) {
            state.with(|inner| inner.heads.push(head));
            sink.bytes(answer.as_bytes())?;
            continue;
        }
        match head.word(0) {
            "POST" => post(state, link, head, &body, &sink)?,
            "GET" => get(state, link, head, sink)?,
            "DELETE" => delete(state, head, &sink)?,
            _ => sink.plain(405, "")?,
        }
    }
    Ok(())
}

fn post(
    state: &Arc<State>,
    link: u64,
    head: Head,
    body: &[u8],
    sink: &Arc<HttpSink>,
) -> io::Result<()> {
    let Some(msg) = brain::parse(state, body) else {
        return sink.plain(400, "");
    };
    let is_request = msg.is_request();
    let mut scope = format!("link {link}");
    if strict::era(&msg) == Era::Legacy && state.fake.eras.contains(&Era::Legacy) {
        match session(state, &head, &msg, sink) {
            Ok(id) => scope = id,
            Err((status, text)) => return sink.plain(status, text),
        }
    }
    let origin = Origin {
        link,
        scope,
        head: Some(head),
    };
    brain::receive(state, &origin, msg, Arc::clone(sink) as Arc<dyn Sink>);
    if is_request {
        Ok(())
    } else {
        sink.plain(202, "")
    }
}

/// The session of a legacy message, begun by `initialize`; or the status that refuses it.
fn session(
    state: &State,
    head: &Head,
    msg: &Msg,
    sink: &HttpSink,
) -> Result<String, (u16, &'static str)> {
    if !state.fake.style.sessions {
        return Ok("sessionless".to_owned());
    }
    if msg.method() == "initialize" {
        let id = state.with(|inner| {
            inner.begun += 1;
            let id = format!("session-{}", inner.begun);
            inner.sessions.insert(id.clone(), Session::default());
            id
        });
        *sink.session.lock() = Some(id.clone());
        return Ok(id);
    }
    let Some(id) = head.header("mcp-session-id") else {
        state.violation(format!("no Mcp-Session-Id: {}", msg.text()));
        return Err((400, "Bad Request"));
    };
    if state.with(|inner| inner.sessions.contains_key(id)) {
        return Ok(id.to_owned());
    }
    Err((
        404,
        r#"{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}"#,
    ))
}

fn get(state: &State, link: u64, head: Head, sink: Arc<HttpSink>) -> io::Result<()> {
    let session = head.header("mcp-session-id").unwrap_or_default().to_owned();
    state.with(|inner| inner.heads.push(head));
    if !state.fake.style.get_stream || !state.fake.eras.contains(&Era::Legacy) {
        return sink.plain(405, "");
    }
    if state.fake.style.sessions && !state.with(|inner| inner.sessions.contains_key(&session)) {
        return sink.plain(404, "");
    }
    sink.begin_stream(&mut sink.stream.lock())?;
    state.with(|inner| {
        inner.streams.push(Stream {
            link,
            sink,
            listen: None,
        });
    });
    Ok(())
}

fn delete(state: &State, head: Head, sink: &HttpSink) -> io::Result<()> {
    let session = head.header("mcp-session-id").unwrap_or_default().to_owned();
    let known = state.with(|inner| {
        inner.heads.push(head);
        inner.sessions.remove(&session).is_some()
    });
    sink.plain(if known { 200 } else { 404 }, "")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Streaming,
    Done,
}

/// The answer to one HTTP request: JSON, or an event stream as soon as something comes before it.
struct HttpSink {
    stream: Mutex<(TcpStream, Phase)>,
    always_streams: bool,
    /// The session that the answer announces.
    session: Mutex<Option<String>>,
}

impl HttpSink {
    fn extra(&self) -> String {
        let session = self.session.lock();
        session
            .as_ref()
            .map(|id| format!("Mcp-Session-Id: {id}\r\n"))
            .unwrap_or_default()
    }

    fn begin_stream(&self, (stream, phase): &mut (TcpStream, Phase)) -> io::Result<()> {
        *phase = Phase::Streaming;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache";
        let head = format!(
            "{head}\r\nTransfer-Encoding: chunked\r\n{}\r\n",
            self.extra()
        );
        stream.write_all(head.as_bytes())
    }

    /// A whole answer with a status; a body that is an object is said to be JSON.
    fn plain(&self, status: u16, body: &str) -> io::Result<()> {
        let kind = if body.starts_with('{') {
            "application/json"
        } else {
            "text/plain"
        };
        let mut locked = self.stream.lock();
        locked.1 = Phase::Done;
        let head = format!(
            "HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{}\r\n",
            body.len(),
            self.extra()
        );
        locked
            .0
            .write_all(&[head.as_bytes(), body.as_bytes()].concat())
    }
}

fn event(text: &[u8]) -> Vec<u8> {
    let event = [b"event: message\ndata: ", text, b"\n\n"].concat();
    [format!("{:x}\r\n", event.len()).as_bytes(), &event, b"\r\n"].concat()
}

impl Sink for HttpSink {
    fn message(&self, text: &[u8]) -> io::Result<()> {
        let mut locked = self.stream.lock();
        if locked.1 == Phase::Waiting {
            self.begin_stream(&mut locked)?;
        }
        locked.0.write_all(&event(text))
    }

    fn answer(&self, text: &[u8]) -> io::Result<()> {
        if !self.always_streams && self.stream.lock().1 == Phase::Waiting {
            return self.plain(200, &String::from_utf8_lossy(text));
        }
        self.message(text)?;
        let mut locked = self.stream.lock();
        locked.1 = Phase::Done;
        locked.0.write_all(b"0\r\n\r\n")
    }

    fn refuse(&self, status: u16, text: &[u8]) -> io::Result<()> {
        self.plain(status, &String::from_utf8_lossy(text))
    }

    fn bytes(&self, raw: &[u8]) -> io::Result<()> {
        self.stream.lock().0.write_all(raw)
    }

    /// A reset instead of an orderly end: nothing lingers, and the last handle closes at once.
    fn sever(&self) {
        let locked = self.stream.lock();
        if let Ok(socket) = locked
            .0
            .try_clone()
            .map(tokio::net::TcpSocket::from_std_stream)
        {
            let _ = socket.set_zero_linger();
        }
        let _ = locked.0.shutdown(Shutdown::Read);
    }
}
