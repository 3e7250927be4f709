//! A WebSocket as a link: one message in one text frame (RFC 6455).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes, error::ProtocolError};
use tokio_util::task::TaskTracker;

use super::duplex::Received;
use super::queue::{BATCH_FRAMES, Queued};
use super::{Duplex, Incoming, Outgoing};

/// How often the other side is asked whether it lives.
const PING: Duration = Duration::from_secs(30);
/// How long it may neither say anything, though it is asked, nor take what is sent.
const SILENCE: Duration = Duration::from_secs(120);
/// How long the other side has to close after we have.
const FAREWELL: Duration = Duration::from_secs(2);
/// How many messages may wait for us; each may be of the largest size.
const READ_AHEAD: usize = 4;
/// What is read at once.
const READ: usize = 16 * 1024;

/// Both directions of a WebSocket whose handshake is done. Messages may have up to `limit` bytes; a longer one is
/// refused by its header and ends the link with code 1009, as a binary one does with 1003.
///
/// One task on `tracker` drives it. It pings, and gives the other side up when that shows no life for two minutes; it ends
/// when all clones of `outgoing` are gone, saying `farewell`, or when the other side closes.
pub(super) fn websocket<S>(
    io: S,
    role: Role,
    limit: usize,
    farewell: CloseCode,
    tracker: &TaskTracker,
) -> Duplex
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (outgoing, queue) = Outgoing::new();
    let (inbox, received) = mpsc::channel(READ_AHEAD);
    tracker.spawn(async move {
        let config = WebSocketConfig::default()
            .max_message_size(Some(limit))
            .max_frame_size(Some(limit))
            .read_buffer_size(READ);
        let io = Counted { io, moved: 0 };
        let driver = Driver {
            socket: WebSocketStream::from_raw_socket(io, role, Some(config)).await,
            limit,
            farewell,
            taken: Vec::with_capacity(BATCH_FRAMES),
            permits: Vec::new(),
            flushes: Vec::new(),
            flushing: false,
            heard: Instant::now(),
            moved: (0, Instant::now()),
        };
        driver.run(queue, inbox).await;
    });
    Duplex {
        incoming: Incoming::batches(received),
        outgoing,
    }
}

struct Driver<S> {
    socket: WebSocketStream<Counted<S>>,
    limit: usize,
    farewell: CloseCode,
    taken: Vec<Queued>,
    /// The room of large messages that are not written yet.
    permits: Vec<OwnedSemaphorePermit>,
    /// Who waits until what was sent is written.
    flushes: Vec<oneshot::Sender<()>>,
    /// Whether something is still to be written.
    flushing: bool,
    /// When the other side said something, or we were not listening.
    heard: Instant,
    /// How many bytes had been written, and when that number changed.
    moved: (u64, Instant),
}

/// What happens on a link.
enum Event {
    Read(Option<Result<Message, Error>>),
    Flushed(Result<(), Error>),
    Queued(usize),
    Round,
}

/// How a link ends.
enum End {
    /// The other side closed, or is gone.
    Gone,
    /// We close, for this reason.
    Close(CloseCode, String),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    async fn run(mut self, mut queue: mpsc::Receiver<Queued>, inbox: mpsc::Sender<Vec<Received>>) {
        let end = self.drive(&mut queue, inbox).await;
        // From here on nothing can be sent or received.
        drop(queue);
        if let End::Close(code, reason) = end {
            let reason = reason.into();
            let closing = self.close(CloseFrame { code, reason });
            // Whoever does not close in time is left.
            let _ = timeout(FAREWELL, closing).await;
        }
    }

    async fn drive(
        &mut self,
        queue: &mut mpsc::Receiver<Queued>,
        inbox: mpsc::Sender<Vec<Received>>,
    ) -> End {
        let mut rounds = interval(PING);
        rounds.reset();
        let mut room = None;
        loop {
            let wants = room.is_some();
            let (socket, taken, flushing) = (&mut self.socket, &mut self.taken, self.flushing);
            let event = tokio::select! {
                biased;
                permit = inbox.reserve(), if !wants && !inbox.is_closed() => {
                    room = permit.ok();
                    self.heard = Instant::now();
                    continue;
                }
                event = std::future::poll_fn(|cx| poll(socket, wants, flushing, cx)) => event,
                count = queue.recv_many(taken, BATCH_FRAMES), if !flushing => Event::Queued(count),
                _ = rounds.tick() => Event::Round,
            };
            let end = match event {
                Event::Read(message) => match self.read(message) {
                    Ok(None) => None,
                    Ok(Some(frame)) => {
                        if let Some(room) = room.take() {
                            room.send(vec![Ok(frame)]);
                        }
                        None
                    }
                    Err(end) => Some(end),
                },
                Event::Flushed(Ok(())) => {
                    self.written();
                    None
                }
                Event::Flushed(Err(_)) => Some(End::Gone),
                Event::Queued(0) => Some(End::Close(self.farewell, String::new())),
                Event::Queued(_) => self.write(),
                Event::Round => self.round(room.is_some()),
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// What was read: a message, or nothing for us.
    fn read(&mut self, message: Option<Result<Message, Error>>) -> Result<Option<Bytes>, End> {
        self.heard = Instant::now();
        let close = |code, reason: String| Err(End::Close(code, reason));
        match message {
            Some(Ok(Message::Text(text))) => Ok(Some(text.into())),
            Some(Ok(Message::Binary(_))) => close(
                CloseCode::Unsupported,
                "a message is a text frame".to_owned(),
            ),
            // The answer to a ping or a close goes out with the next flush.
            Some(Ok(Message::Ping(_) | Message::Close(_))) => {
                self.flushing = true;
                Ok(None)
            }
            Some(Ok(Message::Pong(_) | Message::Frame(_))) => Ok(None),
            Some(Err(Error::Capacity(_))) => {
                let why = format!("a message is larger than the limit of {} bytes", self.limit);
                close(CloseCode::Size, why)
            }
            Some(Err(Error::Utf8(_))) => {
                close(CloseCode::Invalid, "a text is not UTF-8".to_owned())
            }
            Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => {
                Err(End::Gone)
            }
            Some(Err(Error::Protocol(error))) => close(CloseCode::Protocol, error.to_string()),
            Some(Err(_)) | None => Err(End::Gone),
        }
    }

    /// Hands over what was taken from the queue.
    fn write(&mut self) -> Option<End> {
        self.flushing = true;
        self.moved.1 = Instant::now();
        for queued in self.taken.drain(..) {
            match queued {
                Queued::Frame(frame, permit) => {
                    let Ok(text) = Utf8Bytes::try_from(frame) else {
                        // What is no UTF-8 is no JSON, and was refused where it came from.
                        continue;
                    };
                    if self.socket.start_send_unpin(Message::Text(text)).is_err() {
                        return Some(End::Gone);
                    }
                    self.permits.extend(permit);
                }
                Queued::Flush(done) => self.flushes.push(done),
            }
        }
        None
    }

    /// Everything has left: gives the room back and tells those who wait for it.
    fn written(&mut self) {
        self.flushing = false;
        self.permits.clear();
        for done in self.flushes.drain(..) {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
    }

    /// Looks for life on the other side, and asks for it.
    fn round(&mut self, listening: bool) -> Option<End> {
        let count = self.socket.get_ref().moved;
        if !self.flushing || count != self.moved.0 {
            self.moved = (count, Instant::now());
        }
        if !listening || self.flushing {
            self.heard = Instant::now();
        }
        if self.moved.1.elapsed() >= SILENCE || self.heard.elapsed() >= SILENCE {
            return Some(End::Gone);
        }
        if !self.flushing {
            self.flushing = true;
            let ping = Message::Ping(Bytes::new());
            if self.socket.start_send_unpin(ping).is_err() {
                return Some(End::Gone);
            }
        }
        None
    }

    /// Closes, and waits until the other side has: what it has sent meanwhile must not take our last words from it.
    async fn close(&mut self, frame: CloseFrame) {
        if self.socket.close(Some(frame)).await.is_err() {
            return;
        }
        let io = self.socket.get_mut();
        if io.shutdown().await.is_err() {
            return;
        }
        let mut rest = vec![0; READ];
        while let Ok(1..) = io.read(&mut rest).await {}
    }
}

fn poll<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    reading: bool,
    flushing: bool,
    context: &mut Context<'_>,
) -> Poll<Event> {
    if flushing && let Poll::Ready(done) = socket.poll_flush_unpin(context) {
        return Poll::Ready(Event::Flushed(done));
    }
    if reading && let Poll::Ready(message) = socket.poll_next_unpin(context) {
        return Poll::Ready(Event::Read(message));
    }
    Poll::Pending
}

/// Counts the bytes that are written.
struct Counted<S> {
    io: S,
    moved: u64,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.moved += count as u64;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
#[path = "websocket_tests.rs"]
mod tests;
