//! A fake that lives: what a test asks of it and makes it do.

use std::io::Write;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};

use super::builder::Fake;
use super::offer::Item;
use super::state::{Lives, Seen, State};
use super::{http, sse, stdio, websocket};
use crate::support::head::Head;
use crate::support::{Msg, Pipe};

/// A running fake. Dropping it fails the test if the mux broke the protocol or left a step unused.
pub(crate) struct FakeServer {
    state: Arc<State>,
    addr: SocketAddr,
}

impl FakeServer {
    pub(super) fn start(fake: Fake, pipe: Pipe) -> Self {
        let state = Arc::new(State::new(fake, pipe));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
        let addr = listener.local_addr().expect("the port's number");
        let shared = Arc::clone(&state);
        thread::spawn(move || match pipe {
            Pipe::Stdio => stdio::listen(&shared, &listener),
            Pipe::Http => http::listen(&shared, &listener),
            Pipe::WebSocket => websocket::listen(&shared, &listener),
            Pipe::Sse => sse::listen(&shared, &listener),
        });
        Self { state, addr }
    }

    /// The server entry with which the mux reaches this fake.
    pub(crate) fn entry(&self) -> Value {
        match self.state.pipe {
            Pipe::Stdio => {}
            Pipe::Http => return json!({"type": "http", "url": self.url()}),
            Pipe::WebSocket => return json!({"url": format!("ws://{}/ws", self.addr)}),
            Pipe::Sse => return json!({"type": "sse", "url": format!("http://{}/sse", self.addr)}),
        }
        let mut args = vec![self.addr.port().to_string()];
        args.extend(self.state.fake.child.iter().cloned());
        json!({"command": pipe_child(), "args": args})
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.addr)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many entries of all kinds it offers now.
    pub(crate) fn offered(&self) -> usize {
        self.state.with(|inner| inner.offer.count())
    }

    pub(crate) fn pipe(&self) -> Pipe {
        self.state.pipe
    }

    /// Forgets what it got so far, and who lived.
    pub(crate) fn forget(&self) {
        self.state.with(|inner| {
            inner.seen.clear();
            inner.heads.clear();
            inner.answers.clear();
        });
    }

    /// Everything it got so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.with(|inner| inner.seen.clone())
    }

    /// Every message of this method so far.
    pub(crate) fn seen_of(&self, method: &str) -> Vec<Seen> {
        self.seen()
            .into_iter()
            .filter(|seen| seen.msg.method() == method)
            .collect()
    }

    pub(crate) fn count(&self, method: &str) -> usize {
        self.seen_of(method).len()
    }

    /// The heads of the HTTP requests that carried no message.
    pub(crate) fn heads(&self) -> Vec<Head> {
        self.state.with(|inner| inner.heads.clone())
    }

    /// Waits for that many messages of the method.
    #[track_caller]
    pub(crate) fn wait_seen(&self, method: &str, count: usize) -> Vec<Seen> {
        self.state.wait(&format!("{count} × {method}"), |inner| {
            let of = |seen: &&Seen| seen.msg.method() == method;
            let found: Vec<Seen> = inner.seen.iter().filter(of).cloned().collect();
            (found.len() >= count).then_some(found)
        })
    }

    /// Waits until it can speak unasked: a GET stream, a listen, or the end of a stdio handshake.
    #[track_caller]
    pub(crate) fn wait_stream(&self) {
        self.state.wait("a stream for notifications", |inner| {
            (!inner.streams.is_empty()).then_some(())
        });
    }

    /// Waits until exactly these resources are asked for on the newest listen.
    #[track_caller]
    pub(crate) fn wait_listening(&self, uris: &Value) {
        self.state.wait(&format!("a listen to {uris}"), |inner| {
            let (_, filter) = inner.streams.last()?.listen.as_ref()?;
            let none = json!([]);
            let asked = filter.get("resourceSubscriptions").unwrap_or(&none);
            (asked == uris).then_some(())
        });
    }

    /// Waits for a control frame of a WebSocket; its payload.
    #[track_caller]
    pub(crate) fn wait_frame(&self, opcode: u8) -> Vec<u8> {
        self.state.wait(&format!("a frame of {opcode}"), |inner| {
            let found = inner.frames.iter().position(|(of, _)| *of == opcode)?;
            Some(inner.frames.remove(found).1)
        })
    }

    /// How many connections have come, whatever became of them.
    pub(crate) fn links(&self) -> u64 {
        self.state.with(|inner| inner.links)
    }

    /// Sends a notification on every stream that is open for it.
    pub(crate) fn notify(&self, method: &str, params: &Value) {
        let streams: Vec<_> = self.state.with(|inner| {
            let wanted = |listen: &Option<(String, Value)>| {
                listen
                    .as_ref()
                    .is_none_or(|(_, filter)| wants(filter, method))
            };
            let streams = inner.streams.iter().filter(|stream| wanted(&stream.listen));
            streams
                .map(|s| (Arc::clone(&s.sink), s.listen.clone()))
                .collect()
        });
        for (sink, listen) in streams {
            let mut params = params.clone();
            if let Some((id, _)) = listen {
                let id: Value = serde_json::from_str(&id).expect("an id is JSON");
                params["_meta"] = json!({"io.modelcontextprotocol/subscriptionId": id});
            }
            let message = json!({"jsonrpc": "2.0", "method": method, "params": params});
            let _ = sink.message(message.to_string().as_bytes());
        }
    }

    /// Says something on every stream that is open for what belongs to no request.
    pub(crate) fn say(&self, text: &str) {
        let sinks: Vec<_> = self.state.with(|inner| {
            let streams = inner.streams.iter();
            streams.map(|stream| Arc::clone(&stream.sink)).collect()
        });
        for sink in sinks {
            let _ = sink.message(text.as_bytes());
        }
    }

    /// Says something on the newest stream for what belongs to no request, once there are so many.
    #[track_caller]
    pub(crate) fn say_on_newest(&self, streams: usize, text: &str) {
        let sink = self.state.wait("another stream", |inner| {
            let newest = inner.streams.last()?;
            (inner.streams.len() >= streams).then(|| Arc::clone(&newest.sink))
        });
        let _ = sink.message(text.as_bytes());
    }

    /// Waits for the mux's answer to a question with this id.
    #[track_caller]
    pub(crate) fn answer_to(&self, id: &str) -> Msg {
        self.state.wait(&format!("an answer to {id}"), |inner| {
            inner.answers.remove(id)
        })
    }

    /// Waits until no request is under way but subscriptions.
    #[track_caller]
    pub(crate) fn wait_idle(&self) {
        self.state.wait("the end of all requests", |inner| {
            let listens = inner.streams.iter().filter(|s| s.listen.is_some());
            (inner.in_flight.len() <= listens.count()).then_some(())
        });
    }

    /// Says that a list changed: `tools`, `resources`, `prompts`.
    pub(crate) fn list_changed(&self, list: &str) {
        self.notify(&format!("notifications/{list}/list_changed"), &json!({}));
    }

    /// Offers one more tool, without a word.
    pub(crate) fn add_tool(&self, name: &str) {
        self.state
            .with(|inner| inner.offer.tools.push(Item::tool(name)));
    }

    pub(crate) fn remove_tool(&self, name: &str) {
        self.state
            .with(|inner| inner.offer.tools.retain(|tool| tool.key != name));
    }

    pub(crate) fn add_resource(&self, uri: &str) {
        self.state
            .with(|inner| inner.offer.resources.push(Item::resource(uri)));
    }

    pub(crate) fn add_prompt(&self, name: &str) {
        self.state
            .with(|inner| inner.offer.prompts.push(Item::prompt(name)));
    }

    /// Forgets every HTTP session: the next request gets 404.
    pub(crate) fn lose_sessions(&self) {
        self.state.with(|inner| inner.sessions.clear());
    }

    /// Writes bytes on the stdout of every process, or on every WebSocket or event stream.
    pub(crate) fn bytes(&self, raw: &[u8]) {
        let sinks: Vec<_> = self
            .state
            .with(|inner| inner.sinks.values().cloned().collect());
        for sink in sinks {
            let _ = sink.bytes(raw);
        }
    }

    /// Makes every child process write a line to its stderr.
    pub(crate) fn stderr(&self, line: &str) {
        self.command(&format!("stderr {line}\n"));
    }

    /// Makes every child process end with this code.
    pub(crate) fn exit(&self, code: u8) {
        self.command(&format!("exit {code}\n"));
    }

    /// `kill -9` of every child, but not of their grandchildren.
    pub(crate) fn kill(&self) {
        for life in self.lives().all() {
            if life.alive && life.role == "server" {
                stdio::kill(life.pid);
            }
        }
    }

    /// Closes every connection over the network.
    pub(crate) fn disconnect(&self) {
        self.state.with(|inner| {
            for stream in inner.connections.values() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
    }

    /// From now on, ends that many connections or processes as soon as they come.
    pub(crate) fn refuse(&self, times: usize) {
        self.state.with(|inner| inner.refusals = times);
    }

    /// The processes that belong to this fake.
    pub(crate) fn lives(&self) -> Lives {
        self.state.lives.clone()
    }

    /// How often a process of this fake was started.
    pub(crate) fn starts(&self) -> usize {
        self.lives()
            .all()
            .iter()
            .filter(|life| life.role == "server")
            .count()
    }

    /// How many processes have had an orderly end of their stdin.
    pub(crate) fn ends_of_input(&self) -> usize {
        self.state.with(|inner| inner.ends_of_input)
    }

    fn command(&self, line: &str) {
        self.state.with(|inner| {
            for control in inner.controls.iter_mut().filter(|c| c.role == "server") {
                let _ = control.stream.write_all(line.as_bytes());
            }
        });
    }

    /// What is wrong so far.
    fn faults(&self) -> Vec<String> {
        self.state.with(|inner| {
            let mut faults = inner.violations.clone();
            for (key, steps) in inner.script.iter().filter(|(_, steps)| !steps.is_empty()) {
                faults.push(format!(
                    "{} steps of the script for `{key}` not used",
                    steps.len()
                ));
            }
            faults
        })
    }
}

impl Drop for FakeServer {
    #[expect(
        clippy::print_stderr,
        reason = "what a fake saw explains a failed test"
    )]
    fn drop(&mut self) {
        let faults = self.faults();
        let told = self.state.with(|inner| {
            inner.stopped = true;
            for control in &inner.controls {
                let _ = control.stream.shutdown(Shutdown::Both);
            }
            for stream in inner.connections.values() {
                let _ = stream.shutdown(Shutdown::Both);
            }
            inner.told()
        });
        // The listening thread wakes up and sees that it is over.
        drop(TcpStream::connect(self.addr));
        if thread::panicking() {
            eprintln!("--- a fake{told}\n---");
        } else {
            assert!(faults.is_empty(), "a fake found fault: {faults:#?}{told}");
        }
    }
}

/// Whether the filter of a listen asks for this notification.
fn wants(filter: &Value, method: &str) -> bool {
    let member = match method {
        "notifications/tools/list_changed" => "toolsListChanged",
        "notifications/prompts/list_changed" => "promptsListChanged",
        "notifications/resources/list_changed" => "resourcesListChanged",
        _ => return true,
    };
    filter[member] == true
}

/// The example program that `cargo test` builds beside the binary.
fn pipe_child() -> PathBuf {
    let mux = PathBuf::from(env!("CARGO_BIN_EXE_mcpmux"));
    let name = format!("pipe_child{}", std::env::consts::EXE_SUFFIX);
    let path = mux.with_file_name("examples").join(name);
    assert!(
        path.exists(),
        "{} is missing: run `cargo build --examples`",
        path.display()
    );
    path
}
