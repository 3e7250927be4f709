//! What lies under a WebSocket: it counts what is written, and leaves messages out that are too large (RFC 6455, section 5.2).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A text in one frame that is not masked, and the same without a text.
const TEXT: u8 = 0x81;
const NO_TEXT: [u8; 2] = [TEXT, 0];
/// A longer frame, in units of the limit, is not worth reading to its end.
const WORTHWHILE: u64 = 16;
/// The longest head of a frame.
const HEAD: usize = 14;

/// The bytes of a WebSocket. What is read must be read into at least 16 bytes at once.
pub(super) struct Sieve<S> {
    io: S,
    /// How many bytes were written.
    pub(super) written: u64,
    /// How many messages were left out, and not told of yet; an empty one stands for each.
    pub(super) left_out: u32,
    /// Where there is none, nothing is left out.
    limit: Option<u64>,
    state: State,
    /// The beginning of a head.
    held: Vec<u8>,
}

#[derive(Clone, Copy)]
enum State {
    Head,
    /// So many bytes of a frame are still to be passed on.
    Pass(u64),
    /// So many bytes of a frame are still to be left out.
    Drop(u64),
}

impl<S> Sieve<S> {
    /// Texts beyond `limit` bytes, in one frame each, are left out; a much longer one is left to who reads.
    pub(super) fn new(io: S, limit: Option<usize>) -> Self {
        Self {
            io,
            written: 0,
            left_out: 0,
            limit: limit.and_then(|limit| u64::try_from(limit).ok()),
            state: State::Head,
            held: Vec::with_capacity(HEAD),
        }
    }

    /// Takes out of these bytes what is too large, and the beginning of a head; the number of those that remain, in front.
    fn sift(&mut self, bytes: &mut [u8], limit: u64) -> usize {
        let (mut at, mut kept) = (0, 0);
        while at < bytes.len() {
            let rest = bytes.len() - at;
            match self.state {
                State::Head => {
                    let Some((head, payload)) = head_of(&bytes[at..]) else {
                        self.held.extend_from_slice(&bytes[at..]);
                        break;
                    };
                    let too_large = limit + 1..=limit.saturating_mul(WORTHWHILE);
                    if bytes[at] == TEXT && bytes[at + 1] < 0x80 && too_large.contains(&payload) {
                        bytes[kept..kept + NO_TEXT.len()].copy_from_slice(&NO_TEXT);
                        kept += NO_TEXT.len();
                        self.left_out += 1;
                        self.state = State::Drop(payload);
                    } else {
                        bytes.copy_within(at..at + head, kept);
                        kept += head;
                        self.state = State::Pass(payload);
                    }
                    at += head;
                }
                State::Pass(left) => {
                    let count = least(left, rest);
                    bytes.copy_within(at..at + count, kept);
                    self.state = after(left, count, State::Pass);
                    (at, kept) = (at + count, kept + count);
                }
                State::Drop(left) => {
                    let count = least(left, rest);
                    self.state = after(left, count, State::Drop);
                    at += count;
                }
            }
            if matches!(self.state, State::Pass(0) | State::Drop(0)) {
                self.state = State::Head;
            }
        }
        kept
    }
}

fn least(left: u64, rest: usize) -> usize {
    usize::try_from(left).map_or(rest, |left| left.min(rest))
}

fn after(left: u64, count: usize, state: fn(u64) -> State) -> State {
    state(left.saturating_sub(count as u64))
}

/// The lengths of a frame's head and payload, once the head is there.
fn head_of(bytes: &[u8]) -> Option<(usize, u64)> {
    let second = *bytes.get(1)?;
    let mask = if second < 0x80 { 0 } else { 4 };
    let (extended, payload) = match second & 0x7f {
        126 => (
            2,
            u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        ),
        127 => (8, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        short => (0, u64::from(short)),
    };
    let head = 2 + extended + mask;
    (bytes.len() >= head).then_some((head, payload))
}

impl<S: AsyncRead + Unpin> AsyncRead for Sieve<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let Some(limit) = this.limit else {
            return Pin::new(&mut this.io).poll_read(context, buffer);
        };
        let start = buffer.filled().len();
        if buffer.remaining() <= this.held.len() {
            return Poll::Ready(Err(io::ErrorKind::InvalidInput.into()));
        }
        loop {
            let begun = start + this.held.len();
            buffer.put_slice(&this.held);
            let read = Pin::new(&mut this.io).poll_read(context, buffer);
            if !matches!(read, Poll::Ready(Ok(()))) {
                buffer.set_filled(start);
            }
            ready!(read)?;
            this.held.clear();
            if buffer.filled().len() == begun {
                // The end: what was held was no whole head.
                return Poll::Ready(Ok(()));
            }
            let kept = this.sift(&mut buffer.filled_mut()[start..], limit);
            buffer.set_filled(start + kept);
            if kept > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Sieve<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.written += count as u64;
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
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A frame, not masked.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..=125 => bytes.push(u8::try_from(length).unwrap()),
            length @ 126..=0xffff => {
                bytes.push(126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                bytes.push(127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(payload);
        bytes
    }

    /// What comes through when the bytes arrive in pieces of this size, and how many messages did not.
    fn sifted(bytes: &[u8], piece: usize) -> (Vec<u8>, u32) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (mut theirs, ours) = tokio::io::duplex(piece);
            let mut sieve = Sieve::new(ours, Some(200));
            let write = async move { theirs.write_all(bytes).await.unwrap() };
            let read = async {
                let (mut through, mut buffer) = (Vec::new(), [0; 64]);
                loop {
                    match sieve.read(&mut buffer).await.unwrap() {
                        0 => return (through, sieve.left_out),
                        count => through.extend_from_slice(&buffer[..count]),
                    }
                }
            };
            tokio::join!(write, read).1
        })
    }

    proptest! {
        #[test]
        fn only_what_is_too_large_is_left_out_however_it_arrives(
            frames in prop::collection::vec((prop::sample::select(vec![TEXT, 0x01, 0x80, 0x82, 0x89]), 0usize..400), 0..6),
            piece in 1usize..100,
        ) {
            let (mut all, mut wanted, mut count) = (Vec::new(), Vec::new(), 0);
            for (first, length) in frames {
                let whole = frame(first, &vec![b'x'; length]);
                all.extend_from_slice(&whole);
                if first == TEXT && length > 200 {
                    wanted.extend_from_slice(&NO_TEXT);
                    count += 1;
                } else {
                    wanted.extend_from_slice(&whole);
                }
            }
            prop_assert_eq!(sifted(&all, piece), (wanted, count));
        }
    }

    #[test]
    fn what_is_absurdly_large_masked_or_cut_off_is_passed_on() {
        let absurd = [&[TEXT, 127][..], &(1u64 << 40).to_be_bytes(), b"xx"].concat();
        let masked = [&[TEXT, 0xfe][..], &300u16.to_be_bytes(), &[0; 304]].concat();
        for bytes in [absurd, masked, vec![TEXT, 126, 1]] {
            assert_eq!(sifted(&bytes, 7), (bytes.clone(), 0));
        }
    }
}
