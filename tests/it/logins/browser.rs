//! A person with a browser.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

use super::peer::node;
use crate::support::process::Process;
use crate::support::{MuxTest, Ran, eventually};

/// What the person types.
pub(super) const PASSWORD: &str = "pa55word-of-alice";

/// What a login left behind.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) ran: Ran,
    /// What the browser showed.
    pub(super) pages: Vec<Value>,
}

impl Visit {
    /// The text of the last page.
    pub(super) fn end(&self) -> &str {
        let last = self.pages.last();
        last.and_then(|page| page["text"].as_str())
            .unwrap_or_default()
    }
}

/// Runs `mcpmux login SERVER FLAGS…`, which opens the browser.
#[track_caller]
pub(super) fn log_in(test: &MuxTest, words: &[&str]) -> Visit {
    log_in_by(test, "consent", words)
}

/// Runs `mcpmux login` with a person who goes another way, see `tests/peers/logins/browser.mjs`.
#[track_caller]
pub(super) fn log_in_by(test: &MuxTest, way: &str, words: &[&str]) -> Visit {
    let pages = tempfile::NamedTempFile::new().expect("a file");
    let out = pages.path().display().to_string();
    let mut command = test.command_for(&[&["login"], words].concat());
    command.env("BROWSER", person(&out, way).join(" "));
    let ran = Process::run(command);
    let opened = ran.stderr.contains("in the browser that opens");
    let pages = if opened { read(&out) } else { Vec::new() };
    Visit { ran, pages }
}

/// Runs `mcpmux login a --device`, and a person opens the page that it prints.
#[track_caller]
pub(super) fn log_in_elsewhere(test: &MuxTest) -> Visit {
    let mut command = test.command_for(&["login", "a", "--device"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut page = String::new();
    let stdout = child.stdout.take().expect("a pipe");
    // Nobody may keep it from going on.
    let stderr = child.stderr.take().expect("a pipe");
    let said = thread::spawn(move || io::read_to_string(stderr).expect("text"));
    BufReader::new(stdout).read_line(&mut page).expect("a line");
    let pages = open(page.trim(), "consent");
    let code = child.wait().expect("it ends").code().unwrap_or(-1);
    let stderr = said.join().expect("it was read");
    let ran = Ran {
        code,
        stdout: page,
        stderr,
    };
    Visit { ran, pages }
}

/// A person opens a page; what the browser showed.
#[track_caller]
fn open(page: &str, way: &str) -> Vec<Value> {
    let pages = tempfile::NamedTempFile::new().expect("a file");
    let out = pages.path().display().to_string();
    let words = person(&out, way);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg(page);
    assert_eq!(Process::run(command).code, 0);
    read(&out)
}

fn person(out: &str, way: &str) -> Vec<String> {
    let mut words = node("browser.mjs");
    words.extend([out, "alice", PASSWORD, way].map(str::to_owned));
    words
}

/// What the browser showed, once it is closed.
#[track_caller]
fn read(out: &str) -> Vec<Value> {
    let mut pages = eventually("the browser is closed", || {
        let text = fs::read_to_string(out).expect("the file is there");
        let pages: Option<Vec<Value>> = text
            .lines()
            .map(|line| serde_json::from_str(line).ok())
            .collect();
        pages.filter(|pages| pages.last().is_some_and(|last| last["over"] == true))
    });
    pages.pop();
    pages
}
