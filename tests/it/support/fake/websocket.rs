//! A fake behind a WebSocket (RFC 6455), whose frames are written by hand.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::brain::{self, Origin};
use super::builder::Start;
use super::state::{Sink, State};
use crate::support::head::Head;

pub(crate) const TEXT: u8 = 0x1;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

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
            let _ = stream.shutdown(Shutdown::Both);
        });
    }
}

/// One whole frame, as a server sends it: never masked.
pub(crate) fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match payload.len() {
        small @ 0..=125 => bytes.push(small as u8),
        middle @ 126..=0xFFFF => {
            bytes.push(126);
            bytes.extend((middle as u16).to_be_bytes());
        }
        large => {
            bytes.push(127);
            bytes.extend((large as u64).to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}

fn converse(state: &Arc<State>, link: u64, stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let kept = stream.try_clone()?;
    state.with(|inner| inner.connections.insert(link, kept));
    let mut reader = BufReader::new(stream.try_clone()?);
    let Some(head) = Head::read(&mut reader)? else {
        return Ok(());
    };
    if state.fake.start == Start::Hanging {
        return reader.read_to_end(&mut Vec::new()).map(drop);
    }
    let answer = state.fake.hook.as_ref().and_then(|hook| hook(&head));
    let answer = answer.unwrap_or_else(|| welcome(state, &head));
    let sink = Arc::new(SocketSink(Mutex::new(stream.try_clone()?)));
    let refused = !answer.starts_with("HTTP/1.1 101");
    sink.bytes(answer.as_bytes())?;
    state.with(|inner| {
        inner.heads.push(head.clone());
        if !refused {
            inner.sinks.insert(link, sink.clone());
        }
    });
    if refused {
        return Ok(());
    }
    while let Some((opcode, payload)) = read(state, &mut reader)? {
        if opcode != TEXT {
            let seen = (opcode, payload.clone());
            state.with(|inner| inner.frames.push(seen));
        }
        match opcode {
            TEXT => {
                let origin = Origin {
                    link,
                    scope: format!("link {link}"),
                    head: None,
                };
                if let Some(msg) = brain::parse(state, &payload) {
                    brain::receive(state, &origin, msg, sink.clone());
                }
            }
            PING => sink.bytes(&frame(PONG, &payload))?,
            CLOSE => return sink.bytes(&frame(CLOSE, &payload)),
            PONG => {}
            other => state.violation(format!("a frame of opcode {other}")),
        }
    }
    Ok(())
}

/// The answer to the handshake, which has to be as the mux's own clients would make it.
fn welcome(state: &State, head: &Head) -> String {
    for (name, value) in [
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", "mcp"),
    ] {
        if head.header(name) != Some(value) {
            state.violation(format!("header {name} is {:?}", head.header(name)));
        }
    }
    let key = head.header("sec-websocket-key").unwrap_or_default();
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: mcp\r\n\r\n",
        derive_accept_key(key.as_bytes())
    )
}

/// The next frame of the mux, which does not cut messages; `None` at the end.
fn read(state: &State, reader: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut start = [0; 2];
    if reader.read(&mut start[..1])? == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut start[1..])?;
    let [first, second] = start;
    if first & 0xF0 != 0x80 || second & 0x80 == 0 {
        state.violation(format!("a frame that begins with {first:#x} {second:#x}"));
    }
    let mut number = |width: usize| {
        let mut bytes = [0; 8];
        reader.read_exact(&mut bytes[8 - width..])?;
        io::Result::Ok(u64::from_be_bytes(bytes))
    };
    let length = match second & 0x7F {
        126 => number(2)?,
        127 => number(8)?,
        small => small.into(),
    };
    let mut mask = [0; 4];
    reader.read_exact(&mut mask)?;
    let mut payload = Vec::new();
    reader.take(length).read_to_end(&mut payload)?;
    for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
    Ok(Some((first & 0xF, payload)))
}

struct SocketSink(Mutex<TcpStream>);

impl Sink for SocketSink {
    fn message(&self, text: &[u8]) -> io::Result<()> {
        self.bytes(&frame(TEXT, text))
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
