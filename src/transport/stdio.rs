//! Our own stdin and stdout as a link.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::thread;

use tokio::sync::mpsc;

use super::duplex::{READ_MAX, Received};
use super::queue::pump_blocking;
use super::{Duplex, Incoming, Outgoing, TransportError};
use crate::wire::LineDecoder;

/// How many reads' worth of frames may wait for us; each can complete a frame of the largest size.
const READS: usize = 4;

/// Our stdin and stdout. Frames may have up to `limit` bytes. Call it once in a process.
///
/// Two plain threads do the work, because stdin may be a file or a terminal, and because the same
/// open pipe may belong to our parent, whose side must not become non-blocking. The reading
/// thread cannot be interrupted: it ends with stdin or with the process.
pub fn stdio(limit: usize) -> Result<Duplex, TransportError> {
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    let stdout = stdout.map_err(|error| TransportError::reading(&error))?;
    threads(io::stdin(), File::from(stdout), limit)
}

/// The same over any blocking pair. `writer` must not be buffered.
pub(super) fn threads(
    reader: impl Read + Send + 'static,
    writer: impl Write + Send + 'static,
    limit: usize,
) -> Result<Duplex, TransportError> {
    let (outgoing, queue) = Outgoing::new();
    let (frames, received) = mpsc::channel(READS);
    start("stdout", move || pump_blocking(queue, writer))?;
    start("stdin", move || read(reader, limit, &frames))?;
    Ok(Duplex {
        incoming: Incoming::batches(received),
        outgoing,
    })
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), TransportError> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    started
        .map(drop)
        .map_err(|error| TransportError::reading(&error))
}

/// Reads until the end or until nobody listens; all frames of one read are handed over together.
fn read(mut reader: impl Read, limit: usize, frames: &mpsc::Sender<Vec<Received>>) {
    let mut decoder = LineDecoder::new(limit);
    let mut buffer = vec![0; READ_MAX];
    loop {
        let mut ready: Vec<Received> = Vec::new();
        let more = match reader.read(&mut buffer) {
            Ok(0) => {
                ready.extend(decoder.finish().map(Ok));
                false
            }
            Ok(count) => {
                decoder.push(&buffer[..count]);
                ready.extend(
                    decoder
                        .by_ref()
                        .map(|frame| frame.map_err(TransportError::from)),
                );
                true
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                ready.push(Err(TransportError::reading(&error)));
                false
            }
        };
        if !ready.is_empty() && frames.blocking_send(ready).is_err() {
            return;
        }
        if !more {
            return;
        }
    }
}
