//! The signals that end the program, and the one at which a server reads its configuration again.

use std::io::{self, IsTerminal};

use super::exit::Exit;

/// The signals, caught from now on.
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Catches them; needs a tokio runtime.
    pub(super) fn catch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: Some(signal(SignalKind::hangup())?),
        })
    }

    /// Catches them, but leaves the hang-up to others.
    pub(super) fn but_hang_up() -> io::Result<Self> {
        let all = Self::catch()?;
        Ok(Self {
            hang_up: None,
            ..all
        })
    }

    /// Waits for the next one; returns how the program is to end.
    pub(super) async fn next(&mut self) -> Exit {
        let hang_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
            // The terminal went away; nobody is there to be told anything else.
            _ = hang_up => Exit::Terminated,
        }
    }
}

/// What a hang-up means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HangUp {
    /// Somebody wants the configuration to be read again.
    Reload,
    /// The terminal from which the program was started is gone.
    Gone,
}

/// The hang-ups, caught from now on.
pub(super) struct HangUps {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
    has_terminal: bool,
}

impl HangUps {
    /// Catches them; needs a tokio runtime.
    #[allow(clippy::unnecessary_wraps, reason = "it can fail on some systems")]
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?,
            has_terminal: io::stderr().is_terminal(),
        })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> HangUp {
        #[cfg(unix)]
        self.signal.recv().await;
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
        // A terminal that has hung up is none any more.
        if self.has_terminal && !io::stderr().is_terminal() {
            HangUp::Gone
        } else {
            HangUp::Reload
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

    /// Catches them; there is no hang-up here.
    pub(super) fn but_hang_up() -> io::Result<Self> {
        Self::catch()
    }

    /// Waits for the next one; returns how the program is to end.
    pub(super) async fn next(&mut self) -> Exit {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Exit::Interrupted,
            Err(_) => std::future::pending().await,
        }
    }
}
