//! The direct child, from its start until it is reaped.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The leader of a child's process group.
///
/// It is not reaped before [`Leader::reap`]. Until then the system gives its number to nobody else, so that a signal to the
/// group of that number can only reach processes of this child, also after the leader has exited.
pub(super) struct Leader {
    child: Child,
    pid: Pid,
    /// Made before the start, so that no exit goes unseen.
    deaths: Signal,
}

impl Leader {
    /// What has to exist before a child is started. Needs a runtime with I/O.
    pub(super) fn deaths() -> std::io::Result<Signal> {
        signal(SignalKind::child())
    }

    pub(super) fn new(child: Child, deaths: Signal) -> Self {
        let pid = Pid::from_child(&child);
        Self { child, pid, deaths }
    }

    /// The number of the process and of its group.
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Waits for the exit, without reaping. Cancel safe.
    pub(super) async fn exited(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.status() {
                return status;
            }
            if self.deaths.recv().await.is_none() {
                // The runtime is going down; nobody will ever be told.
                std::future::pending::<()>().await;
            }
        }
    }

    /// How it ended, if it has.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.pid), options) {
            Ok(status) => status.map(|status| {
                let signal = status.terminating_signal().unwrap_or(0);
                let code = status.exit_status().unwrap_or(0);
                ExitStatus::from_raw((code << 8) | signal)
            }),
            Err(Errno::INTR) => None,
            // Somebody else in this process has reaped it, and its status with it.
            Err(_) => Some(ExitStatus::from_raw(0)),
        }
    }

    /// Gives the number back to the system. Only after the exit, else this would wait.
    pub(super) fn reap(mut self) {
        // An error means that somebody else has done it.
        let _ = self.child.wait();
    }
}
