//! As much of HTTP/1.1 as both sides of a benchmark need: heads, and bodies with a length.

use std::io;

use bytes::{Bytes, BytesMut};
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One request or answer.
pub(crate) struct Message {
    /// Up to the empty line, that included.
    pub(crate) head: Bytes,
    pub(crate) body: Bytes,
}

impl Message {
    /// The value of a header, its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = std::str::from_utf8(&self.head).ok()?;
        head.split("\r\n").skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A connection that is read message by message.
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        drop(stream.set_nodelay(true));
        Self {
            stream,
            buffer: BytesMut::with_capacity(16 * 1024),
        }
    }

    pub(crate) async fn connect(port: u16) -> io::Result<Self> {
        TcpStream::connect(("127.0.0.1", port)).await.map(Self::new)
    }

    /// The next message; `None` if the other side has ended. Of a body in chunks, only what is in them.
    pub(crate) async fn read(&mut self) -> io::Result<Option<Message>> {
        let Some(head) = self.until(b"\r\n\r\n").await? else {
            return Ok(None);
        };
        let mut message = Message {
            head,
            body: Bytes::new(),
        };
        message.body = if message.header("transfer-encoding").is_some() {
            self.chunks().await?
        } else {
            let length = message.header("content-length").map_or(Ok(0), str::parse);
            self.take(length.map_err(io::Error::other)?).await?
        };
        Ok(Some(message))
    }

    async fn chunks(&mut self) -> io::Result<Bytes> {
        let mut body = BytesMut::new();
        loop {
            let line = self.until(b"\r\n").await?;
            let line = line.ok_or(io::ErrorKind::UnexpectedEof)?;
            let digits = String::from_utf8_lossy(&line);
            let size = usize::from_str_radix(digits.trim(), 16).map_err(io::Error::other)?;
            let chunk = self.take(size + 2).await?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Ok(body.freeze());
            }
        }
    }

    /// What comes up to these bytes, and they.
    async fn until(&mut self, end: &[u8]) -> io::Result<Option<Bytes>> {
        let mut searched = 0;
        loop {
            if let Some(at) = memmem::find(&self.buffer[searched..], end) {
                return Ok(Some(
                    self.buffer.split_to(searched + at + end.len()).freeze(),
                ));
            }
            searched = self.buffer.len().saturating_sub(end.len() - 1);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn take(&mut self, length: usize) -> io::Result<Bytes> {
        let missing = length.saturating_sub(self.buffer.len());
        self.buffer.reserve(missing);
        while self.buffer.len() < length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    /// Writes a message whose head lacks the length of its body and the empty line.
    pub(crate) async fn write(&mut self, head: &str, body: &[u8]) -> io::Result<()> {
        let mut out = Vec::with_capacity(head.len() + body.len() + 32);
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        out.extend_from_slice(body);
        self.stream.write_all(&out).await
    }

    /// Writes a message as it came.
    pub(crate) async fn pass_on(&mut self, message: &Message) -> io::Result<()> {
        let mut both = Vec::with_capacity(message.head.len() + message.body.len());
        both.extend_from_slice(&message.head);
        both.extend_from_slice(&message.body);
        self.stream.write_all(&both).await
    }
}

/// What stands between two texts, the first time that the first one occurs.
pub(crate) fn between<'a>(bytes: &'a [u8], before: &str, end: &[u8]) -> Option<&'a [u8]> {
    let start = memmem::find(bytes, before.as_bytes())? + before.len();
    let rest = &bytes[start..];
    let length = rest.iter().position(|byte| end.contains(byte))?;
    Some(&rest[..length])
}
