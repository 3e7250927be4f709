//! Processes of the tests, ended when dropped. They stay in the group of the test, so that whoever
//! interrupts the test interrupts them.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take until it says that it listens.
const START: Duration = Duration::from_secs(60);
/// How long a process may take to end when it is told to.
const STOP: Duration = Duration::from_secs(10);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(50);
/// How many lines are kept for whoever listens.
const UNHEARD: usize = 1024;

/// A command from its words.
pub(crate) fn command(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

/// A process whose stderr goes to a file, line by line also to whoever waits for a word of it.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts it, with stdin and stdout as the command says.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self, String> {
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let stderr = child.stderr.take().ok_or("no stderr")?;
        let mut file = File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
        let (heard, lines) = sync_channel(UNHEARD);
        thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                // Neither a full disk nor a listener that has heard enough stops the process.
                let _ = writeln!(file, "{line}");
                let _ = heard.try_send(line);
            }
        });
        Ok(Self { child, lines })
    }

    /// Starts a server and returns the rest of the first line that has these words in it.
    pub(crate) fn server(
        words: &mut Command,
        log: &Path,
        says: &str,
    ) -> Result<(Self, String), String> {
        words.stdin(Stdio::null()).stdout(Stdio::null());
        let running = Self::start(words, log)?;
        loop {
            let line = running
                .lines
                .recv_timeout(START)
                .map_err(|_| format!("{words:?} never said `{says}`, see {}", log.display()))?;
            if let Some((_, rest)) = line.split_once(says) {
                return Ok((running, rest.trim().to_owned()));
            }
        }
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether it still runs; from then on its number may be somebody else's.
    fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let number = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(number) = number.filter(|_| self.runs()) {
            let _ = kill_process(number, Signal::TERM);
        }
        // Its stderr ends with it; one that does not care is killed.
        while self.lines.recv_timeout(STOP).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processes of other programs with this word in their command line or environment, once those
/// that are about to end have ended. Linux only: elsewhere nothing is found.
pub(crate) fn left_of(word: &str) -> Vec<String> {
    let until = Instant::now() + STOP;
    loop {
        let left: Vec<String> = processes_of(word);
        if left.is_empty() || Instant::now() > until {
            return left;
        }
        thread::sleep(LOOK);
    }
}

fn processes_of(word: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ours = std::process::id().to_string();
    let others = processes.filter(|entry| entry.file_name().to_str() != Some(&ours));
    let described = others.filter_map(|entry| {
        let read = |file| fs::read(entry.path().join(file)).unwrap_or_default();
        let (line, environment) = (read("cmdline"), read("environ"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\0', " ");
        let found = text(&line).contains(word) || text(&environment).contains(word);
        found.then(|| format!("{} {}", entry.file_name().display(), text(&line)))
    });
    described.collect()
}
