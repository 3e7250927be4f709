//! Our own stdin and stdout as a link.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::thread;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::duplex::{READ_MAX, Received};
use super::queue::{pump, pump_blocking};
use super::{Duplex, Incoming, Outgoing, TransportError, ends};
use crate::wire::LineDecoder;

/// How many reads' worth of frames may wait for us; each can complete a frame of the largest size.
const READS: usize = 4;

/// Our stdin and stdout. Frames may have up to `limit` bytes. Call it once in a process.
///
/// Pipes and sockets are waited for, by one task on `tracker` for what we send. Files and terminals cannot be
/// waited for: each has a plain thread, of which the reading one cannot be interrupted and ends with stdin or with the process.
pub fn stdio(limit: usize, tracker: &TaskTracker) -> Result<Duplex, TransportError> {
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let outgoing = if let Some(writer) = ends::writer(stdout.as_fd()) {
        writing(writer, tracker)
    } else {
        let stdout = stdout.as_fd().try_clone_to_owned();
        let stdout = stdout.map_err(|error| TransportError::reading(&error))?;
        write_on_thread(File::from(stdout))?
    };
    let incoming = match ends::reader(stdin.as_fd()) {
        Some(reader) => Incoming::lines(reader, limit),
        None => read_on_thread(stdin, limit)?,
    };
    Ok(Duplex { incoming, outgoing })
}

fn writing(writer: ends::Writer, tracker: &TaskTracker) -> Outgoing {
    let (outgoing, outlet) = Outgoing::lines();
    tracker.spawn(pump(outlet, writer, CancellationToken::new()));
    outgoing
}

/// `writer` must not be buffered.
pub(super) fn write_on_thread(
    writer: impl Write + Send + 'static,
) -> Result<Outgoing, TransportError> {
    let (outgoing, outlet) = Outgoing::lines();
    start("stdout", move || pump_blocking(outlet, writer))?;
    Ok(outgoing)
}

pub(super) fn read_on_thread(
    reader: impl Read + Send + 'static,
    limit: usize,
) -> Result<Incoming, TransportError> {
    let (frames, received) = mpsc::channel(READS);
    start("stdin", move || read(reader, limit, &frames))?;
    Ok(Incoming::batches(received))
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
