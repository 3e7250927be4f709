//! A WebSocket as a link: one message in one text frame (RFC 6455).

use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes, error::ProtocolError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::duplex::Received;
use super::queue::{BATCH_FRAMES, Queued};
use super::sieve::Sieve;
use super::{Duplex, Incoming, Outgoing, TransportError};

/// How long the other side has to close after we have.
const FAREWELL: Duration = Duration::from_secs(2);
/// How many messages may wait for us; each may be of the largest size.
const READ_AHEAD: usize = 4;
/// What is read at once.
const READ: usize = 16 * 1024;

/// Where a link ends.
pub(super) struct Ends {
    /// The largest message that is received.
    pub(super) limit: usize,
    /// What the other side is told when we close.
    pub(super) farewell: CloseCode,
    /// Closes the link once what is queued has been sent.
    pub(super) closing: CancellationToken,
    pub(super) pulse: Pulse,
}

/// How the other side is watched.
#[derive(Clone, Copy)]
pub(super) struct Pulse {
    /// How often it is asked whether it lives.
    pub(super) ping: Duration,
    /// How long it may neither say anything, though it is asked, nor take what is sent.
    pub(super) silence: Duration,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(30),
            silence: Duration::from_secs(120),
        }
    }
}

/// Both directions of a WebSocket whose handshake is done. Messages may have up to `ends.limit` bytes. A longer one of a
/// server is left out and reported, as long as it comes in one frame and can be read to its end; otherwise, and from a
/// client, it is refused by its header and ends the link with code 1009, as a binary one does with 1003.
///
/// One task on `tracker` drives it. It pings, and gives the other side up when that shows no life for too long; it ends
/// when all clones of `outgoing` are gone or `ends.closing` is cancelled, saying `ends.farewell`, or when the other side
/// closes. An end that is out of order is reported as the last thing that is received.
pub(super) fn websocket<S>(io: S, role: Role, ends: Ends, tracker: &TaskTracker) -> Duplex
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (outgoing, queue) = Outgoing::new();
    let (inbox, received) = mpsc::channel(READ_AHEAD);
    tracker.spawn(async move {
        let config = WebSocketConfig::default()
            .max_message_size(Some(ends.limit))
            .max_frame_size(Some(ends.limit))
            .read_buffer_size(READ);
        // Who calls us ends with what it says; of a server, others want more.
        let left_out = (role == Role::Client).then_some(ends.limit);
        let io = Sieve::new(io, left_out);
        let driver = Driver {
            socket: WebSocketStream::from_raw_socket(io, role, Some(config)).await,
            ends,
            error: None,
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
    socket: WebSocketStream<Sieve<S>>,
    ends: Ends,
    /// Why the link ends, to be told to who reads it.
    error: Option<TransportError>,
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
        let mut rounds = interval(self.ends.pulse.ping);
        rounds.reset();
        let closing = self.ends.closing.clone();
        let overdue = async {
            closing.cancelled().await;
            sleep(FAREWELL).await;
        };
        let mut overdue = pin!(overdue);
        let mut room = None;
        loop {
            let wants = room.is_some();
            let (socket, taken, flushing) = (&mut self.socket, &mut self.taken, self.flushing);
            let event = tokio::select! {
                biased;
                () = closing.cancelled(), if !queue.is_closed() => {
                    queue.close();
                    continue;
                }
                () = &mut overdue => return End::Gone,
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
                            room.send(vec![frame]);
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
                Event::Queued(0) => Some(End::Close(self.ends.farewell, String::new())),
                Event::Queued(_) => self.write(),
                Event::Round => self.round(room.is_some()),
            };
            if let Some(end) = end {
                if let Some(error) = self.error.take() {
                    match room {
                        Some(room) => room.send(vec![Err(error)]),
                        // Who does not keep up learns of the end alone.
                        None => drop(inbox.try_send(vec![Err(error)])),
                    }
                }
                return end;
            }
        }
    }

    /// What was read: a message, or nothing for us.
    fn read(&mut self, message: Option<Result<Message, Error>>) -> Result<Option<Received>, End> {
        self.heard = Instant::now();
        let limit = self.ends.limit;
        match message {
            Some(Ok(Message::Text(text))) => {
                let left_out = &mut self.socket.get_mut().left_out;
                if text.is_empty() && *left_out > 0 {
                    *left_out -= 1;
                    return Ok(Some(Err(TransportError::TooLarge { limit })));
                }
                Ok(Some(Ok(text.into())))
            }
            Some(Ok(Message::Binary(_))) => {
                self.broken(CloseCode::Unsupported, "a message is a text frame")
            }
            // The answer to a ping or a close goes out with the next flush.
            Some(Ok(Message::Ping(_))) => {
                self.flushing = true;
                Ok(None)
            }
            Some(Ok(Message::Close(frame))) => {
                self.flushing = true;
                self.error = frame.as_ref().and_then(reason);
                Ok(None)
            }
            Some(Ok(Message::Pong(_) | Message::Frame(_))) => Ok(None),
            Some(Err(Error::Capacity(_))) => {
                let error = TransportError::TooLarge { limit };
                let reason = error.to_string();
                self.error = Some(error);
                Err(End::Close(CloseCode::Size, reason))
            }
            Some(Err(Error::Utf8(_))) => self.broken(CloseCode::Invalid, "a text is not UTF-8"),
            Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => {
                Err(End::Gone)
            }
            Some(Err(Error::Protocol(error))) => {
                self.broken(CloseCode::Protocol, &error.to_string())
            }
            Some(Err(_)) | None => Err(End::Gone),
        }
    }

    /// What was read is against the rules.
    fn broken(&mut self, code: CloseCode, detail: &str) -> Result<Option<Received>, End> {
        let detail = detail.to_owned();
        // What follows a close frame is not what went wrong first.
        self.error.get_or_insert(TransportError::NoWebSocket {
            detail: detail.clone(),
        });
        Err(End::Close(code, detail))
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
        let count = self.socket.get_ref().written;
        if !self.flushing || count != self.moved.0 {
            self.moved = (count, Instant::now());
        }
        if !listening || self.flushing {
            self.heard = Instant::now();
        }
        let silence = self.ends.pulse.silence;
        if self.moved.1.elapsed() >= silence || self.heard.elapsed() >= silence {
            let detail = format!("the other side has shown no life for {silence:?}");
            self.error
                .get_or_insert(TransportError::NoWebSocket { detail });
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

/// What a close frame says, unless that all went well.
fn reason(frame: &CloseFrame) -> Option<TransportError> {
    (frame.code != CloseCode::Normal).then(|| TransportError::WebSocket {
        code: frame.code.into(),
        reason: frame.reason.as_str().to_owned(),
    })
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

#[cfg(test)]
#[path = "websocket_tests.rs"]
mod tests;
