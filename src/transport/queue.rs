//! The queue of frames towards one peer, and the batches in which it is written.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

/// How many frames may wait for one peer.
pub(super) const QUEUE_FRAMES: usize = 256;
/// Frames up to this size are copied together, so that many leave in one write.
const SMALL: usize = 4 * 1024;
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

/// Writes what the queue holds until all senders are gone, `closing` is cancelled or the pipe breaks.
/// After `closing`, what was queued before is still written. Returning drops the writer: end of file.
pub(super) async fn pump<W>(
    mut queue: mpsc::Receiver<Queued>,
    mut writer: W,
    closing: CancellationToken,
) where
    W: AsyncWrite + Unpin,
{
    let mut taken = Vec::with_capacity(BATCH_FRAMES);
    let mut batch = Batch::default();
    let mut company = Company::default();
    loop {
        let count = tokio::select! {
            biased;
            () = closing.cancelled(), if !queue.is_closed() => {
                queue.close();
                continue;
            }
            count = queue.recv_many(&mut taken, BATCH_FRAMES) => count,
        };
        if count == 0 {
            return;
        }
        if count < BATCH_FRAMES && company.is_likely() {
            // All who were woken together send before anything is written: one write instead of one for each.
            yield_now().await;
            while taken.len() < BATCH_FRAMES
                && let Ok(more) = queue.try_recv()
            {
                taken.push(more);
            }
        }
        company.note(taken.len());
        batch.fill(&mut taken);
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
        self.alone = match count {
            1 => self.alone.wrapping_add(1),
            _ => 0,
        };
    }
}

/// The same for a thread of its own. `writer` must not be buffered.
pub(super) fn pump_blocking(mut queue: mpsc::Receiver<Queued>, mut writer: impl Write) {
    let mut taken = Vec::with_capacity(BATCH_FRAMES);
    let mut batch = Batch::default();
    while queue.blocking_recv_many(&mut taken, BATCH_FRAMES) > 0 {
        batch.fill(&mut taken);
        if write_all(&mut writer, &mut batch).is_err() {
            return;
        }
        batch.written();
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
struct Batch {
    small: BytesMut,
    parts: VecDeque<Bytes>,
    permits: Vec<OwnedSemaphorePermit>,
    flushes: Vec<oneshot::Sender<()>>,
}

impl Batch {
    fn fill(&mut self, taken: &mut Vec<Queued>) {
        for queued in taken.drain(..) {
            match queued {
                Queued::Frame(frame, permit) => {
                    self.push(frame);
                    self.permits.extend(permit);
                }
                Queued::Flush(done) => self.flushes.push(done),
            }
        }
        self.seal();
    }

    fn push(&mut self, frame: Bytes) {
        if frame.len() <= SMALL {
            self.small.extend_from_slice(&frame);
        } else {
            self.seal();
            self.parts.push_back(frame);
        }
        self.small.put_u8(b'\n');
    }

    fn seal(&mut self) {
        if !self.small.is_empty() {
            self.parts.push_back(self.small.split().freeze());
        }
    }

    /// Everything has left: gives the room back and tells those who wait for it.
    fn written(&mut self) {
        self.permits.clear();
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
