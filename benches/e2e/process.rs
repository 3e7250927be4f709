//! The processes of a measurement: this program in other parts, and the mux.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::mock::{Era, Mock};

/// Tells the parent where this process listens.
pub(crate) fn announce(ports: &[u16]) -> io::Result<()> {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let mut out = io::stdout().lock();
    writeln!(out, "{}", ports.join(" "))?;
    out.flush()
}

/// A process that ends with its owner.
pub(crate) struct Child(std::process::Child);

impl Child {
    fn start(command: &mut Command) -> io::Result<Self> {
        command.spawn().map(Self)
    }

    /// This program in the part of a mock on its stdin and stdout.
    pub(crate) fn mock_on_stdio(mock: Mock) -> io::Result<Self> {
        let (program, arguments) = mock_command(mock)?;
        let mut command = Command::new(program);
        Self::piped(command.args(arguments))
    }

    /// A process whose stdin and stdout are ours.
    pub(crate) fn piped(command: &mut Command) -> io::Result<Self> {
        Self::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()))
    }

    /// Servers, each on a port of its own.
    pub(crate) fn mocks(mock: Mock, servers: usize) -> io::Result<(Self, Vec<u16>)> {
        Self::listening(&[
            "mock",
            era(mock),
            &mock.tools.to_string(),
            &servers.to_string(),
        ])
    }

    /// This program in a part that listens.
    pub(crate) fn listening(arguments: &[&str]) -> io::Result<(Self, Vec<u16>)> {
        let mut command = Command::new(env::current_exe()?);
        let mut child = Self::piped(command.args(arguments))?;
        let mut line = String::new();
        child.take_output()?.read_line(&mut line)?;
        let ports = line.split_whitespace().map(str::parse);
        let ports = ports.collect::<Result<_, _>>().map_err(io::Error::other)?;
        Ok((child, ports))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn take_input(&mut self) -> io::Result<ChildStdin> {
        let input = self.0.stdin.take();
        input.ok_or_else(|| io::Error::other("the input is taken"))
    }

    pub(crate) fn take_output(&mut self) -> io::Result<BufReader<ChildStdout>> {
        let output = self.0.stdout.take();
        let output = output.ok_or_else(|| io::Error::other("the output is taken"))?;
        Ok(BufReader::with_capacity(64 * 1024, output))
    }

    /// Lets it end in good order, and waits for that.
    pub(crate) fn end(mut self) -> io::Result<()> {
        if let Some(pid) = Pid::from_raw(self.id().cast_signed()) {
            kill_process(pid, Signal::TERM)?;
        }
        self.0.wait().map(drop)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn era(mock: Mock) -> &'static str {
    match mock.era {
        Era::Legacy => "legacy",
        Era::Modern => "modern",
    }
}

fn mock_command(mock: Mock) -> io::Result<(String, [String; 3])> {
    let program = env::current_exe()?.to_string_lossy().into_owned();
    Ok((
        program,
        [
            "mock-stdio".into(),
            era(mock).into(),
            mock.tools.to_string(),
        ],
    ))
}

/// What is behind the mux.
pub(crate) enum Behind<'a> {
    /// Servers at these ports.
    Ports(&'a [u16]),
    /// A child process.
    Child(Mock),
}

/// A mux that has its files in a folder of its own.
pub(crate) struct Mux {
    folder: TempDir,
    program: Vec<String>,
}

impl Mux {
    /// The mux, run by another program if there are words before its own.
    pub(crate) fn new(behind: &Behind<'_>, before: &[&str]) -> io::Result<Self> {
        let folder = TempDir::new()?;
        let servers = match behind {
            Behind::Ports(ports) => {
                let servers = ports.iter().enumerate().map(|(number, port)| {
                    format!(r#""s{number}":{{"type":"http","url":"http://127.0.0.1:{port}/mcp"}}"#)
                });
                servers.collect::<Vec<_>>().join(",")
            }
            Behind::Child(mock) => {
                let (program, arguments) = mock_command(*mock)?;
                format!(r#""s0":{{"command":{program:?},"args":{arguments:?}}}"#)
            }
        };
        let config = format!(r#"{{"mcpServers":{{{servers}}}}}"#);
        fs::write(folder.path().join("mux.json"), config)?;
        let mut program: Vec<String> = before.iter().map(ToString::to_string).collect();
        program.push(mux_program());
        Ok(Self { folder, program })
    }

    fn command(&self, front: &[&str]) -> Command {
        let mut command = Command::new(&self.program[0]);
        command.args(&self.program[1..]).args(["serve", "--config"]);
        command.arg(self.folder.path().join("mux.json")).args(front);
        for (name, _) in env::vars_os().filter(|(name, _)| is_ours(name)) {
            command.env_remove(name);
        }
        command.env("XDG_CACHE_HOME", self.folder.path());
        command.env("XDG_STATE_HOME", self.folder.path());
        command
    }

    /// Starts it on HTTP; returns its port.
    pub(crate) fn on_http(&self) -> io::Result<(Child, u16)> {
        let mut command = self.command(&["--log-level", "info", "--http", "127.0.0.1:0"]);
        let mut child = Child::start(command.stdin(Stdio::null()).stderr(Stdio::piped()))?;
        let errors = child.0.stderr.take();
        let mut errors = BufReader::new(errors.ok_or_else(|| io::Error::other("no stderr"))?);
        let port = port(&mut errors)?;
        // Nobody may have to wait because nobody reads.
        thread::spawn(move || io::copy(&mut errors, &mut io::sink()));
        Ok((child, port))
    }

    /// Starts it on stdin and stdout.
    pub(crate) fn on_stdio(&self) -> io::Result<Child> {
        Child::piped(&mut self.command(&["--log-level", "error", "--stdio"]))
    }
}

/// The mux that was built together with this program, unless `MCPMUX_BIN` names another one.
fn mux_program() -> String {
    env::var("MCPMUX_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_mcpmux").to_owned())
}

fn is_ours(name: &OsStr) -> bool {
    name == "RUST_LOG" || name.to_string_lossy().starts_with("MCPMUX_")
}

/// Reads in the log where the mux listens.
fn port(log: &mut BufReader<ChildStderr>) -> io::Result<u16> {
    let mut read = String::new();
    loop {
        let start = read.len();
        if log.read_line(&mut read)? == 0 {
            return Err(io::Error::other(format!("the mux did not start: {read}")));
        }
        let line = &read[start..];
        if let Some((_, rest)) = line.split_once("listening on http://127.0.0.1:") {
            let digits = rest.split('/').next().unwrap_or_default();
            return digits.parse().map_err(io::Error::other);
        }
    }
}

/// The processor time that a process has used, in seconds, where the system tells.
pub(crate) fn processor_time(process: u32) -> Option<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name, which may hold anything, are the fields from the third on.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}
