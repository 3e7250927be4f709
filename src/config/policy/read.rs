//! Reading the policy. Whatever is odd about it is an error: it must not be weaker than it was meant.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::config::error::{ConfigError, Findings, Problem};
use crate::config::file;
use crate::config::tree::{Node, Value};
use crate::config::{ServerConfig, Sources};

use super::address::Address;
use super::judge::{Lists, Pattern, Verdict, What};
use super::program::Program;

impl Findings {
    /// Tells that a server is not let in. Without one that is required there is nothing to run.
    pub(crate) fn blocked(&mut self, server: &ServerConfig, verdict: Verdict) {
        let problem = Problem::Blocked {
            server: server.name.to_string(),
            why: verdict.why,
            entry: server.place.clone(),
        };
        if server.required {
            self.error(&verdict.place, problem);
        } else {
            self.warning(&verdict.place, problem);
        }
    }
}

#[cfg(target_os = "macos")]
const SYSTEM: &str = "/Library/Application Support/mcpmux/managed.json";
#[cfg(windows)]
const SYSTEM: &str = r"C:\ProgramData\mcpmux\managed.json";
#[cfg(not(any(target_os = "macos", windows)))]
const SYSTEM: &str = "/etc/mcpmux/managed.json";

const SERVERS: &str = "mcpServers";
const ALLOWED: &str = "allowedMcpServers";
const DENIED: &str = "deniedMcpServers";

/// Where the policy is. By default where the system has it; only code can say something else, never a user.
#[derive(Clone, Debug)]
pub struct PolicyFile(PathBuf);

impl Default for PolicyFile {
    fn default() -> Self {
        Self(SYSTEM.into())
    }
}

impl PolicyFile {
    /// The path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// For programs that are an administrator's own, and for tests.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

/// What the administrator has written.
pub(crate) struct Policy {
    /// The only servers that there are, if they are fixed.
    pub(crate) servers: Option<IndexMap<String, Node>>,
    lists: Lists,
}

impl Policy {
    /// The policy, if there is one. One that cannot be used is an error.
    pub(crate) fn read(place: &PolicyFile, findings: &mut Findings) -> Option<Self> {
        let path = place.path();
        if is_absent(path) {
            return None;
        }
        let mut found = Findings::default();
        let root = match file::text_of(path) {
            Ok(text) => file::parse(path, &text, &mut found),
            Err(problem) => {
                found.error(&file::place_of(path), problem);
                None
            }
        };
        let policy = root.and_then(|root| Self::of(root, &mut found));
        let odd = found.warnings.drain(..).map(|warning| ConfigError {
            place: warning.place,
            problem: warning.problem,
        });
        found.errors.extend(odd);
        let failed = !found.errors.is_empty();
        findings.append(found);
        policy.filter(|_| !failed)
    }

    fn of(root: Node, findings: &mut Findings) -> Option<Self> {
        let place = root.place.clone();
        let Value::Map(mut members) = root.value else {
            findings.error(&place, broken("it is not an object"));
            return None;
        };
        members.shift_remove("$schema");
        let servers = members.shift_remove(SERVERS);
        let (allowed, denied) = (members.shift_remove(ALLOWED), members.shift_remove(DENIED));
        for (key, node) in &members {
            let known = vec![SERVERS, ALLOWED, DENIED];
            let (key, suggestion) = (key.clone(), None);
            findings.error(
                &node.place,
                Problem::UnknownKey {
                    key,
                    suggestion,
                    known,
                },
            );
        }
        if servers.is_none() && allowed.is_none() && denied.is_none() {
            findings.error(&place, broken("it says nothing"));
        }
        let servers = servers.map(|node| {
            let Value::Map(map) = node.value else {
                findings.error(&node.place, broken("the servers are not an object"));
                return IndexMap::new();
            };
            map
        });
        let allowed = allowed.map(|list| (patterns(&list, findings), list.place));
        let denied = denied
            .map(|list| patterns(&list, findings))
            .unwrap_or_default();
        let lists = Lists { denied, allowed };
        Some(Self { servers, lists })
    }

    /// Why a server is not let in; `None`: it is.
    pub(crate) fn judge(&self, server: &ServerConfig, sources: &Sources) -> Option<Verdict> {
        self.lists.judge(server, (&sources.cwd, &sources.env))
    }
}

/// Whether the policy says which servers there are, so that no file of the user need do so.
pub(crate) fn fixes_servers(place: &PolicyFile) -> bool {
    let policy = Policy::read(place, &mut Findings::default());
    policy.is_some_and(|policy| policy.servers.is_some())
}

/// Only what is certainly not there is absent; a link that leads nowhere is broken.
fn is_absent(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

fn broken(why: &str) -> Problem {
    Problem::Policy {
        why: why.to_owned(),
    }
}

fn patterns(list: &Node, findings: &mut Findings) -> Vec<Pattern> {
    let Value::List(elements) = &list.value else {
        findings.error(&list.place, broken("the list is not an array"));
        return Vec::new();
    };
    let mut patterns = Vec::new();
    for node in elements {
        match pattern(node) {
            Ok(what) => patterns.push(Pattern {
                what,
                place: node.place.clone(),
            }),
            Err(why) => findings.error(&node.place, broken(why)),
        }
    }
    patterns
}

fn pattern(node: &Node) -> Result<What, &'static str> {
    const SHAPE: &str = "a pattern is an object with `serverName`, `serverCommand` or `serverUrl`";
    let members = node.map().ok_or(SHAPE)?;
    let mut members = members.iter();
    let (Some((key, value)), None) = (members.next(), members.next()) else {
        return Err(SHAPE);
    };
    let text = value.text().filter(|text| !text.is_empty());
    match (key.as_str(), text) {
        ("serverName", Some(name)) => Ok(What::Name(name.to_owned())),
        ("serverUrl", Some(url)) => Ok(What::Url(Address::parse(url)?)),
        ("serverCommand", Some(command)) => Ok(What::Command(Program {
            command: command.to_owned(),
            args: None,
        })),
        ("serverCommand", None) => {
            let list = value
                .list()
                .ok_or("`serverCommand` is neither a text nor an array")?;
            let words = list.iter().map(|node| node.text().map(str::to_owned));
            let words: Option<Vec<String>> = words.collect();
            let words = words.ok_or("`serverCommand` has something that is no text")?;
            let (command, args) = words.split_first().ok_or("`serverCommand` is empty")?;
            Ok(What::Command(Program {
                command: command.clone(),
                args: Some(args.to_vec()),
            }))
        }
        _ => Err(SHAPE),
    }
}
