//! A client over a WebSocket, frame by frame.

use std::io::{self, BufReader, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use super::stdio::Stdio;
use crate::support::Request;
use crate::support::door::Connection;
use crate::support::head::Head;

/// The key of the specification's example, and what it becomes.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// The request that begins a WebSocket.
pub(crate) fn handshake() -> Request {
    Request::new("GET")
        .path("/ws")
        .header("Connection", "keep-alive, Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", KEY)
        .header("Sec-WebSocket-Protocol", "mcp")
}

/// A WebSocket whose frames are written and read one by one.
pub(crate) struct WebSocket {
    reader: BufReader<Connection>,
    writer: Arc<Mutex<Connection>>,
}

impl WebSocket {
    #[track_caller]
    pub(crate) fn open(addr: SocketAddr) -> Self {
        let stream = handshake().post_off(addr).expect("a connection");
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let head = Head::read(&mut reader).expect("a head").expect("an answer");
        assert_eq!(head.word(1), "101", "{head:?}");
        assert_eq!(head.header("sec-websocket-accept"), Some(ACCEPT));
        assert_eq!(head.header("sec-websocket-protocol"), Some("mcp"));
        Self {
            reader,
            writer: Arc::new(Mutex::new(stream)),
        }
    }

    /// Sends one frame.
    #[track_caller]
    pub(crate) fn send(&self, opcode: u8, payload: &[u8]) {
        let sent = send(&self.writer, 0x80 | opcode, payload);
        sent.expect("the mux takes a frame");
    }

    /// Sends the first part of a message, or one in the middle.
    #[track_caller]
    pub(crate) fn send_part(&self, opcode: u8, payload: &[u8]) {
        send(&self.writer, opcode, payload).expect("the mux takes a frame");
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub(crate) fn send_bytes(&self, bytes: &[u8]) {
        let written = self.writer.lock().write_all(bytes);
        written.expect("the mux reads");
    }

    /// The next frame: its opcode and its payload; `None` at the end.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        receive(&mut self.reader).expect("a whole frame")
    }

    /// Reads until the mux closes: the code.
    #[track_caller]
    pub(crate) fn closed(&mut self) -> u16 {
        loop {
            match self.next() {
                Some((CLOSE, payload)) => return u16::from_be_bytes([payload[0], payload[1]]),
                Some(_) => {}
                None => panic!("the link ended without a close frame"),
            }
        }
    }
}

/// The WebSocket as a link.
#[track_caller]
pub(crate) fn open(addr: SocketAddr) -> Arc<Stdio> {
    let WebSocket { reader, writer } = WebSocket::open(addr);
    // The link may be quiet for as long as a test likes.
    reader.get_ref().wait_for_ever().expect("a socket");
    let frames = Frames {
        writer: Arc::clone(&writer),
        line: Vec::new(),
    };
    let lines = Lines {
        reader,
        writer,
        line: Vec::new(),
    };
    Stdio::new(frames, lines)
}

/// Each line is a frame. Dropping it ends the connection.
struct Frames {
    writer: Arc<Mutex<Connection>>,
    line: Vec<u8>,
}

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend(bytes);
        while let Some(end) = memchr::memchr(b'\n', &self.line) {
            let line: Vec<u8> = self.line.drain(..=end).collect();
            send(&self.writer, 0x80 | TEXT, &line[..end])?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        // The other side may be gone already.
        let _ = self.writer.lock().end();
    }
}

/// Each message is a line; pings are answered.
struct Lines {
    reader: BufReader<Connection>,
    writer: Arc<Mutex<Connection>>,
    line: Vec<u8>,
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.line.is_empty() {
            match receive(&mut self.reader)? {
                Some((TEXT, text)) => self.line = [&text[..], b"\n"].concat(),
                Some((PING, payload)) => send(&self.writer, 0x80 | PONG, &payload)?,
                Some((PONG, _)) => {}
                Some((CLOSE, _)) | None => return Ok(0),
                Some((opcode, _)) => panic!("a frame with opcode {opcode}"),
            }
        }
        let count = buffer.len().min(self.line.len());
        buffer[..count].copy_from_slice(&self.line[..count]);
        self.line.drain(..count);
        Ok(count)
    }
}

/// Writes a masked frame, as clients do.
fn send(writer: &Mutex<Connection>, first: u8, payload: &[u8]) -> io::Result<()> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first];
    match payload.len() {
        short @ ..126 => frame.push(0x80 | short as u8),
        middle @ ..0x1_0000 => {
            frame.push(0xfe);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(0xff);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(b, m)| b ^ m));
    writer.lock().write_all(&frame)
}

/// Reads a message, its fragments joined; a control frame between them comes first.
fn receive(reader: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut begun: Option<(u8, Vec<u8>)> = None;
    loop {
        let mut head = [0; 2];
        match reader.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
            read => read?,
        }
        let (last, opcode) = (head[0] & 0x80 != 0, head[0] & 0x0f);
        assert_eq!(head[1] & 0x80, 0, "a server does not mask");
        let mut length = u64::from(head[1]);
        if length >= 126 {
            let mut bytes = vec![0; if length == 126 { 2 } else { 8 }];
            reader.read_exact(&mut bytes)?;
            length = bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        }
        let mut payload = vec![0; length as usize];
        reader.read_exact(&mut payload)?;
        let (opcode, mut all) = match begun.take() {
            Some((opcode, mut all)) if head[0] & 0x0f == CONTINUATION => {
                all.append(&mut payload);
                (opcode, all)
            }
            _ => (opcode, payload),
        };
        if last {
            return Ok(Some((opcode, std::mem::take(&mut all))));
        }
        begun = Some((opcode, all));
    }
}
