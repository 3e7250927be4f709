//! The signals that end the program.

use std::io;

use super::exit::Exit;

/// The signals, caught from now on.
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Catches them; needs a tokio runtime.
    pub(super) fn catch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one; returns how the program is to end.
    pub(super) async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
            // The terminal went away; nobody is there to be told anything else.
            _ = self.hang_up.recv() => Exit::Terminated,
        }
    }
}

/// The signals, caught from now on.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Catches them; needs a tokio runtime.
    #[allow(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next one; returns how the program is to end.
    pub(super) async fn next(&mut self) -> Exit {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Exit::Interrupted,
            Err(_) => std::future::pending().await,
        }
    }
}
