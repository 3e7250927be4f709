//! The fake's end of `pipe_child`: control connections and the stdin and stdout of each process.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;

use super::brain::{self, Origin};
use super::builder::Start;
use super::state::{Control, Inner, Sink, State};

/// Accepts until the fake is dropped.
pub(super) fn listen(state: &Arc<State>, listener: &TcpListener) {
    for stream in listener.incoming() {
        if state.with(|inner| inner.stopped) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let state = Arc::clone(state);
        thread::spawn(move || drop(greet(&state, stream)));
    }
}

/// Reads who is calling; the line is `ROLE PID`.
fn greet(state: &Arc<State>, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut hello = String::new();
    reader.read_line(&mut hello)?;
    let (role, pid) = hello
        .trim()
        .split_once(' ')
        .ok_or(io::ErrorKind::InvalidData)?;
    let pid: u32 = pid.parse().map_err(|_| io::ErrorKind::InvalidData)?;
    if role == "data" {
        return converse(state, pid, &stream, reader);
    }
    live(state, role, pid, stream, reader)
}

/// Keeps the control connection; its end is the end of the process.
fn live(
    state: &State,
    role: &str,
    pid: u32,
    mut stream: TcpStream,
    mut reader: BufReader<TcpStream>,
) -> io::Result<()> {
    let refused = role == "server" && state.take_refusal();
    if refused {
        stream.write_all(b"exit 1\n")?;
    }
    let control = Control {
        pid,
        role: role.to_owned(),
        refused,
        stream,
    };
    // Who sees that it lives may command it at once.
    state.with(|inner| inner.controls.push(control));
    state.lives.begin(role, pid);
    let mut line = String::new();
    let ended = reader.read_line(&mut line);
    state.lives.end(pid);
    ended.map(drop)
}

fn converse(
    state: &Arc<State>,
    pid: u32,
    stream: &TcpStream,
    mut reader: BufReader<TcpStream>,
) -> io::Result<()> {
    // The control connection was made first, but its thread may be slower.
    let control = |inner: &mut Inner| {
        let mut latest = inner.controls.iter().rev();
        latest.find(|c| c.pid == pid).map(|c| c.refused)
    };
    if state.wait("a control connection", control) {
        return Ok(());
    }
    let link = state.new_link();
    let sink = Arc::new(StdioSink {
        pid,
        stream: Mutex::new(stream.try_clone()?),
    });
    state.with(|inner| inner.sinks.insert(link, sink.clone()));
    let mut frame = Vec::new();
    // A process that was killed may leave a reset behind in place of an end.
    let more = |reader: &mut BufReader<TcpStream>, frame: &mut Vec<u8>| {
        reader.read_until(b'\n', frame).is_ok_and(|count| count > 0)
    };
    while more(&mut reader, &mut frame) {
        if state.fake.start != Start::Hanging {
            let origin = Origin {
                link,
                scope: format!("link {link}"),
                head: None,
            };
            if let Some(msg) = brain::parse(state, frame.trim_ascii()) {
                brain::receive(state, &origin, msg, sink.clone());
            }
        }
        frame.clear();
    }
    state.with(|inner| inner.ends_of_input += 1);
    state.link_ended(link);
    if !state.fake.keeps_running {
        stream.shutdown(Shutdown::Both)?;
    }
    Ok(())
}

/// The stdout of one process.
struct StdioSink {
    pid: u32,
    stream: Mutex<TcpStream>,
}

impl Sink for StdioSink {
    fn message(&self, text: &[u8]) -> io::Result<()> {
        self.stream.lock().write_all(&[text, b"\n"].concat())
    }

    fn answer(&self, text: &[u8]) -> io::Result<()> {
        self.message(text)
    }

    fn refuse(&self, _: u16, text: &[u8]) -> io::Result<()> {
        self.message(text)
    }

    fn bytes(&self, raw: &[u8]) -> io::Result<()> {
        self.stream.lock().write_all(raw)
    }

    fn sever(&self) {
        kill(self.pid);
    }
}

/// Kills one process, which this test's mux has started, as `kill -9` does.
#[cfg(unix)]
pub(super) fn kill(pid: u32) {
    use rustix::process::{Pid, Signal, kill_process};

    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::KILL);
    }
}

#[cfg(not(unix))]
pub(super) fn kill(_: u32) {}
