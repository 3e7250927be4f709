//! What several files say, one after the other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::error::{Findings, Problem};
use super::expand::{Expander, Paths};
use super::formats;
use super::inputs::Inputs;
use super::keys::TOP;
use super::layers::Layer;
use super::outside::Commands;
use super::shape;
use super::sources::{Environment, Sources};
use super::suggest::nearest;
use super::tree::{Node, Value};

/// The setting that allows commands.
const ALLOW_COMMANDS: &str = "allowCommands";

/// The parts of the files that were read so far.
#[derive(Default)]
pub(crate) struct Merged {
    /// The settings of each file, in order.
    pub(crate) layers: Vec<Layer>,
    /// The server entries. One whose key was there before replaces the whole earlier entry in the earlier
    /// place.
    pub(crate) entries: IndexMap<String, Node>,
    /// What each file asks its user for.
    pub(crate) inputs: HashMap<PathBuf, Inputs>,
    /// Whether values may come from commands.
    pub(crate) commands: Commands,
}

impl Merged {
    /// Nothing yet. Whether commands are allowed must be known before anything is filled in: the environment
    /// says so, else the last file that says anything.
    pub(crate) fn new(roots: &[Node], env: &Environment) -> Self {
        let written = |root: &Node| shape::flag(root.get("mux")?.get(ALLOW_COMMANDS)?).ok();
        let variable = env
            .get("MCPMUX_ALLOW_COMMANDS")
            .filter(|value| !value.is_empty());
        let said = match variable {
            Some(value) => Some(["true", "1"].contains(&value)),
            None => roots.iter().rev().find_map(written),
        };
        let commands = match said {
            Some(true) => Commands::Allowed,
            _ => Commands::Refused,
        };
        Self {
            commands,
            ..Self::default()
        }
    }

    /// Takes what is for us out of one file.
    pub(crate) fn take(&mut self, root: Node, sources: &Sources, findings: &mut Findings) {
        let Value::Map(mut members) = root.value else {
            findings.error(&root.place, Problem::NotAnObject { found: root.sort() });
            return;
        };
        let mux = members.shift_remove("mux");
        let servers = formats::take(&mut members, &root.place, &sources.env, findings);
        report_top(&members, findings);
        if mux.is_none() && servers.is_none() {
            findings.warning(&root.place, Problem::NothingHere);
        }
        let file = root.place.file().unwrap_or(Path::new("")).to_owned();
        if let Some(mut mux) = mux {
            let whole = sources.cwd.join(&file);
            let paths = Paths {
                base: whole.parent().unwrap_or(&sources.cwd),
                work: &sources.cwd,
                home: sources.home.as_deref(),
            };
            let expander = Expander {
                outside: sources.outside.as_deref(),
                commands: self.commands,
                ..Expander::new(&sources.env, paths)
            };
            expander.fill(&mut mux, findings);
            self.layers.push(Layer(mux));
        }
        for (name, entry) in servers.into_iter().flatten() {
            self.entries.insert(name, entry);
        }
        if let Some(inputs) = formats::inputs(&members) {
            self.inputs.insert(file, inputs);
        }
    }
}

/// Other programs keep keys of theirs at the top; only one that looks like ours is worth a word.
fn report_top(members: &IndexMap<String, Node>, findings: &mut Findings) {
    for (key, node) in members {
        if let Some(meant) = nearest(key, TOP.iter().copied()) {
            let suggestion = Some(meant.to_owned());
            let problem = Problem::UnknownKey {
                key: key.clone(),
                suggestion,
                known: TOP.to_vec(),
            };
            findings.warning(&node.place, problem);
        }
    }
}
