//! A child process while it runs, and the ways in which it ends.

use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::census::Process;
use super::guard::Guard;
use super::leader::Leader;
use super::tree::{Tree, signal_group};

/// How long what is left is killed again, should it go on starting processes meanwhile.
const KILLING: Duration = Duration::from_secs(2);
/// How long the last lines on stderr may take once everybody who writes there is dead.
const LAST_WORDS: Duration = Duration::from_millis(200);
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// A running child with everything that it has started.
///
/// Dropping it kills the whole process group at once; the rest is cleared away in the background.
pub struct ChildProcess {
    /// Gone when somebody else has taken over the ending.
    body: Option<Body>,
    runtime: Handle,
    tracker: TaskTracker,
}

/// What has to be put away at the end.
struct Body {
    leader: Leader,
    tree: Tree,
    guard: Guard,
    /// Closes the child's stdin after what is queued for it.
    closing: CancellationToken,
    writer: JoinHandle<()>,
    stderr: JoinHandle<()>,
}

/// The tasks of a child's pipes.
pub(super) struct Pipes {
    pub(super) closing: CancellationToken,
    pub(super) writer: JoinHandle<()>,
    pub(super) stderr: JoinHandle<()>,
}

impl ChildProcess {
    pub(super) fn new(
        leader: Leader,
        (tree, guard): (Tree, Guard),
        pipes: Pipes,
        tracker: &TaskTracker,
    ) -> Self {
        let Pipes {
            closing,
            writer,
            stderr,
        } = pipes;
        let body = Body {
            leader,
            tree,
            guard,
            closing,
            writer,
            stderr,
        };
        Self {
            body: Some(body),
            runtime: Handle::current(),
            tracker: tracker.clone(),
        }
    }

    /// The number of the process, which is also that of its group.
    pub fn id(&self) -> u32 {
        self.body.as_ref().map_or(0, |body| {
            body.leader.pid().as_raw_nonzero().get().unsigned_abs()
        })
    }

    /// Waits until the child itself has exited. What it started may still run, until [`ChildProcess::stop`] or drop.
    /// Cancel safe.
    pub async fn exited(&mut self) -> ExitStatus {
        match &mut self.body {
            Some(body) => body.leader.exited().await,
            None => std::future::pending().await,
        }
    }

    /// Ends the child and all its descendants: end of file on stdin, `SIGTERM` after half of `grace`, `SIGKILL` after the
    /// rest of it. Returns as soon as nothing is left, which may be at once. Dropping the future kills at once.
    pub async fn stop(mut self, grace: Duration) {
        let deadline = Instant::now() + grace;
        if let Some(body) = &mut self.body {
            body.closing.cancel();
            // Either way there may be something left.
            let _ = timeout(grace / 2, body.leader.exited()).await;
            body.end_by(deadline).await;
        }
        if let Some(body) = self.body.take() {
            body.bury().await;
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        let Some(mut body) = self.body.take() else {
            return;
        };
        signal_group(body.tree.group, Signal::KILL);
        body.closing.cancel();
        let burial = async move {
            body.kill().await;
            body.bury().await;
        };
        self.tracker.spawn_on(burial, &self.runtime);
    }
}

impl Body {
    /// Asks what is left to end, and kills what is left at the deadline.
    async fn end_by(&mut self, deadline: Instant) {
        let mut pause = PAUSE_MIN;
        let mut asked = false;
        while Instant::now() < deadline {
            let Some(members) = self.rest().await else {
                return;
            };
            if !asked {
                self.tree.signal(&members, Signal::TERM);
                asked = true;
            }
            // The exit of the leader is announced, that of the others has to be looked for.
            if self.leader.status().is_none() {
                let _ = timeout_at(deadline, self.leader.exited()).await;
            } else {
                sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
        self.kill().await;
    }

    /// Kills until nothing is left.
    async fn kill(&mut self) {
        let deadline = Instant::now() + KILLING;
        let mut pause = PAUSE_MIN;
        signal_group(self.tree.group, Signal::KILL);
        while let Some(members) = self.rest().await {
            if Instant::now() >= deadline {
                tracing::warn!(
                    count = members.len(),
                    "processes of a server cannot be killed"
                );
                return;
            }
            self.tree.signal(&members, Signal::KILL);
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// All that still runs; `None` when nothing does. Looking means reading files, which must not hold up other tasks.
    async fn rest(&self) -> Option<Vec<Process>> {
        let tree = self.tree.clone();
        let members = spawn_blocking(move || tree.members())
            .await
            .unwrap_or_default();
        (!members.is_empty() || self.leader.status().is_none()).then_some(members)
    }

    /// Everybody should be dead: gives back the number, and ends the tasks of the pipes.
    async fn bury(mut self) {
        if timeout(KILLING, self.leader.exited()).await.is_ok() {
            // Where processes cannot be looked up, this is what ends those of the group.
            signal_group(self.tree.group, Signal::KILL);
            self.guard.release(self.tree.group);
            self.leader.reap();
        }
        let _ = timeout(LAST_WORDS, &mut self.stderr).await;
        // A process that got away may still hold the other ends.
        self.stderr.abort();
        self.writer.abort();
    }
}
