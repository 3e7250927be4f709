//! One server entry → `ServerConfig`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::protocol::ServerName;

use super::env_file::{self, Variable};
use super::error::{Findings, Problem};
use super::expand::{Expander, Paths};
use super::explain::{self, Explained};
use super::headers_helper;
use super::inputs::Inputs;
use super::keys::{REPLACE, SERVER, SHARING, Shape, TIMEOUT_RANGE};
use super::outside::Commands;
use super::problem::Expected;
use super::quantity;
use super::reach::Reach;
use super::rules::Rules;
use super::servers::{Replacement, ServerConfig, Sharing};
use super::settings::Settings;
use super::shape::{self, UnknownKey};
use super::sources::Sources;
use super::tree::{Node, Value};

/// What reading an entry came to.
pub(crate) enum Entry {
    Enabled(Box<ServerConfig>),
    Disabled,
    /// Something is wrong and was reported.
    Broken,
}

/// Reads entries, all with the same settings.
pub(crate) struct EntryReader<'a> {
    pub(crate) settings: &'a Settings,
    /// Where each of them was written.
    pub(crate) explained_settings: &'a [Explained],
    pub(crate) sources: &'a Sources,
    /// What each file asks its user for.
    pub(crate) inputs: &'a HashMap<PathBuf, Inputs>,
    pub(crate) commands: Commands,
    pub(crate) findings: &'a mut Findings,
    /// What was read so far, for people.
    pub(crate) explained: Vec<Explained>,
}

impl<'a> EntryReader<'a> {
    /// Reads the entry under the key `server`. A disabled entry is not looked at any further, so that
    /// a half-written one can be parked.
    pub(crate) fn read(&mut self, server: &str, mut entry: Node) -> Entry {
        if entry.map().is_none() {
            self.findings
                .error(&entry.place, shape::mismatch(&entry, Expected::Object));
            return Entry::Broken;
        }
        let errors = self.findings.errors.len();
        let sources = self.sources;
        let base = base_of(sources, &entry);
        let paths = Paths {
            base: &base,
            work: &sources.cwd,
            home: sources.home.as_deref(),
        };
        let expander = self.expander(&entry, paths);
        if self.is_off(server, &mut entry, &expander) {
            return Entry::Disabled;
        }
        if server.is_empty() {
            self.findings.error(&entry.place, Problem::NamelessServer);
        }
        let own = self.filled(server, &mut entry, &expander);
        shape::check(
            &entry,
            &Shape::Object(SERVER),
            UnknownKey::Warning,
            self.findings,
        );
        self.explain(server, &entry);
        let reach = Reach {
            server,
            entry: &entry,
            own: &own,
            env: &sources.env,
            paths,
        };
        let transport = reach.read(self.findings);
        let rules = Arc::new(Rules::read(server, &entry, self.findings));
        let call_timeout = self.call_timeout(&entry);
        match transport {
            Some(transport) if self.findings.errors.len() == errors => {
                Entry::Enabled(Box::new(ServerConfig {
                    name: ServerName::new(server),
                    transport,
                    rules,
                    required: flag(&entry, "required").unwrap_or(false),
                    startup_timeout: time(&entry, "startupTimeout")
                        .unwrap_or(self.settings.startup_timeout),
                    call_timeout,
                    max_concurrent_calls: self.max_concurrent_calls(&entry),
                    sharing: sharing(&entry),
                    replacement: replacement(&entry),
                    place: entry.place,
                }))
            }
            _ => Entry::Broken,
        }
    }

    fn expander<'b>(&self, entry: &Node, paths: Paths<'b>) -> Expander<'b>
    where
        'a: 'b,
    {
        let file = entry.place.file();
        Expander {
            inputs: file.and_then(|file| self.inputs.get(file)),
            outside: self.sources.outside.as_deref(),
            commands: self.commands,
            ..Expander::new(&self.sources.env, paths)
        }
    }

    fn is_off(&mut self, server: &str, entry: &mut Node, expander: &Expander<'_>) -> bool {
        let switches = ["enabled", "disabled"];
        for key in switches {
            if let Some(node) = entry.get_mut(key) {
                expander.fill(node, self.findings);
            }
        }
        let off = flag(entry, "enabled") == Some(false) || flag(entry, "disabled") == Some(true);
        if off {
            let switches = explain::entry(server, entry, &switches);
            self.explained.extend(switches);
        }
        off
    }

    fn explain(&mut self, server: &str, entry: &Node) {
        self.explained.extend(explain::entry(server, entry, &[]));
        let inherited = explain::inherited(server, entry, self.explained_settings);
        self.explained.extend(inherited);
    }

    /// Fills in the variables of the entry, and what its helper prints. Returns the variables of its `envFile`.
    fn filled(
        &mut self,
        server: &str,
        entry: &mut Node,
        expander: &Expander<'_>,
    ) -> IndexMap<String, String> {
        // A shell fills in what it knows itself.
        let helper = taken_out(entry, "headersHelper");
        let own = self.fill(server, entry, expander);
        if let Some(helper) = helper {
            headers_helper::run(server, entry, &helper, expander, self.findings);
            put_back(entry, "headersHelper", helper);
        }
        own
    }

    /// Fills in the variables of the entry. Returns those of its `envFile`.
    fn fill(
        &mut self,
        server: &str,
        entry: &mut Node,
        expander: &Expander<'_>,
    ) -> IndexMap<String, String> {
        let own = self.env_file(server, entry, expander);
        let failed = own.is_err();
        let own = own.unwrap_or_default();
        let mut found = Findings::default();
        Expander {
            own: Some(&own),
            ..*expander
        }
        .fill(entry, &mut found);
        if failed {
            // The missing variables may well be in the file that could not be read.
            found
                .errors
                .retain(|error| !matches!(error.problem, Problem::UnsetVariable { .. }));
        }
        self.findings.append(found);
        own
    }

    /// The variables of the `envFile`, none if there is no such key. Fails if that was reported.
    fn env_file(
        &mut self,
        server: &str,
        entry: &mut Node,
        expander: &Expander<'_>,
    ) -> Result<IndexMap<String, String>, ()> {
        let Some(node) = entry.get_mut("envFile") else {
            return Ok(IndexMap::new());
        };
        expander.fill(node, self.findings);
        // What is no string is reported with the shape of the entry.
        let path = node.text().filter(|path| !path.is_empty()).ok_or(())?;
        let path = expander.paths.resolve(path);
        self.findings.files.extend(path.iter().cloned());
        let read = path.and_then(|path| Ok((env_file::load(&path)?, path)));
        let (variables, path) =
            read.map_err(|problem| self.findings.error(&node.place, problem))?;
        let told = explain::env_file(server, &path, &variables);
        self.explained.extend(told);
        let value = |(name, variable): (String, Variable)| (name, variable.value);
        Ok(variables.into_iter().map(value).collect())
    }

    fn call_timeout(&mut self, entry: &Node) -> Duration {
        let inherited = self.settings.call_timeout;
        if let Some(node) = entry.get("callTimeout") {
            let (min, max) = TIMEOUT_RANGE;
            return shape::time(node, min, max).unwrap_or(inherited);
        }
        entry
            .get("timeout")
            .and_then(|node| self.foreign_timeout(node))
            .unwrap_or(inherited)
    }

    /// The `timeout` of other programs. It is never an error: they may mean something else by it.
    fn foreign_timeout(&mut self, node: &Node) -> Option<Duration> {
        let (min, max) = TIMEOUT_RANGE;
        let written = match &node.value {
            Value::Number(digits) => match quantity::whole(digits) {
                Some(millis) if millis >= 1_000 => format!("{millis}ms"),
                _ => digits.clone(),
            },
            _ => node.text().unwrap_or_default().to_owned(),
        };
        let Some(read) = quantity::duration(&written).filter(|read| (min..=max).contains(read))
        else {
            self.findings
                .warning(&node.place, shape::mismatch(node, Expected::Duration));
            return None;
        };
        if matches!(node.value, Value::Number(_)) {
            let shown = quantity::show_duration(read);
            let problem = Problem::Timeout {
                written: node.shown(),
                read: shown,
            };
            self.findings.warning(&node.place, problem);
        }
        Some(read)
    }

    fn max_concurrent_calls(&self, entry: &Node) -> usize {
        let written = entry.get("maxConcurrentCalls").and_then(Node::scalar);
        let count = written
            .and_then(quantity::whole)
            .and_then(|count| usize::try_from(count).ok());
        count.unwrap_or(self.settings.max_concurrent_calls)
    }
}

fn taken_out(entry: &mut Node, key: &str) -> Option<Node> {
    match &mut entry.value {
        Value::Map(members) => members.shift_remove(key),
        _ => None,
    }
}

fn put_back(entry: &mut Node, key: &str, node: Node) {
    if let Value::Map(members) = &mut entry.value {
        members.insert(key.to_owned(), node);
    }
}

/// The directory that relative paths of the entry start at.
fn base_of(sources: &Sources, entry: &Node) -> std::path::PathBuf {
    let file = sources
        .cwd
        .join(entry.place.file().unwrap_or(Path::new("")));
    file.parent()
        .map_or_else(|| sources.cwd.clone(), Path::to_owned)
}

// The shape of these values was checked: what does not fit was reported there.

fn flag(entry: &Node, key: &str) -> Option<bool> {
    shape::flag(entry.get(key)?).ok()
}

fn time(entry: &Node, key: &str) -> Option<Duration> {
    let (min, max) = TIMEOUT_RANGE;
    shape::time(entry.get(key)?, min, max).ok()
}

fn sharing(entry: &Node) -> Sharing {
    match entry
        .get("sharing")
        .and_then(|node| shape::word(node, SHARING).ok())
    {
        Some("shared") => Sharing::Shared,
        Some("per-client") => Sharing::PerClient,
        Some("exclusive") => Sharing::Exclusive,
        _ => Sharing::Auto,
    }
}

fn replacement(entry: &Node) -> Replacement {
    let written = entry.get("replace");
    match written.and_then(|node| shape::word(node, REPLACE).ok()) {
        Some("stop-first") => Replacement::StopFirst,
        _ => Replacement::StartFirst,
    }
}
