//! The legs through the mux: one with all servers behind it, asked over stdio, HTTP and what there is beside that.

use std::fs;
use std::process::Stdio;

use serde_json::{Map, Value, json};

use crate::clients::{Client, Stage};
use crate::direct::{Baseline, Reach};
use crate::lists::{LISTS, public};
use crate::process::{Running, command};
use crate::rmcp_client;
use crate::servers::Server;
use crate::session::{Answers, Era, Operation, Session, Target};

/// A mux that listens on HTTP, and how to start another like it on stdio.
pub(crate) struct Mux {
    pub(crate) reach: Reach,
    /// Where it listens.
    pub(crate) url: String,
    stdio: Vec<String>,
    /// A mux on stdio whose only server is the mux that listens: it is there at once.
    nested: Vec<String>,
    _running: Running,
}

/// How a client reaches a mux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Stdio,
    Http,
    /// HTTP with SSE (2024-11-05).
    Sse,
    /// WebSocket.
    Ws,
}

impl Door {
    fn name(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Http => "http",
            Self::Sse => "sse",
            Self::Ws => "ws",
        }
    }

    fn is_older(self) -> bool {
        matches!(self, Self::Sse | Self::Ws)
    }
}

/// One session of a client with a mux.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) client: Client,
    pub(crate) era: Era,
    /// How the client reaches the mux.
    pub(crate) door: Door,
}

impl Leg {
    pub(crate) fn id(self, mux: &Mux) -> String {
        let (client, era) = (self.client.name(), self.era.name());
        let (door, reach) = (self.door.name(), mux.reach.name());
        format!("{client} {era} over {door}, servers over {reach}")
    }

    /// Whether the client does this operation with this server of the mux.
    pub(crate) fn does(self, server: &Server, reach: Reach, operation: &Operation) -> bool {
        let sharing = server.sharing(reach);
        sharing.gives(operation.needs) && self.client.does(operation, self.era)
    }
}

impl Mux {
    /// Writes the configuration and starts the mux with it.
    pub(crate) fn start(
        reach: Reach,
        entries: &Map<String, Value>,
        stage: &Stage,
    ) -> Result<Self, String> {
        let mux = json!({
            "startupTimeout": "60s",
            "callTimeout": "60s",
            "websocket": true,
            "legacySse": true
        });
        let config = json!({ "mux": mux, "mcpServers": entries });
        let all = serve(
            stage,
            &format!("mux-{}", reach.name()),
            &config,
            &stage.scratch.text("cache"),
        )?;
        let log = stage.scratch.log(&format!("mux-{}", reach.name()));
        let mut http = command(&all);
        http.args(["--http", "127.0.0.1:0"]).stdin(Stdio::null());
        let (running, url) = Running::server(&mut http, &log, "listening on ")?;
        let only = json!({ "mcpServers": { "all": { "url": url, "prefix": null } } });
        // Nothing can be kept there: this one meets its server for the first time, every time.
        let nested = serve(
            stage,
            &format!("nested-{}", reach.name()),
            &only,
            "/dev/null",
        )?;
        let on_stdio = |words: Vec<String>| [words, vec!["--stdio".to_owned()]].concat();
        Ok(Self {
            reach,
            url,
            stdio: on_stdio(all),
            nested: on_stdio(nested),
            _running: running,
        })
    }

    /// The sessions that a client has with this mux.
    pub(crate) fn legs(&self, client: Client) -> Vec<Leg> {
        let doors = client.doors().iter().copied();
        // One connection per operation means one mux per operation here: once is enough.
        let dear = client.reconnects() && self.reach == Reach::Http;
        let doors = doors.filter(|door| !(dear && *door == Door::Stdio));
        // What is behind the mux does not depend on the door; but old servers and old clients meet in all ways.
        let dear = self.reach == Reach::Older && !doors.clone().any(Door::is_older);
        let doors = doors.take(if dear { 1 } else { usize::MAX });
        let doors = doors.filter(|door| self.reach != Reach::Older || *door != Door::Stdio);
        let legs = |door| {
            client.eras().iter().map(move |era| Leg {
                client,
                era: *era,
                door,
            })
        };
        doors.flat_map(legs).collect()
    }

    /// Everything that a client does with this mux.
    pub(crate) fn ask(
        &self,
        servers: &[Server],
        baseline: &Baseline,
        legs: &[Leg],
        stage: &Stage,
    ) -> Result<Answers, String> {
        let mut sessions = Vec::new();
        for leg in legs {
            let wanted = baseline.keys(servers, (self.reach, leg.era))?;
            let operations = operations(servers, *leg, self.reach, wanted);
            let target = match leg.door {
                Door::Http => Target::Http(self.url.clone()),
                Door::Sse => Target::Sse(self.beside("http", "/sse")),
                Door::Ws => Target::Ws(self.beside("ws", "/ws")),
                Door::Stdio if leg.client.reconnects() => Target::Stdio(self.nested.clone()),
                Door::Stdio => Target::Stdio(self.stdio.clone()),
            };
            sessions.push(Session {
                id: leg.id(self),
                era: leg.era,
                target,
                operations,
            });
        }
        let Some(leg) = legs.first() else {
            return Ok(Answers::default());
        };
        if leg.client.reconnects() {
            self.settle(baseline.keys(servers, (self.reach, Era::Legacy))?)?;
        }
        // One after the other: the servers behind the mux have one memory.
        leg.client.drive(stage, &sessions, 1)
    }
}

impl Mux {
    /// The URL of another endpoint of the mux.
    fn beside(&self, scheme: &str, path: &str) -> String {
        let origin = self.url.trim_start_matches("http").trim_end_matches("/mcp");
        format!("{scheme}{origin}{path}")
    }

    /// Waits until the mux lists everything, on behalf of a client that cannot wait.
    fn settle(&self, wanted: Value) -> Result<(), String> {
        let settle = Operation::new("settle", "settle", Some(wanted));
        let waiting = Session {
            id: "settle".to_owned(),
            era: Era::Legacy,
            target: Target::Http(self.url.clone()),
            operations: vec![settle],
        };
        let lacking = rmcp_client::drive(&[waiting])?;
        let lacking = &lacking.get("settle", "settle")?["result"];
        let complete = *lacking == json!({});
        complete
            .then_some(())
            .ok_or_else(|| format!("the mux never listed {lacking}"))
    }
}

/// Writes a configuration and returns the command that serves it; what it remembers goes to `cache`.
fn serve(stage: &Stage, name: &str, config: &Value, cache: &str) -> Result<Vec<String>, String> {
    let file = stage.scratch.path(&format!("{name}.json"));
    fs::write(&file, config.to_string()).map_err(|error| error.to_string())?;
    // By the environment, because the inspector takes `--config` for its own.
    let file = format!("MCPMUX_CONFIG={}", file.display());
    let cache = format!("XDG_CACHE_HOME={cache}");
    let words = ["env", &file, &cache, env!("CARGO_BIN_EXE_mcpmux"), "serve"];
    Ok(words.map(str::to_owned).to_vec())
}

/// What is done with the mux: its own lists once, then everything that was done with the servers.
fn operations(servers: &[Server], leg: Leg, reach: Reach, wanted: Value) -> Vec<Operation> {
    let mut all = vec![Operation::new("settle", "settle", Some(wanted))];
    let own = ["server", "ping"]
        .into_iter()
        .chain(LISTS.map(|list| list.method));
    all.extend(own.map(|method| Operation::new(method, method, None)));
    all.retain(|operation| leg.client.does(operation, leg.era));
    for server in servers {
        let its = server.operations.iter().filter(|operation| {
            !operation.method.ends_with("/list") && leg.does(server, reach, operation)
        });
        let id = format!(
            "{} {} {}",
            leg.client.name(),
            leg.era.name(),
            leg.door.name()
        );
        all.extend(its.map(|operation| renamed(operation, server.name).within(&id)));
    }
    all
}

/// The operation with the public name of what it is about; URIs stay as they are.
fn renamed(operation: &Operation, server: &str) -> Operation {
    let mut operation = operation.clone();
    let names: &[&str] = match operation.method.as_str() {
        "completion/complete" => &["/ref/name"],
        _ => &["/name", "/tool", "/undo", "/witness"],
    };
    if let Some(params) = &mut operation.params {
        for name in names {
            if let Some(name) = params.pointer_mut(name) {
                *name = json!(public(server, name.as_str().unwrap_or_default()));
            }
        }
    }
    operation
}
