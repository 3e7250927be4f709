//! The real binary under test.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{Connect, Stdio, sse, websocket};
use super::door::Door;
use super::fake::Lives;
use super::managed;
use super::process::{Process, Ran};
use super::{Client, Era, FakeServer, Front, eventually};

/// Lines of a mux's log that a failed test shows: more would push the failure itself out of sight.
const LAST_WORDS: usize = 40;

/// A configuration in a directory of its own, and what is to be run with it.
#[must_use]
pub(crate) struct MuxTest {
    pub(crate) dir: Arc<TempDir>,
    servers: Vec<(String, Value)>,
    settings: Value,
    text: Option<String>,
    env: Vec<(String, String)>,
    lives: Vec<Lives>,
    listed: Option<usize>,
    front: Front,
}

impl MuxTest {
    pub(crate) fn new() -> Self {
        Self::within(tempfile::tempdir().expect("a temporary directory").into())
    }

    /// Uses the directory, and so the memory, of an earlier mux.
    pub(crate) fn within(dir: Arc<TempDir>) -> Self {
        Self {
            dir,
            servers: Vec::new(),
            settings: json!({}),
            text: None,
            env: Vec::new(),
            lives: Vec::new(),
            listed: Some(0),
            front: Front::Http,
        }
    }

    /// Adds a fake as a server.
    pub(crate) fn upstream(self, name: &str, fake: &FakeServer) -> Self {
        self.upstream_with(name, fake, &json!({}))
    }

    /// Adds a fake as a server whose entry has further keys.
    pub(crate) fn upstream_with(mut self, name: &str, fake: &FakeServer, keys: &Value) -> Self {
        let mut entry = fake.entry();
        for (key, value) in keys.as_object().into_iter().flatten() {
            entry[key] = value.clone();
        }
        self.lives.push(fake.lives());
        self.listed = self.listed.map(|count| count + fake.offered());
        self.entry(name, entry)
    }

    /// Adds a server entry as it is.
    pub(crate) fn entry(mut self, name: &str, entry: Value) -> Self {
        self.servers.push((name.to_owned(), entry));
        self
    }

    /// Further settings, the members of `mux`.
    pub(crate) fn settings(mut self, settings: &Value) -> Self {
        for (key, value) in settings.as_object().into_iter().flatten() {
            self.settings[key] = value.clone();
        }
        self
    }

    /// How many entries clients wait for, where rules or conflicts make it another number than
    /// that of all entries.
    pub(crate) fn listed(self, count: usize) -> Self {
        Self {
            listed: Some(count),
            ..self
        }
    }

    /// Clients wait for nothing.
    pub(crate) fn unready(self) -> Self {
        Self {
            listed: None,
            ..self
        }
    }

    /// The text of the configuration, in place of what the builder would write.
    pub(crate) fn config(self, text: &str) -> Self {
        Self {
            text: Some(text.to_owned()),
            ..self
        }
    }

    pub(crate) fn env(mut self, key: &str, value: &str) -> Self {
        self.env.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Where the configuration and everything else lies.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Runs `mcpmux serve --http 127.0.0.1:0` and waits until it listens.
    #[track_caller]
    pub(crate) fn start(self) -> Mux {
        self.start_with(&["--http", "127.0.0.1:0"])
    }

    /// Runs `mcpmux serve --stdio`.
    #[track_caller]
    pub(crate) fn start_stdio(self) -> Mux {
        self.start_with(&["--stdio"])
    }

    /// Runs a mux whose clients come over this.
    #[track_caller]
    pub(crate) fn over(self, front: impl Into<Front>) -> Mux {
        let front = front.into();
        let mux = Self { front, ..self };
        match front {
            Front::Stdio => mux.start_stdio(),
            Front::Http => mux.start(),
            Front::Sse => mux.settings(&json!({"legacySse": true})).start(),
            Front::WebSocket => mux.settings(&json!({"websocket": true})).start(),
            Front::Unix => mux.start_unix(),
        }
    }

    /// Runs `mcpmux serve --http unix:…` and waits until it listens.
    #[track_caller]
    pub(crate) fn start_unix(self) -> Mux {
        let path = self.dir().join("mux.sock");
        self.start_with(&["--http", &format!("unix:{}", path.display())])
    }

    /// Runs `mcpmux serve` with these arguments; with `--http` among them it waits until it listens.
    #[track_caller]
    pub(crate) fn start_with(self, front: &[&str]) -> Mux {
        if front.contains(&"--http") {
            return self.start_listening(front);
        }
        let process = self.serve(front);
        self.running(process, None)
    }

    /// Runs `mcpmux serve` with these arguments and waits until it listens.
    #[track_caller]
    pub(crate) fn start_listening(self, front: &[&str]) -> Mux {
        let process = self.serve(front);
        let door = Some(process.stderr.wait("the address", listening));
        self.running(process, door)
    }

    pub(super) fn running(self, process: Process, door: Option<Door>) -> Mux {
        Mux {
            process,
            door,
            listed: self.listed,
            front: self.front,
            lives: self.lives,
            dir: self.dir,
        }
    }

    #[track_caller]
    fn serve(&self, front: &[&str]) -> Process {
        let mut command = self.command();
        command
            .arg("serve")
            .arg("--config")
            .arg(self.write())
            .args(front);
        Process::start(command)
    }

    /// Runs another command of the binary to its end; `--config` is added.
    #[track_caller]
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Ran {
        let ran = Process::run(self.command_for(args));
        self.lives.iter().for_each(Lives::wait_for_none);
        ran
    }

    /// Another command of the binary, to be run as its test wants it; `--config` is added.
    pub(crate) fn command_for<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = self.command();
        command.args(args).arg("--config").arg(self.write());
        command
    }

    /// Runs the binary with these arguments and no more.
    #[track_caller]
    pub(crate) fn run_bare<S: AsRef<OsStr>>(&self, args: &[S]) -> Ran {
        let mut command = self.command();
        command.args(args);
        Process::run(command)
    }

    /// Writes the configuration.
    pub(crate) fn write(&self) -> PathBuf {
        let path = self.dir().join("mcp.json");
        let servers: Value = self
            .servers
            .iter()
            .cloned()
            .collect::<serde_json::Map<_, _>>()
            .into();
        let config = json!({"mux": self.settings, "mcpServers": servers});
        let text = self.text.clone().unwrap_or_else(|| format!("{config:#}"));
        fs::write(&path, text).expect("the configuration is written");
        path
    }

    /// The binary in an environment that knows nothing of this machine's user.
    fn command(&self) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_mcpmux"))
    }

    pub(super) fn command_of(&self, program: &str) -> Command {
        let mut command = managed::program(program, &self.dir().join("managed"));
        command.current_dir(self.dir()).env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.env("HOME", self.dir());
        for kind in [
            "CONFIG_HOME",
            "CACHE_HOME",
            "STATE_HOME",
            "DATA_HOME",
            "RUNTIME_DIR",
        ] {
            command.env(format!("XDG_{kind}"), self.dir().join(kind.to_lowercase()));
        }
        command.envs(self.env.iter().map(|(key, value)| (key, value)));
        command
    }
}

pub(super) fn listening(stderr: &str) -> Option<Door> {
    let (_, rest) = stderr.split_once("listening on ")?;
    if let Some(path) = rest.strip_prefix("unix:") {
        let (path, _) = path.split_once(", path /mcp")?;
        return Some(Door::unix(Path::new(path)));
    }
    let rest = rest.strip_prefix("http://")?;
    let (addr, _) = rest.split_once("/mcp")?;
    addr.parse().ok().map(Door::Tcp)
}

/// A running mux. Dropping it kills it with SIGKILL and fails the test if a child outlives it.
pub(crate) struct Mux {
    pub(crate) process: Process,
    door: Option<Door>,
    listed: Option<usize>,
    front: Front,
    lives: Vec<Lives>,
    dir: Arc<TempDir>,
}

impl Mux {
    pub(crate) fn addr(&self) -> SocketAddr {
        match self.door() {
            Door::Tcp(addr) => addr,
            Door::Unix(_) => panic!("a Unix socket has no address"),
        }
    }

    pub(crate) fn door(&self) -> Door {
        self.door.expect("this mux listens on HTTP")
    }

    /// A legacy client that sees everything that is to be listed.
    #[track_caller]
    pub(crate) fn legacy(&self) -> Client {
        self.client(Era::Legacy)
    }

    /// A modern client that sees everything that is to be listed.
    #[track_caller]
    pub(crate) fn modern(&self) -> Client {
        self.client(Era::Modern)
    }

    #[track_caller]
    pub(crate) fn client(&self, era: Era) -> Client {
        self.connect(Connect::new(era))
    }

    #[track_caller]
    pub(crate) fn connect(&self, connect: Connect) -> Client {
        let Some(door) = self.door else {
            let client = connect.stdio(self.stdio());
            self.wait_listed(&client);
            return client;
        };
        self.wait_ready();
        match self.front {
            Front::Sse => connect.stdio(&sse::open(self.addr())),
            Front::WebSocket => connect.stdio(&websocket::open(self.addr())),
            Front::Stdio | Front::Http | Front::Unix => connect.http(door),
        }
    }

    /// Waits until all is there. A stateless client does it, so that others begin when it is.
    #[track_caller]
    pub(crate) fn wait_ready(&self) {
        if self.listed.is_some() {
            self.wait_listed(&Connect::new(Era::Modern).http(self.door()));
        }
    }

    #[track_caller]
    fn wait_listed(&self, client: &Client) {
        if let Some(count) = self.listed {
            eventually(&format!("{count} entries are listed"), || {
                (client.total() >= count).then_some(())
            });
        }
    }

    /// A legacy client over streamable HTTP, whatever the others come over.
    #[track_caller]
    pub(crate) fn legacy_http(&self) -> Client {
        Connect::new(Era::Legacy).http(self.door())
    }

    /// The directory that outlives the mux as long as it is held.
    pub(crate) fn dir(&self) -> Arc<TempDir> {
        Arc::clone(&self.dir)
    }

    pub(crate) fn stdio(&self) -> &Arc<Stdio> {
        self.process.stdio()
    }

    pub(crate) fn stderr(&self) -> String {
        self.process.stderr.now()
    }

    /// Waits until the log holds this text.
    #[track_caller]
    pub(crate) fn wait_stderr(&self, text: &str) {
        self.process.wait_stderr(text);
    }

    /// Waits until the log holds this text so many times.
    #[track_caller]
    pub(crate) fn wait_stderr_times(&self, text: &str, times: usize) {
        let enough = |all: &str| (all.matches(text).count() >= times).then_some(());
        self.process
            .stderr
            .wait(&format!("{times} × {text}"), enough);
    }

    /// Ends the mux with SIGTERM; its exit code.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> i32 {
        self.process.terminate();
        self.process.wait()
    }
}

impl Drop for Mux {
    #[expect(
        clippy::print_stderr,
        reason = "what the mux said explains a failed test"
    )]
    fn drop(&mut self) {
        self.process.kill();
        if thread::panicking() {
            let said = self.stderr();
            let lines: Vec<&str> = said.lines().collect();
            let left_out = lines.len().saturating_sub(LAST_WORDS);
            let last = lines[left_out..].join("\n");
            eprintln!("--- stderr of the mux, {left_out} earlier lines left out:\n{last}\n---");
        } else {
            self.lives.iter().for_each(Lives::wait_for_none);
        }
    }
}
