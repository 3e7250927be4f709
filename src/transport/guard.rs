//! The guard: a small process beside the mux that outlives it and leaves no orphan.
//!
//! A mux that is killed outright cannot stop its children. So before the first child it starts its own program again, with
//! [`ARGUMENT`] as the only argument, in a process group of its own. The guard reads which groups there are from a pipe whose
//! other end only the mux holds. When that pipe ends, in whatever way, the guard stops what is left.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, BufRead, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal};

use super::TransportError;
use super::census::Census;
use super::tree::{Tree, signal_group};

/// The first argument that makes the program a guard instead of a mux.
pub const ARGUMENT: &str = "__guard";

/// What the process is called. Whoever kills all processes with our name at once must not hit it.
const NAME: &str = "mux-guard";

/// How long orphans have after the request to end.
const GRACE: Duration = Duration::from_secs(2);
/// How long the guard goes on killing what does not vanish.
const KILLING: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);

/// The mux's side of the guard, shared by all children. Its process starts with the first child, and again
/// when it was lost. Dropping the last clone lets the guard stop all children that are left.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    /// How to start the process; `None` = there is none.
    program: Option<(OsString, Vec<OsString>)>,
    /// What the marks of all children of this mux begin with; no other mux has the same.
    token: String,
    census: Arc<Census>,
    children: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    groups: HashSet<Pid>,
    process: Option<Process>,
    /// That there is no guard has been said.
    warned: bool,
}

/// A running guard.
struct Process {
    pipe: UnixStream,
    child: Child,
}

impl Guard {
    /// A guard that runs `program` with [`ARGUMENT`]; usually [`own_program`].
    pub fn new(program: impl Into<OsString>) -> Self {
        Self::running(Some((program.into(), vec![ARGUMENT.into()])))
    }

    /// No process: when this process is killed outright, its children stay. Everything else works.
    pub fn none() -> Self {
        Self::running(None)
    }

    pub(super) fn running(program: Option<(OsString, Vec<OsString>)>) -> Self {
        let token = format!("{:032x}", rand::random::<u128>());
        Self(Arc::new(Inner {
            program,
            census: Arc::new(Census::new(format!("{token}-"))),
            token,
            children: AtomicU64::new(0),
            state: Mutex::default(),
        }))
    }

    /// Sees to it that the guard runs. A guard that does not start is reported and not fatal.
    pub(super) fn prepare(&self) {
        let mut state = self.0.state.lock();
        if state.process.is_none() {
            self.0.start(&mut state);
        }
    }

    /// A mark for the next child, unlike any other and no beginning of any other.
    pub(super) fn next_mark(&self) -> String {
        let number = self.0.children.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number}.", self.0.token)
    }

    /// Puts a new group under guard.
    pub(super) fn adopt(&self, group: Pid, mark: String) -> Tree {
        let mut state = self.0.state.lock();
        state.groups.insert(group);
        self.0.tell(&mut state, '+', group);
        Tree {
            group,
            mark,
            census: self.0.census.clone(),
        }
    }

    /// A group is empty. To be called before its leader is reaped, so that the guard never knows a number
    /// which may have a new owner.
    pub(super) fn release(&self, group: Pid) {
        let mut state = self.0.state.lock();
        state.groups.remove(&group);
        self.0.tell(&mut state, '-', group);
    }
}

impl Inner {
    /// Tells about one group; a guard that has died is replaced by one that knows everything.
    fn tell(&self, state: &mut State, what: char, group: Pid) {
        let process = state.process.as_mut();
        let said = process.map(|process| process.say(what, &group.as_raw_nonzero()));
        if let Some(Err(error)) = said {
            tracing::warn!(%error, "the guard process was lost");
            if let Some(process) = &mut state.process {
                process.kill();
            }
            self.start(state);
        }
    }

    fn start(&self, state: &mut State) {
        state.process = None;
        let Some((program, arguments)) = &self.program else {
            return;
        };
        let started = Process::start(program, arguments).and_then(|mut process| {
            process.say('=', &self.token)?;
            for group in &state.groups {
                process.say('+', &group.as_raw_nonzero())?;
            }
            Ok(process)
        });
        match started {
            Ok(process) => state.process = Some(process),
            Err(_) if state.warned => {}
            Err(error) => {
                state.warned = true;
                tracing::warn!(%error, "no guard process: if mcpmux is killed outright, its servers will stay");
            }
        }
    }
}

impl Process {
    fn start(program: &OsString, arguments: &[OsString]) -> io::Result<Self> {
        let (pipe, theirs) = UnixStream::pair()?;
        // A guard that is stopped must not stop the mux.
        pipe.set_nonblocking(true)?;
        let mut command = Command::new(program);
        command.arg0(NAME).args(arguments);
        command.process_group(0).current_dir("/");
        // No mark of a mux above us, or that one would take the guard for a server; and no open output, or
        // whoever reads ours to its end would wait for the guard.
        command
            .env_clear()
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(Self {
            child: command.spawn()?,
            pipe,
        })
    }

    fn say(&mut self, what: char, text: &dyn Display) -> io::Result<()> {
        self.pipe.write_all(format!("{what}{text}\n").as_bytes())
    }

    /// A guard that only hangs must not take the end of its pipe for the end of the mux later.
    fn kill(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended {
            tracing::warn!(%error, "the old guard process was not ended");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Closing our end is what makes it finish; somebody has to reap it then.
        let _ = self.pipe.shutdown(std::net::Shutdown::Both);
        let Ok(None) = self.child.try_wait() else {
            return;
        };
        let pid = Pid::from_child(&self.child);
        let reaper = thread::Builder::new().name("guard".to_owned());
        let _ = reaper.spawn(move || {
            rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty())
        });
    }
}

/// The path under which this program can be started again.
pub fn own_program() -> Result<OsString, TransportError> {
    let path = std::env::current_exe().map_err(|error| TransportError::reading(&error))?;
    // The file may have been replaced since; Linux still has the one that runs.
    if cfg!(target_os = "linux") && !path.exists() {
        return Ok("/proc/self/exe".into());
    }
    Ok(path.into())
}

/// The life of the guard process: `main` calls this when the first argument is [`ARGUMENT`].
pub fn run() -> ExitCode {
    // Only Linux has it, and a guard of another name guards as well.
    let _ = std::fs::write("/proc/self/comm", NAME);
    let mut token = String::new();
    let mut groups = HashSet::new();
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else {
            break;
        };
        let group = || Pid::from_raw(line.get(1..)?.parse().ok()?);
        match line.as_bytes().first() {
            Some(b'=') => line[1..].clone_into(&mut token),
            Some(b'+') => groups.extend(group()),
            Some(b'-') => groups.retain(|known| Some(*known) != group()),
            _ => {}
        }
    }
    // Without a token every process with any mark would match.
    if token.is_empty() {
        return ExitCode::SUCCESS;
    }
    sweep(groups.into_iter().collect(), &format!("{token}-"));
    ExitCode::SUCCESS
}

/// Asks all to end, waits, and kills the rest.
fn sweep(mut groups: Vec<Pid>, prefix: &str) {
    let census = Census::new(prefix.to_owned());
    let started = Instant::now();
    let mut asked = false;
    while started.elapsed() < GRACE + KILLING {
        let members = census.members(&groups, prefix);
        if members.is_empty() {
            return;
        }
        // The number of a group that was seen empty may soon be somebody else's.
        groups.retain(|group| members.iter().any(|process| process.group == *group));
        let signal = if started.elapsed() < GRACE {
            Signal::TERM
        } else {
            Signal::KILL
        };
        if !asked || signal == Signal::KILL {
            for &group in &groups {
                signal_group(group, signal);
            }
            for stray in members
                .iter()
                .filter(|process| !groups.contains(&process.group))
            {
                stray.signal(signal);
            }
            asked = true;
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
