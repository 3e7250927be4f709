//! A fake behind the HTTP+SSE transport of 2024-11-05, written by hand on sockets and threads.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;

use super::brain::{self, Origin};
use super::builder::{Posts, Start};
use super::state::{Sink, State};
use crate::support::head::{Framing, Head};
use crate::support::patience;

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
    let mut out = stream;
    while let Some(head) = Head::read(&mut reader)? {
        let body = match head.framing() {
            Framing::Unknown => Vec::new(),
            mut framing => framing.rest(&mut reader)?,
        };
        if state.fake.start == Start::Hanging {
            continue;
        }
        if let Some(answer) = state.fake.hook.as_ref().and_then(|hook| hook(&head)) {
            state.with(|inner| inner.heads.push(head));
            out.write_all(answer.as_bytes())?;
            continue;
        }
        let path = head.word(1).to_owned();
        match (head.word(0), path.strip_prefix("/messages?link=")) {
            ("GET", None) if path == "/sse" => {
                stream_to(state, link, head, stream)?;
                // It lasts until the mux closes it.
                return reader.read_to_end(&mut Vec::new()).map(drop);
            }
            ("POST", Some(of)) => out.write_all(post(state, of, head, &body).as_bytes())?,
            _ => out.write_all(plain(404, "Not Found").as_bytes())?,
        }
    }
    Ok(())
}

/// Opens the stream, and says where messages for it go: in a word that is relative, as servers do.
fn stream_to(state: &State, link: u64, head: Head, stream: &TcpStream) -> io::Result<()> {
    if head.header("accept") != Some("text/event-stream") {
        state.violation(format!("accept is {:?}", head.header("accept")));
    }
    let sink = Arc::new(EventSink(Mutex::new(stream.try_clone()?)));
    state.with(|inner| {
        inner.heads.push(head);
        inner.sinks.insert(link, sink.clone());
    });
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n";
    let endpoint = format!("event: endpoint\r\ndata: messages?link={link}\r\n\r\n");
    sink.bytes(format!("{head}: hello\n\n{endpoint}").as_bytes())
}

/// Takes a message; what answers it goes to the stream of that link.
fn post(state: &Arc<State>, of: &str, head: Head, body: &[u8]) -> String {
    let of: u64 = of.parse().unwrap_or_default();
    let Some(sink) = state.with(|inner| inner.sinks.get(&of).cloned()) else {
        return plain(404, "no such stream");
    };
    let Some(msg) = brain::parse(state, body) else {
        return plain(400, "no message");
    };
    let origin = Origin {
        link: of,
        scope: format!("link {of}"),
        head: Some(head),
    };
    let id = msg
        .is_request()
        .then(|| msg.id().unwrap_or_default().to_owned());
    brain::receive(state, &origin, msg, sink);
    if let Some(id) = id.filter(|_| state.fake.style.posts == Posts::AreHeld) {
        state.wait_for(patience(), |inner| {
            let mut flying = inner.in_flight.iter();
            let busy = flying.any(|call| call.link == of && call.id == id);
            (!busy).then_some(())
        });
    }
    plain(202, "Accepted")
}

fn plain(status: u16, text: &str) -> String {
    let length = text.len();
    format!("HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\n\r\n{text}")
}

struct EventSink(Mutex<TcpStream>);

impl Sink for EventSink {
    fn message(&self, text: &[u8]) -> io::Result<()> {
        let event = [b"event: message\r\ndata: ", text, b"\r\n\r\n"].concat();
        self.bytes(&event)
    }

    fn answer(&self, text: &[u8]) -> io::Result<()> {
        self.message(text)
    }

    fn refuse(&self, _: u16, text: &[u8]) -> io::Result<()> {
        self.message(text)
    }

    fn bytes(&self, raw: &[u8]) -> io::Result<()> {
        self.0.lock().write_all(raw)
    }

    fn sever(&self) {
        let _ = self.0.lock().shutdown(Shutdown::Both);
    }
}
