//! The load: calls that are answered one after another on each connection, every answer verified.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use memchr::memmem;
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::http::Wire;
use crate::mock::Era;
use crate::process::Child;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"load","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
/// Its answer shows that nothing more is written.
const LAST: &str = "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"ping\"}\n";
const META: &str = r#","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"load","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}"#;

/// How long a server may take to come up, which is long where every instruction is counted, and the time between two looks.
const PATIENCE: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_millis(200);

/// What is to be called, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) era: Era,
    /// How many servers are behind; the calls go round them.
    pub(crate) servers: usize,
    /// Calls at once: connections, or requests on a pipe.
    pub(crate) at_once: usize,
    /// Bytes of the text that is echoed.
    pub(crate) payload: usize,
    pub(crate) until: Until,
}

/// When it is enough.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    Time(Duration),
    Calls(u64),
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) seconds: f64,
    /// How long each call took, in microseconds; sorted.
    pub(crate) times: Vec<u32>,
}

impl Measured {
    fn new(started: Instant, mut times: Vec<u32>) -> Self {
        times.sort_unstable();
        Self {
            seconds: started.elapsed().as_secs_f64(),
            times,
        }
    }

    pub(crate) fn rate(&self) -> f64 {
        self.times.len() as f64 / self.seconds
    }

    /// The time within which so many percent of the calls was answered, in microseconds.
    pub(crate) fn within(&self, percent: usize) -> f64 {
        let at = self.times.len() * percent / 100;
        let time = self.times.get(at.min(self.times.len().saturating_sub(1)));
        time.map_or(f64::NAN, |time| f64::from(*time))
    }
}

/// Numbers of calls, until it is enough.
struct Numbers {
    next: AtomicU64,
    last: u64,
    end: Option<Instant>,
}

impl Numbers {
    fn new(until: Until) -> Self {
        let (last, end) = match until {
            Until::Time(time) => (u64::MAX, Some(Instant::now() + time)),
            Until::Calls(calls) => (calls, None),
        };
        Self {
            next: AtomicU64::new(1),
            last,
            end,
        }
    }

    fn next(&self) -> Option<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let over = number > self.last || self.end.is_some_and(|end| Instant::now() >= end);
        (!over).then_some(number)
    }
}

/// A text that no other call has.
fn text(number: u64, size: usize) -> String {
    format!("{number:012}{}", "x".repeat(size.saturating_sub(12)))
}

/// The tool that is called: that of the server whose turn it is.
fn tool(number: u64, servers: usize) -> String {
    format!("s{}__echo", number % servers as u64)
}

fn call(number: u64, tool: &str, text: &str, era: Era) -> String {
    let meta = if era == Era::Modern { META } else { "" };
    format!(
        r#"{{"jsonrpc":"2.0","id":{number},"method":"tools/call","params":{{"name":"{tool}","arguments":{{"text":"{text}"}}{meta}}}}}"#
    )
}

/// Whether this answers the call with its own text.
fn check(answer: &[u8], number: u64, text: &str) -> io::Result<()> {
    let id = format!(r#""id":{number},"#);
    let said = format!(r#""text":"{text}""#);
    let has = |part: &str| memmem::find(answer, part.as_bytes()).is_some();
    if has(&id) && has(&said) {
        return Ok(());
    }
    let start = String::from_utf8_lossy(&answer[..answer.len().min(300)]);
    Err(io::Error::other(format!(
        "call {number} was answered: {start}"
    )))
}

/// Calls over HTTP. Every server is called once before the measurement begins, so that all of them are up.
pub(crate) async fn over_http(port: u16, load: Load) -> io::Result<Measured> {
    let mut clients = Vec::new();
    for _ in 0..load.at_once {
        clients.push(Client::connect(port, load.era).await?);
    }
    if let Some(first) = clients.first_mut() {
        for number in 0..load.servers as u64 {
            first.reach(number, &load).await?;
        }
    }
    let numbers = Arc::new(Numbers::new(load.until));
    let started = Instant::now();
    let mut running = JoinSet::new();
    for mut client in clients {
        let numbers = numbers.clone();
        running.spawn(async move {
            let mut times = Vec::new();
            while let Some(number) = numbers.next() {
                let begun = Instant::now();
                client.call(number, &load).await?;
                times.push(begun.elapsed().as_micros() as u32);
            }
            io::Result::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = running.join_next().await {
        times.extend(done??);
    }
    Ok(Measured::new(started, times))
}

/// One client over HTTP.
struct Client {
    wire: Wire,
    head: String,
}

impl Client {
    async fn connect(port: u16, era: Era) -> io::Result<Self> {
        let common = format!(
            "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n"
        );
        let mut client = Self {
            wire: Wire::connect(port).await?,
            head: common,
        };
        if era == Era::Modern {
            write!(
                client.head,
                "mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\n"
            )
            .map_err(io::Error::other)?;
            return Ok(client);
        }
        client
            .wire
            .write(&client.head, INITIALIZE.as_bytes())
            .await?;
        let answer = client
            .wire
            .read()
            .await?
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        client.head += "mcp-protocol-version: 2025-11-25\r\n";
        if let Some(session) = answer.header("mcp-session-id") {
            write!(client.head, "mcp-session-id: {session}\r\n").map_err(io::Error::other)?;
        }
        client
            .wire
            .write(&client.head, INITIALIZED.as_bytes())
            .await?;
        client
            .wire
            .read()
            .await?
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(client)
    }

    /// Calls until the server behind is there to answer.
    async fn reach(&mut self, number: u64, load: &Load) -> io::Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.call(number, load).await {
                Err(_) if Instant::now() < end => sleep(AGAIN).await,
                done => return done,
            }
        }
    }

    async fn call(&mut self, number: u64, load: &Load) -> io::Result<()> {
        let text = text(number, load.payload);
        let tool = tool(number, load.servers);
        let request = call(number, &tool, &text, load.era);
        let body = request.as_bytes();
        if load.era == Era::Modern {
            let head = format!("{}mcp-name: {tool}\r\n", self.head);
            self.wire.write(&head, body).await?;
        } else {
            self.wire.write(&self.head, body).await?;
        }
        let answer = self
            .wire
            .read()
            .await?
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        check(&answer.body, number, &text)
    }
}

/// Calls over the pipes of a process, which ends then.
pub(crate) fn over_pipes(mut child: Child, load: Load) -> io::Result<Measured> {
    let (mut input, mut output) = (child.take_input()?, child.take_output()?);
    let mut line = Vec::new();
    writeln!(input, "{INITIALIZE}")?;
    output.read_until(b'\n', &mut line)?;
    writeln!(input, "{INITIALIZED}")?;
    let numbers = Numbers::new(load.until);
    let under_way: Arc<Mutex<HashMap<u64, Instant>>> = Arc::default();
    let (free, places) = mpsc::sync_channel(load.at_once);
    for _ in 0..load.at_once {
        let _ = free.try_send(());
    }
    let started = Instant::now();
    let of_writer = under_way.clone();
    let writer = thread::spawn(move || {
        let mut batch = Vec::new();
        while places.recv().is_ok() {
            loop {
                let Some(number) = numbers.next() else {
                    batch.extend_from_slice(LAST.as_bytes());
                    return input.write_all(&batch).map(|()| input);
                };
                of_writer.lock().insert(number, Instant::now());
                let (text, tool) = (text(number, load.payload), tool(number, load.servers));
                batch.extend_from_slice(call(number, &tool, &text, load.era).as_bytes());
                batch.push(b'\n');
                if places.try_recv().is_err() {
                    break;
                }
            }
            input.write_all(&batch)?;
            batch.clear();
        }
        Ok(input)
    });
    let mut times = Vec::new();
    let mut all_written = false;
    while !(all_written && under_way.lock().is_empty()) {
        line.clear();
        if output.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(number) = number_of(&line) else {
            continue;
        };
        if number == 0 {
            all_written = true;
            continue;
        }
        let begun = under_way.lock().remove(&number);
        let begun = begun.ok_or_else(|| io::Error::other(format!("{number} came twice")))?;
        check(&line, number, &text(number, load.payload))?;
        times.push(begun.elapsed().as_micros() as u32);
        let _ = free.try_send(());
    }
    let measured = Measured::new(started, times);
    drop(writer.join());
    child.end()?;
    Ok(measured)
}

/// The id of an answer; notifications have none.
fn number_of(line: &[u8]) -> Option<u64> {
    let digits = crate::http::between(line, r#""id":"#, b",}")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
