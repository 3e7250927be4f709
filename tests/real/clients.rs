//! The real clients: what each can do, and how it is driven.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::peers::{Peers, script};
use crate::process::{Running, command};
use crate::rmcp_client;
use crate::scratch::Scratch;
use crate::session::{Answers, Era, Operation, Session};
use crate::through::Door;

/// How long a client may say nothing while there is work to do.
const SILENCE: Duration = Duration::from_secs(120);

/// Somebody else's client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// rmcp, in this process.
    Rmcp,
    /// The Python SDK 1.x.
    Py1,
    /// The Python SDK 2.x.
    Py2,
    /// The inspector's command line.
    Inspector,
    /// The npm SDK 1.x.
    Npm,
}

impl Client {
    pub(crate) const ALL: [Self; 5] =
        [Self::Rmcp, Self::Py1, Self::Py2, Self::Inspector, Self::Npm];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rmcp => "rmcp",
            Self::Py1 => "py1",
            Self::Py2 => "py2",
            Self::Inspector => "inspector",
            Self::Npm => "npm",
        }
    }

    pub(crate) fn eras(self) -> &'static [Era] {
        match self {
            Self::Py1 | Self::Npm => &[Era::Legacy],
            _ => &[Era::Legacy, Era::Auto, Era::Modern],
        }
    }

    /// How the client reaches a mux.
    pub(crate) fn doors(self) -> &'static [Door] {
        match self {
            Self::Py1 => &[Door::Http, Door::Stdio, Door::Sse, Door::Ws],
            Self::Npm => &[Door::Sse, Door::Ws],
            _ => &[Door::Http, Door::Stdio],
        }
    }

    /// Whether the client has a way to do this, in this era.
    pub(crate) fn can(self, method: &str, era: Era) -> bool {
        match method {
            "completion/complete" | "settle" => self != Self::Inspector,
            "ping" => self != Self::Inspector && era == Era::Legacy,
            "logged" | "watched" | "changed" | "cancelled" => self.has_scenes(),
            "task" => matches!(self, Self::Py1 | Self::Npm),
            _ => true,
        }
    }

    /// Whether the client does this operation, in this era.
    pub(crate) fn does(self, operation: &Operation, era: Era) -> bool {
        let fits = era == Era::Legacy || !operation.legacy;
        fits && self.can(&operation.method, era) && (self.has_scenes() || !operation.asks)
    }

    /// Whether its driver answers questions, and plays what takes several requests.
    fn has_scenes(self) -> bool {
        matches!(self, Self::Py1 | Self::Py2 | Self::Npm)
    }

    /// Whether each operation has a connection, and over stdio a server process, of its own.
    pub(crate) fn reconnects(self) -> bool {
        self == Self::Inspector
    }

    fn command(self, peers: &Peers) -> Command {
        let python = |environment, file| {
            command(&[
                peers.python(environment, "python"),
                script(&format!("clients/{file}")),
            ])
        };
        match self {
            Self::Py1 => python("v1", "py1.py"),
            Self::Py2 => python("v2", "py2.py"),
            Self::Npm => command(&[
                peers.node(),
                script("clients/npm.mjs"),
                peers.package("sdk"),
            ]),
            Self::Inspector | Self::Rmcp => command(&[
                peers.node(),
                script("clients/inspector.mjs"),
                peers.package("inspector"),
            ]),
        }
    }

    /// Runs the sessions, up to `parallel` at once.
    pub(crate) fn drive(
        self,
        stage: &Stage,
        sessions: &[Session],
        parallel: usize,
    ) -> Result<Answers, String> {
        if self == Self::Rmcp {
            return rmcp_client::drive(sessions);
        }
        let log = stage.scratch.log(&format!("{}-{}", self.name(), stage.leg));
        let mut command = self.command(stage.peers);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // What the inspector would otherwise look for, and write, in the home of whoever runs this.
        command.env("HOME", stage.scratch.folder());
        let work = json!({ "parallel": parallel, "sessions": sessions }).to_string();
        run(&mut Running::start(&mut command, &log)?, &work)
            .map_err(|error| format!("{}: {error}, see {}", self.name(), log.display()))
    }
}

/// What a client needs to know of its surroundings.
#[derive(Clone, Copy)]
pub(crate) struct Stage<'a> {
    pub(crate) peers: &'a Peers,
    pub(crate) scratch: &'a Scratch,
    /// Names the logs.
    pub(crate) leg: &'a str,
}

/// Hands the work over and collects the lines.
fn run(running: &mut Running, work: &str) -> Result<Answers, String> {
    let child = running.child();
    let mut stdin = child.stdin.take().ok_or("no stdin")?;
    let stdout = child.stdout.take().ok_or("no stdout")?;
    stdin
        .write_all(work.as_bytes())
        .map_err(|error| error.to_string())?;
    drop(stdin);
    let (heard, lines) = sync_channel(64);
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = heard.send(Some(line));
        }
        let _ = heard.send(None);
    });
    let mut answers = Answers::default();
    loop {
        match lines.recv_timeout(SILENCE) {
            Ok(Some(line)) => answers.note(
                serde_json::from_str::<Value>(&line)
                    .map_err(|error| format!("{error} in {line}"))?,
            ),
            Ok(None) => break,
            Err(_) => return Err("it said nothing for too long".to_owned()),
        }
    }
    let status = running.child().wait().map_err(|error| error.to_string())?;
    if status.success() {
        Ok(answers)
    } else {
        Err(format!("it ended with {status}"))
    }
}
