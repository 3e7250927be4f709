//! The processes that tests start themselves.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;

use parking_lot::{Condvar, Mutex};

use super::{client, eventually, patience};

/// What a command that has ended left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// The exit code; 128 + the signal's number where a signal ended it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Text that grows while somebody waits for a part of it.
#[derive(Clone, Default)]
pub(super) struct Text(Arc<(Mutex<Output>, Condvar)>);

#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    ended: bool,
}

impl Text {
    pub(super) fn fill(from: impl Read + Send + 'static) -> Self {
        let text = Self::default();
        let filled = text.clone();
        thread::spawn(move || filled.read(from));
        text
    }

    fn read(&self, mut from: impl Read) {
        let mut part = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut part) {
            self.0.0.lock().bytes.extend(&part[..count]);
            self.0.1.notify_all();
        }
        self.0.0.lock().ended = true;
        self.0.1.notify_all();
    }

    pub(super) fn now(&self) -> String {
        String::from_utf8_lossy(&self.0.0.lock().bytes).into_owned()
    }

    /// The whole text, once the pipe has been closed.
    #[track_caller]
    pub(super) fn whole(&self) -> String {
        let mut locked = self.0.0.lock();
        self.0
            .1
            .wait_while_for(&mut locked, |output| !output.ended, patience());
        assert!(
            locked.ended,
            "an output stayed open: {}",
            String::from_utf8_lossy(&locked.bytes)
        );
        String::from_utf8_lossy(&locked.bytes).into_owned()
    }

    /// Waits until the probe finds something in the text; `None` when it ended without.
    #[track_caller]
    pub(super) fn wait<T>(&self, what: &str, probe: impl Fn(&str) -> Option<T>) -> T {
        let mut found = None;
        let mut locked = self.0.0.lock();
        self.0.1.wait_while_for(
            &mut locked,
            |output| {
                found = probe(&String::from_utf8_lossy(&output.bytes));
                found.is_none() && !output.ended
            },
            patience(),
        );
        found.unwrap_or_else(|| {
            panic!(
                "waited in vain for {what} in:\n{}",
                String::from_utf8_lossy(&locked.bytes)
            )
        })
    }
}

/// A running process whose pipes are ours; dropping it kills it.
pub(crate) struct Process {
    child: Child,
    stdio: Option<Arc<client::Stdio>>,
    pub(super) stderr: Text,
}

impl Process {
    /// Starts a process and talks to it over its stdin and stdout.
    #[track_caller]
    pub(crate) fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let ends = child.stdin.take().zip(child.stdout.take());
        let stdio = ends.map(|(stdin, stdout)| client::Stdio::new(stdin, stdout));
        let stderr = Text::fill(child.stderr.take().expect("a piped stderr"));
        Self {
            child,
            stdio,
            stderr,
        }
    }

    /// Starts a process that has something else than us on its stdin.
    #[track_caller]
    pub(crate) fn start_with_stdin(mut command: Command, stdin: impl Into<Stdio>) -> Self {
        command
            .stdin(stdin.into())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stderr = Text::fill(child.stderr.take().expect("a piped stderr"));
        Self {
            child,
            stdio: None,
            stderr,
        }
    }

    /// Runs a command to its end, with nothing on its stdin.
    #[track_caller]
    pub(crate) fn run(mut command: Command) -> Ran {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = Text::fill(child.stdout.take().expect("a piped stdout"));
        let stderr = Text::fill(child.stderr.take().expect("a piped stderr"));
        let mut process = Self {
            child,
            stdio: None,
            stderr,
        };
        let code = process.wait();
        Ran {
            code,
            stdout: stdout.whole(),
            stderr: process.stderr.whole(),
        }
    }

    /// The pipes of a process that was started, not run.
    pub(crate) fn stdio(&self) -> &Arc<client::Stdio> {
        self.stdio.as_ref().expect("a started process has pipes")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process has ended, and how.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.child.try_wait().expect("the child is ours").map(code)
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> i32 {
        eventually("a process ends", || self.ended())
    }

    /// Asks the process to end, as a service manager does.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        use rustix::process::{Pid, kill_process};

        let pid = i32::try_from(self.id())
            .ok()
            .and_then(Pid::from_raw)
            .expect("a process id");
        kill_process(pid, signal).expect("the process is there");
    }

    /// Waits until the log holds this text.
    #[track_caller]
    pub(crate) fn wait_stderr(&self, text: &str) {
        self.stderr
            .wait(text, |all| all.contains(text).then_some(()));
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(unix)]
pub(super) fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;

    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .expect("an end")
}

#[cfg(not(unix))]
fn code(status: ExitStatus) -> i32 {
    status.code().expect("an end")
}
