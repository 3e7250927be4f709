//! The queue of frames towards one peer, and the batches in which it is written.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use super::outbox::Outlet;

/// How many frames may wait for one peer.
pub(super) const QUEUE_FRAMES: usize = 256;
/// Frames up to this size are copied together, so that many leave in one write.
const SMALL: usize = 4 * 1024;
/// How many bytes of them are kept room for.
const KEPT: usize = 64 * 1024;
/// How many queued frames are taken at once.
pub(super) const BATCH_FRAMES: usize = 128;

/// After so many frames that left alone, the next ones are not expected to have company.
const SOON_ALONE: u32 = 4;
/// But every one of so many is, to see whether there is some again.
const LOOK_AGAIN: u32 = 64;

/// What waits in the queue.
pub(super) enum Queued {
    /// A frame without its newline, and the room that a large one takes in the queue.
    Frame(Bytes, Option<OwnedSemaphorePermit>),
    /// Answered as soon as everything before it is written.
    Flush(oneshot::Sender<()>),
}

/// Writes what is handed in until all senders are gone, `closing` is cancelled or the pipe breaks.
/// After `closing`, what was handed in before is still written. Returning drops the writer: end of file.
pub(super) async fn pump<W>(mut outlet: Outlet, mut writer: W, closing: CancellationToken)
where
    W: AsyncWrite + Unpin,
{
    let mut batch = Batch::default();
    let mut company = Company::default();
    loop {
        let ready = tokio::select! {
            biased;
            () = closing.cancelled(), if !outlet.is_closed() => {
                outlet.close();
                continue;
            }
            ready = outlet.ready() => ready,
        };
        if !ready {
            return;
        }
        if outlet.frames() < BATCH_FRAMES && company.is_likely() {
            // All who were woken together send before anything is written: one write instead of one for each.
            yield_now().await;
        }
        company.note(outlet.take(&mut batch));
        batch.seal();
        if writer.write_all_buf(&mut batch).await.is_err() || writer.flush().await.is_err() {
            return;
        }
        batch.written();
    }
}

/// Whether others are about to send as well. To wait for them where there are none is not free: a second worker is woken for
/// nothing, and takes over the next call.
#[derive(Default)]
struct Company {
    /// How many frames in a row left alone.
    alone: u32,
}

impl Company {
    fn is_likely(&self) -> bool {
        self.alone < SOON_ALONE || self.alone.is_multiple_of(LOOK_AGAIN)
    }

    /// So many left together.
    fn note(&mut self, count: usize) {
        match count {
            0 => {}
            1 => self.alone = self.alone.wrapping_add(1),
            _ => self.alone = 0,
        }
    }
}

/// The same for a thread of its own. `writer` must not be buffered.
pub(super) fn pump_blocking(mut outlet: Outlet, mut writer: impl Write) {
    let mut batch = Batch::default();
    let waker = Arc::new(Unpark(thread::current())).into();
    let context = Context::from_waker(&waker);
    loop {
        match outlet.poll_ready(&context) {
            Poll::Pending => {
                thread::park();
                continue;
            }
            Poll::Ready(false) => return,
            Poll::Ready(true) => {}
        }
        outlet.take(&mut batch);
        batch.seal();
        if write_all(&mut writer, &mut batch).is_err() {
            return;
        }
        batch.written();
    }
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn write_all(writer: &mut impl Write, batch: &mut Batch) -> io::Result<()> {
    while batch.has_remaining() {
        let mut slices = [IoSlice::new(&[]); 16];
        let count = batch.chunks_vectored(&mut slices);
        match writer.write_vectored(&slices[..count]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => batch.advance(written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Frames on their way out: small ones copied together, large ones as they are.
#[derive(Default)]
pub(super) struct Batch {
    small: BytesMut,
    parts: VecDeque<Bytes>,
    permits: Vec<OwnedSemaphorePermit>,
    flushes: Vec<oneshot::Sender<()>>,
    /// Whether `small` has become so big that its memory is given back.
    bulky: bool,
}

impl Batch {
    /// Adds a frame, and the room that it takes until it is written.
    pub(super) fn push(&mut self, frame: &Bytes, bulk: Option<OwnedSemaphorePermit>) {
        if frame.len() <= SMALL {
            self.small.extend_from_slice(frame);
        } else {
            self.seal();
            self.parts.push_back(frame.clone());
        }
        self.small.put_u8(b'\n');
        self.permits.extend(bulk);
    }

    /// Tells this one when everything before it is written.
    pub(super) fn flush(&mut self, done: oneshot::Sender<()>) {
        self.flushes.push(done);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.small.is_empty() && self.parts.is_empty() && self.flushes.is_empty()
    }

    /// Nothing is added before it is written.
    pub(super) fn seal(&mut self) {
        if !self.small.is_empty() {
            self.bulky |= self.small.len() > KEPT;
            self.parts.push_back(self.small.split().freeze());
        }
    }

    /// Everything has left: gives the room back and tells those who wait for it.
    pub(super) fn written(&mut self) {
        self.permits.clear();
        if std::mem::take(&mut self.bulky) {
            self.small = BytesMut::new();
        }
        for done in self.flushes.drain(..) {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
    }
}

impl Buf for Batch {
    fn remaining(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.parts.front().map_or(&[], |part| part)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let count = self.parts.len().min(slices.len());
        for (slice, part) in slices.iter_mut().zip(&self.parts) {
            *slice = IoSlice::new(part);
        }
        count
    }

    fn advance(&mut self, mut count: usize) {
        while count > 0 {
            let Some(front) = self.parts.front_mut() else {
                return;
            };
            if count < front.len() {
                front.advance(count);
                return;
            }
            count -= front.len();
            self.parts.pop_front();
        }
    }
}
