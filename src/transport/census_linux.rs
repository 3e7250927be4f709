//! Processes as `/proc` shows them.

use std::fs::{self, File};
use std::io::Read;
use std::time::Instant;

use memchr::memmem;
use parking_lot::Mutex;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use crate::transport::tree::VARIABLE;

/// How much of an environment is looked at; more than systems allow for one by default.
const ENVIRONMENT: u64 = 4 * 1024 * 1024;

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) group: Pid,
    /// The mark in its environment, if it begins as ours do.
    mark: Option<String>,
}

impl Process {
    /// Sends `signal` if the process is still the one that was seen.
    pub(crate) fn signal(&self, signal: Signal) {
        // A handle first and a second look then, so that a number which has a new owner by now is left alone.
        let handle = pidfd_open(self.pid, PidfdFlags::empty());
        if self
            .mark
            .as_ref()
            .is_none_or(|own| mark(self.pid, own).as_ref() != Some(own))
        {
            return;
        }
        // It may have gone meanwhile, which is what we want.
        let _ = match handle {
            Ok(handle) => pidfd_send_signal(handle, signal),
            // A kernel without handles.
            Err(rustix::io::Errno::NOSYS) => kill_process(self.pid, signal),
            Err(error) => Err(error),
        };
    }
}

/// The process table, walked once for all who ask at the same time: a hundred children that stop
/// together cost two or three walks and not a hundred.
#[derive(Debug)]
pub(crate) struct Census {
    /// What all our marks begin with.
    prefix: String,
    /// The last walk and when it began.
    last: Mutex<Option<(Instant, Vec<Process>)>>,
}

impl Census {
    pub(crate) fn new(prefix: String) -> Self {
        Self {
            prefix,
            last: Mutex::new(None),
        }
    }

    /// The living processes that belong to one of `groups` or whose mark begins with `mark`,
    /// as they were at some time during this call.
    pub(crate) fn members(&self, groups: &[Pid], mark: &str) -> Vec<Process> {
        let asked = Instant::now();
        let mut last = self.last.lock();
        if last.as_ref().is_none_or(|(began, _)| *began < asked) {
            *last = Some((Instant::now(), walk(&self.prefix)));
        }
        let all = last.iter().flat_map(|(_, processes)| processes);
        let is_marked = |process: &Process| process.mark.iter().any(|own| own.starts_with(mark));
        all.filter(|process| is_marked(process) || groups.contains(&process.group))
            .cloned()
            .collect()
    }
}

fn walk(prefix: &str) -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let pids = numbers.filter_map(Pid::from_raw);
    pids.filter_map(|pid| {
        Some(Process {
            pid,
            group: group(pid)?,
            mark: mark(pid, prefix),
        })
    })
    .collect()
}

/// The group of a process. Nothing for one that only waits to be reaped, or that belongs to the system.
fn group(pid: Pid) -> Option<Pid> {
    let stat = fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // `PID (NAME) STATE PARENT GROUP …`, where the name may hold anything.
    let end = memchr::memrchr(b')', &stat)?;
    let mut fields = std::str::from_utf8(&stat[end + 1..])
        .ok()?
        .split_ascii_whitespace();
    let is_dead = matches!(fields.next()?, "Z" | "X");
    let group = fields.nth(1)?.parse().ok()?;
    Pid::from_raw(group).filter(|_| !is_dead)
}

/// The mark in a process's environment, if it begins with `prefix`. Nothing where we may not look.
fn mark(pid: Pid, prefix: &str) -> Option<String> {
    let path = format!("/proc/{}/environ", pid.as_raw_nonzero());
    let mut environment = vec![0];
    let environ = File::open(path).ok()?;
    environ
        .take(ENVIRONMENT)
        .read_to_end(&mut environment)
        .ok()?;
    let wanted = format!("\0{VARIABLE}={prefix}");
    let at = memmem::find(&environment, wanted.as_bytes())?;
    let value = &environment[at + wanted.len() - prefix.len()..];
    let value = value.split(|&byte| byte == 0).next()?;
    std::str::from_utf8(value).ok().map(str::to_owned)
}
