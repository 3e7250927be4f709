//! Starting a server as a child process.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::guard::Guard;
use super::leader::Leader;
use super::lines::Lines;
use super::process::{ChildProcess, Pipes};
use super::queue::pump;
use super::tree::{VARIABLE, signal_group};
use super::{Duplex, Incoming, Outgoing, TransportError};
use crate::config::ChildConfig;

/// A child process and its three pipes.
pub struct Child {
    /// Its stdin and stdout. `incoming` ends when the child and all who inherited its stdout are gone.
    pub duplex: Duplex,
    /// The process itself.
    pub process: ChildProcess,
    /// Its stderr.
    pub stderr: Lines,
}

/// Starts a child in a process group of its own. Frames may have up to `limit` bytes.
///
/// The child inherits our environment, then what `config` sets, then a mark by which its descendants are
/// found. Needs a runtime with I/O; two tasks on `tracker` serve the pipes until the process is stopped.
pub fn spawn(
    config: &ChildConfig,
    limit: usize,
    guard: &Guard,
    tracker: &TaskTracker,
) -> Result<Child, TransportError> {
    guard.prepare();
    let mark = guard.next_mark();
    let deaths = Leader::deaths().map_err(|error| failure(config, &error))?;
    let mut command = command(config);
    let mut child = command
        .env(VARIABLE, &mark)
        .spawn()
        .map_err(|error| failure(config, &error))?;
    let pipes = Ends::of(&mut child);
    let leader = Leader::new(child, deaths);
    let tree = guard.adopt(leader.pid(), mark);
    let Ends {
        stdin,
        stdout,
        stderr,
    } = match pipes {
        Ok(ends) => ends,
        Err(error) => {
            signal_group(tree.group, Signal::KILL);
            guard.release(tree.group);
            leader.reap();
            return Err(failure(config, &error));
        }
    };
    let (outgoing, outlet) = Outgoing::lines();
    let (lines, reading) = Lines::of(stderr);
    let closing = CancellationToken::new();
    let pipes = Pipes {
        writer: tracker.spawn(pump(outlet, stdin, closing.clone())),
        stderr: tracker.spawn(reading),
        closing,
    };
    Ok(Child {
        duplex: Duplex {
            incoming: Incoming::lines(stdout, limit),
            outgoing,
        },
        process: ChildProcess::new(leader, (tree, guard.clone()), pipes, tracker),
        stderr: lines,
    })
}

fn command(config: &ChildConfig) -> Command {
    let mut command = Command::new(&config.command);
    command.args(&config.args).process_group(0);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // These are between the service manager and us.
    for name in [
        "NOTIFY_SOCKET",
        "WATCHDOG_PID",
        "WATCHDOG_USEC",
        "LISTEN_FDNAMES",
    ] {
        command.env_remove(name);
    }
    for (name, value) in &config.env {
        command.env(name, value.expose());
    }
    if let Some(directory) = &config.cwd {
        command.current_dir(directory);
    }
    command
}

/// Our ends of the three pipes.
struct Ends {
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: ChildStderr,
}

impl Ends {
    fn of(child: &mut std::process::Child) -> io::Result<Self> {
        let missing = || io::Error::other("a pipe is missing");
        Ok(Self {
            stdin: ChildStdin::from_std(child.stdin.take().ok_or_else(missing)?)?,
            stdout: ChildStdout::from_std(child.stdout.take().ok_or_else(missing)?)?,
            stderr: ChildStderr::from_std(child.stderr.take().ok_or_else(missing)?)?,
        })
    }
}

fn failure(config: &ChildConfig, error: &io::Error) -> TransportError {
    let command = config.command.clone();
    match (&config.cwd, error.kind()) {
        (Some(path), io::ErrorKind::NotFound) if !path.is_dir() => {
            TransportError::NoDirectory { path: path.clone() }
        }
        (_, io::ErrorKind::NotFound) => TransportError::NotFound { command },
        _ => TransportError::Spawn {
            command,
            detail: error.to_string(),
        },
    }
}

#[cfg(test)]
#[path = "child_tests.rs"]
mod tests;
