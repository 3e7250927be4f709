//! The real servers: how each is started, and which revisions it speaks.

use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};

use crate::direct::Reach;
use crate::peers::{Peers, fixture, script};
use crate::process::{Running, command};
use crate::scratch::Scratch;
use crate::session::{Era, Needs, Operation, Sharing, Target};

const OPERATIONS: &str = include_str!("../peers/operations.json");
/// How often a server is started again because somebody else took its port.
const ATTEMPTS: usize = 5;

/// How a server is started to listen on HTTP.
enum Listens {
    Never,
    /// It takes a free port and says where it listens.
    AndSays(Vec<String>),
    /// It takes the port from `PORT`, and says nothing that helps.
    OnPort(Vec<String>),
}

/// How else a server can be reached.
enum Older {
    /// By HTTP+SSE (2024-11-05), on the port in `PORT`.
    Sse(Vec<String>),
    /// By WebSocket, on a free port, which it says.
    Ws(Vec<String>),
}

/// One real server.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    stdio: Vec<String>,
    listens: Listens,
    older: Option<Older>,
    /// Whether it speaks 2026-07-28 beside the revisions before.
    pub(crate) dual: bool,
    pub(crate) operations: Vec<Operation>,
    /// What the mux has in its place.
    pub(crate) behind: Option<Box<Server>>,
    /// What the mux's configuration says of it beside the address.
    rules: Value,
}

impl Server {
    /// The eras in which a client can reach it directly.
    pub(crate) fn eras(&self) -> &'static [Era] {
        if self.dual {
            &[Era::Legacy, Era::Modern]
        } else {
            &[Era::Legacy]
        }
    }

    /// The command that serves stdio; `leg` names whose process it is, for those with a memory.
    pub(crate) fn stdio(&self, scratch: &Scratch, leg: &str) -> Result<Target, String> {
        let mut words = self.stdio.clone();
        if self.name == "memory" {
            let graph = scratch.graph(leg).map_err(|error| error.to_string())?;
            words.splice(..0, ["env".to_owned(), format!("MEMORY_FILE_PATH={graph}")]);
        }
        Ok(Target::Stdio(words))
    }

    /// How the mux's clients share it.
    pub(crate) fn sharing(&self, reach: Reach) -> Sharing {
        match (self.name, reach) {
            ("everything" | "pyws", Reach::Stdio) => Sharing::Auto,
            // Over stdio, each connection is a process, with a memory of its own.
            ("everything", _) | ("pyws", Reach::Http) => Sharing::Shared,
            ("pyws" | "rooted", _) => Sharing::PerClient,
            _ => Sharing::Auto,
        }
    }

    /// What the mux's configuration says of it.
    pub(crate) fn entry(&self, target: &Target, reach: Reach) -> Value {
        let mut entry = self.rules.clone();
        entry["sharing"] = json!(self.sharing(reach).name());
        match target {
            Target::Http(url) | Target::Ws(url) => entry["url"] = json!(url),
            Target::Sse(url) => {
                entry["type"] = json!("sse");
                entry["url"] = json!(url);
            }
            Target::Stdio(words) => {
                entry["command"] = json!(words[0]);
                entry["args"] = json!(words[1..]);
            }
        }
        entry
    }

    /// Starts it on HTTP, if it can do that, and returns its URL.
    pub(crate) fn listen(&self, scratch: &Scratch) -> Result<Option<(Running, String)>, String> {
        let log = scratch.log(&format!("{}-http", self.name));
        let words = match &self.listens {
            Listens::Never => return Ok(None),
            Listens::AndSays(words) => {
                return Running::server(&mut command(words), &log, "listening on ").map(Some);
            }
            Listens::OnPort(words) => words,
        };
        let (running, port) = on_port(words, &log, "listening on port")?;
        Ok(Some((running, format!("http://127.0.0.1:{port}/mcp"))))
    }

    /// Starts it in the other way that it has, if it has one.
    pub(crate) fn listen_older(
        &self,
        scratch: &Scratch,
    ) -> Result<Option<(Running, Target)>, String> {
        let log = scratch.log(&format!("{}-older", self.name));
        Ok(match &self.older {
            None => None,
            Some(Older::Sse(words)) => {
                let (running, port) = on_port(words, &log, "running on port")?;
                let url = format!("http://127.0.0.1:{port}/sse");
                Some((running, Target::Sse(url)))
            }
            Some(Older::Ws(words)) => {
                let (running, url) = Running::server(&mut command(words), &log, "listening on ")?;
                Some((running, Target::Ws(url)))
            }
        })
    }

    /// Whether there is another way.
    pub(crate) fn is_older(&self) -> bool {
        self.older.is_some()
    }
}

/// Starts a server on a free port until it says so; the port.
fn on_port(words: &[String], log: &Path, says: &str) -> Result<(Running, u16), String> {
    let mut problem = String::new();
    for _ in 0..ATTEMPTS {
        let port = free_port().map_err(|error| error.to_string())?;
        let mut command = command(words);
        command.env("PORT", port.to_string());
        match Running::server(&mut command, log, says) {
            Ok((running, _)) => return Ok((running, port)),
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

/// What is done with a server, from the shared list.
fn operations(server: &str, scratch: &Scratch) -> Result<Vec<Operation>, String> {
    let text = OPERATIONS.replace("{dir}", &scratch.folder());
    let all: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let listed = all[server].as_array();
    let listed = listed.ok_or_else(|| format!("{server} has no operations"))?;
    let operation = |(index, value): (usize, &Value)| {
        let method = value["method"].as_str().unwrap_or_default();
        let params = value.get("params");
        let what = ["name", "uri", "ref"]
            .iter()
            .find_map(|key| params?.get(key));
        let what = what.map(|what| format!(" {what}")).unwrap_or_default();
        let id = format!("{server} {index}: {method}{what}");
        let needs = match value["needs"].as_str() {
            Some("kept") => Needs::Kept,
            Some("shared") => Needs::Shared,
            Some("own") => Needs::Own,
            _ => Needs::Nothing,
        };
        Operation {
            asks: value["asks"] == true,
            legacy: value["legacy"] == true,
            needs,
            ..Operation::new(&id, method, params.cloned())
        }
    };
    Ok(listed.iter().enumerate().map(operation).collect())
}

/// Servers of ours, on rmcp: they need nothing but cargo.
pub(crate) fn ours(scratch: &Scratch) -> Result<Vec<Server>, String> {
    let fixture = fixture()?;
    let speaking = |name, era| {
        Ok::<_, String>(Server {
            name,
            stdio: words(&[&fixture, "--era", era, "--stdio"]),
            older: None,
            listens: Listens::AndSays(words(&[&fixture, "--era", era, "--http", "127.0.0.1:0"])),
            dual: true,
            operations: operations(name, scratch)?,
            behind: None,
            rules: json!({}),
        })
    };
    // Old clients cannot talk to this one without the mux: they talk to its twin that speaks everything.
    let only_modern = Server {
        // The URIs are those of the other fixture.
        rules: json!({ "resources": [], "templates": [] }),
        ..speaking("modern", "modern")?
    };
    let twin = Server {
        behind: Some(Box::new(only_modern)),
        ..speaking("modern", "both")?
    };
    Ok(vec![speaking("fixture", "both")?, twin])
}

/// The servers of other people.
pub(crate) fn theirs(peers: &Peers, scratch: &Scratch) -> Result<Vec<Server>, String> {
    let node = peers.node();
    let (files, repo) = (scratch.text("files"), scratch.text("repo"));
    let everything = peers.package("server-everything/dist/index.js");
    let filesystem = peers.package("server-filesystem/dist/index.js");
    let memory = peers.package("server-memory/dist/index.js");
    let time = peers.python("v1", "mcp-server-time");
    let git = peers.python("v1", "mcp-server-git");
    let (python1, pyws) = (peers.python("v1", "python"), script("servers/pyws.py"));
    let piped = |name, list: &[&str]| (name, words(list), Listens::Never);
    let all_over_http = Listens::OnPort(words(&[&node, &everything, "streamableHttp"]));
    let legacy = [
        (
            "everything",
            words(&[&node, &everything, "stdio"]),
            all_over_http,
        ),
        // The same again, for clients that have a connection of their own.
        piped("rooted", &[&node, &everything, "stdio"]),
        piped("filesystem", &[&node, &filesystem, &files]),
        piped("memory", &[&node, &memory]),
        piped("time", &[&time, "--local-timezone", "UTC"]),
        piped("git", &[&git, "--repository", &repo]),
        piped("pyws", &[&python1, &pyws, "stdio"]),
    ];
    let dual = [
        ("pymcp", "v2", "pymcp.py"),
        ("fastmcp", "fastmcp", "fastmcp_server.py"),
    ];
    let dual = dual.map(|(name, environment, file)| {
        let python = peers.python(environment, "python");
        let file = script(&format!("servers/{file}"));
        let listens = Listens::AndSays(words(&[&python, &file, "http", "0"]));
        (name, words(&[&python, &file, "stdio"]), listens)
    });
    let legacy = legacy.into_iter().map(|known| (known, false));
    let dual = dual.into_iter().map(|known| (known, true));
    let older = |name: &str| match name {
        "everything" | "rooted" => Some(Older::Sse(words(&[&node, &everything, "sse"]))),
        "pyws" => Some(Older::Ws(words(&[&python1, &pyws, "ws", "0"]))),
        _ => None,
    };
    let server = |((name, stdio, listens), dual)| {
        let operations = operations(name, scratch)?;
        Ok(Server {
            name,
            stdio,
            listens,
            older: older(name),
            dual,
            operations,
            behind: None,
            rules: match name {
                "rooted" => json!({ "resources": [], "templates": [], "prompts": [] }),
                _ => json!({}),
            },
        })
    };
    legacy.chain(dual).map(server).collect()
}
