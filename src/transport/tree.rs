//! Finding and signalling everything that a child has started.
//!
//! A child leads a process group of its own, which its descendants belong to unless they leave it. Those that leave are found
//! on Linux by [`VARIABLE`] in their environment, which descendants inherit. Elsewhere only the group is reached. A descendant
//! that leaves the group *and* clears or hides its environment, or runs under another user, escapes.

use std::sync::Arc;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};

use super::census::{Census, Process};

/// The variable that every child gets, with a value of its own.
pub(super) const VARIABLE: &str = "MCPMUX_TREE";

/// What the processes of one child have in common.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// The process group that the child leads.
    pub(super) group: Pid,
    /// The value of [`VARIABLE`].
    pub(super) mark: String,
    /// Where processes are looked up.
    pub(super) census: Arc<Census>,
}

impl Tree {
    /// All living processes of the child, as they were at some time during this call. Reads many small files.
    pub(super) fn members(&self) -> Vec<Process> {
        self.census.members(&[self.group], &self.mark)
    }

    /// Sends `signal` to the group, whose leader must not have been reaped, and to those `members` that have left it.
    pub(super) fn signal(&self, members: &[Process], signal: Signal) {
        signal_group(self.group, signal);
        for stray in members.iter().filter(|process| process.group != self.group) {
            stray.signal(signal);
        }
    }
}

/// Sends `signal` to a process group; one that is empty is not an error.
pub(super) fn signal_group(group: Pid, signal: Signal) {
    match kill_process_group(group, signal) {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => {
            let group = group.as_raw_nonzero();
            tracing::debug!(%group, %error, "a process group was not signalled");
        }
    }
}
