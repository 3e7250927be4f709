//! A person who logs in.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use url::Url;

use crate::support::{MuxTest, Ran, Request};

/// How the answer of the browser gets back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Back {
    /// The browser is sent to this machine.
    Redirect,
    /// The person copies the address.
    Pasted,
}

/// Runs `mcpmux login a --no-browser`, opens the page that it prints, and goes where that leads.
#[track_caller]
pub(super) fn log_in(mux: &MuxTest, back: Back) -> Ran {
    log_in_with(mux, back, &[])
}

#[track_caller]
pub(super) fn log_in_with(mux: &MuxTest, back: Back, flags: &[&str]) -> Ran {
    let mut command: Command = mux.command_for(&["login", "a", "--no-browser"]);
    command.args(flags);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("mcpmux starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut page = String::new();
    stdout.read_line(&mut page).expect("a line");
    if let Ok(page) = Url::parse(page.trim()) {
        let there = visit(&page).expect("a redirect");
        match back {
            Back::Redirect => drop(visit(&there)),
            Back::Pasted => {
                let mut stdin = child.stdin.take().expect("a pipe");
                writeln!(stdin, "nonsense\n{there}").expect("it reads");
            }
        }
    }
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut stderr)
        .expect("UTF-8");
    let code = child.wait().expect("it ends").code().unwrap_or(-1);
    Ran {
        code,
        stdout: page,
        stderr,
    }
}

/// Opens a page; where it leads.
fn visit(page: &Url) -> Option<Url> {
    let to = page.socket_addrs(|| None).expect("an address")[0];
    let path = format!("{}?{}", page.path(), page.query().unwrap_or_default());
    let response = Request::new("GET")
        .path(&path)
        .header("Connection", "close")
        .send(to);
    let there = response
        .header("location")
        .and_then(|there| Url::parse(there).ok());
    drop(response.body());
    there
}
