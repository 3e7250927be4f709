//! Runs a command line for what it prints.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// How much a command may print, in bytes.
const MOST: u64 = 64 << 10;

/// What a command line prints on stdout, with further variables in its environment. Neither that nor what it prints on stderr is in the error.
pub(super) fn output(
    line: &str,
    variables: &[(&str, &str)],
    patience: Duration,
) -> Result<String, String> {
    let mut command = shell(line);
    command
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let child = command
        .spawn()
        .map_err(|error| format!("it cannot be started: {}", error.kind()))?;
    let id = child.id();
    let (tell, told) = sync_channel(1);
    let reader = thread::Builder::new().name("command".to_owned());
    let work = move || {
        // Whoever waited may have given up.
        drop(tell.send(read(child)));
    };
    reader
        .spawn(work)
        .map_err(|error| format!("it cannot be read: {}", error.kind()))?;
    let printed = told.recv_timeout(patience).unwrap_or_else(|gone| {
        Err(match gone {
            RecvTimeoutError::Timeout => format!("it took longer than {patience:?}"),
            RecvTimeoutError::Disconnected => "it could not be read".to_owned(),
        })
    });
    if printed.is_err() {
        end(id);
    }
    printed
}

fn read(mut child: Child) -> Result<String, String> {
    let unreadable = |error: io::Error| format!("it could not be read: {}", error.kind());
    let mut bytes = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let read = stdout.take(MOST + 1).read_to_end(&mut bytes);
        read.map_err(unreadable)?;
    }
    if bytes.len() as u64 > MOST {
        return Err(format!("it printed more than {} KiB", MOST >> 10));
    }
    let status = child.wait().map_err(unreadable)?;
    match status.code() {
        Some(0) => String::from_utf8(bytes).map_err(|_| "it printed no text".to_owned()),
        Some(code) => Err(format!("it ended with exit code {code}")),
        None => Err("a signal ended it".to_owned()),
    }
}

#[cfg(unix)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

#[cfg(not(unix))]
fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd");
    command.args(["/C", line]);
    command
}

/// Ends a command and what it started.
#[cfg(unix)]
fn end(id: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};

    if let Some(leader) = Pid::from_raw(id.cast_signed()) {
        // It may have ended by itself.
        let _ = kill_process_group(leader, Signal::KILL);
    }
}

/// Elsewhere a command that takes too long ends by itself.
#[cfg(not(unix))]
fn end(_: u32) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<String, String> {
        output(line, &[], Duration::from_secs(60))
    }

    #[test]
    fn what_is_printed_comes_back() {
        assert_eq!(run("printf 'a\\nb\\n'; echo no >&2").unwrap(), "a\nb\n");
        assert_eq!(run("cat").unwrap(), "");
    }

    #[test]
    fn what_goes_wrong_is_told_without_what_was_printed() {
        let error = |line| run(line).unwrap_err();
        let wanted = "it ended with exit code 3";
        assert_eq!(error("echo s3cret; echo s3cret >&2; exit 3"), wanted);
        assert_eq!(error("echo s3cret; kill -9 $$"), "a signal ended it");
        assert_eq!(error("printf '\\377'"), "it printed no text");
        assert_eq!(error("yes s3cret"), "it printed more than 64 KiB");
    }

    #[test]
    fn a_command_that_hangs_ends_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, line) = (folder.path().join("pipe"), "sleep 600 & wait");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let line = format!("exec 3>'{}'; {line}", pipe.display());
        let (tell, told) = sync_channel(1);
        let opened = pipe.clone();
        thread::spawn(move || {
            let mut end = Vec::new();
            let read = std::fs::File::open(opened).and_then(|mut pipe| pipe.read_to_end(&mut end));
            tell.send(read.unwrap()).unwrap();
        });
        let error = output(&line, &[], Duration::from_millis(300)).unwrap_err();
        assert_eq!(error, "it took longer than 300ms");
        // The pipe ends when nobody holds it any more.
        assert_eq!(told.recv_timeout(Duration::from_secs(60)), Ok(0));
    }
}
