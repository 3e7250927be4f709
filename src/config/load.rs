//! `Config`: the whole configuration, read and checked.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::protocol::ServerName;

use super::entry::{Entry, EntryReader};
use super::environment;
use super::error::{ConfigError, ConfigErrors, ConfigWarning, Findings, Problem};
use super::expand::{Expander, Paths};
use super::explain::Explained;
use super::file;
use super::keys::TOP;
use super::layers::{self, Layer};
use super::problem::Expected;
use super::servers::ServerConfig;
use super::settings::Settings;
use super::shape;
use super::sources::Sources;
use super::suggest::nearest;
use super::tree::{Node, Value};

/// Everything that was written, checked and filled in.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What holds for the whole mux.
    pub settings: Settings,
    /// The enabled servers in file order.
    pub servers: IndexMap<ServerName, ServerConfig>,
    /// The keys of the servers that are switched off, in file order.
    pub disabled: Vec<ServerName>,
    /// What is odd, but no error.
    pub warnings: Vec<ConfigWarning>,
    /// The files that were read, in order.
    pub files: Vec<PathBuf>,
    /// Every setting with its value and where it comes from.
    pub explained: Vec<Explained>,
}

impl Config {
    /// Reads the files, lays the environment and the flags over them, and checks everything.
    /// Fails with all errors that there are, not only with the first.
    pub fn load(sources: &Sources) -> Result<Self, ConfigErrors> {
        let mut findings = Findings::default();
        let files = file::find(sources).map_err(|problem| ConfigErrors {
            errors: vec![ConfigError {
                place: None,
                problem,
            }],
            warnings: Vec::new(),
        })?;
        let read = |path: &PathBuf| file::read(path, &sources.cwd, &mut findings);
        let roots = files.iter().filter_map(read).collect();
        Self::assemble(roots, sources, findings).map(|config| Self { files, ..config })
    }

    /// Reads a configuration from a text instead of the files. The ending of `name` says the syntax,
    /// its directory where relative paths start; no such file need exist.
    pub fn from_text(name: &Path, text: &str, sources: &Sources) -> Result<Self, ConfigErrors> {
        let mut findings = Findings::default();
        let root = file::parse(name, text, &mut findings);
        Self::assemble(root.into_iter().collect(), sources, findings)
    }

    fn assemble(
        roots: Vec<Node>,
        sources: &Sources,
        mut findings: Findings,
    ) -> Result<Self, ConfigErrors> {
        let config = Self::gather(roots, sources, &mut findings);
        let Findings { errors, warnings } = findings;
        if errors.is_empty() {
            Ok(Self { warnings, ..config })
        } else {
            Err(ConfigErrors { errors, warnings })
        }
    }

    fn gather(roots: Vec<Node>, sources: &Sources, findings: &mut Findings) -> Self {
        let mut layers = Vec::new();
        let mut entries = IndexMap::new();
        for root in roots {
            take_file(root, (&mut layers, &mut entries), sources, findings);
        }
        layers.push(environment::variables(&sources.env, findings));
        layers.push(environment::flags(&sources.flags));
        let (settings, explained) = layers::merge(&layers, findings);

        let mut servers = IndexMap::new();
        let mut disabled = Vec::new();
        let mut reader = EntryReader {
            settings: &settings,
            sources,
            findings,
        };
        for (name, entry) in entries {
            let key = ServerName::new(name.as_str());
            match reader.read(&name, entry) {
                Entry::Enabled(server) => {
                    servers.insert(key, *server);
                }
                Entry::Disabled => disabled.push(key),
                Entry::Broken => {}
            }
        }
        Self {
            settings,
            servers,
            disabled,
            explained,
            ..Self::default()
        }
    }
}

/// Takes what is ours out of one file: a layer of settings, and server entries. An entry whose key was
/// there before replaces the whole earlier entry in the earlier place.
fn take_file(
    mut root: Node,
    (layers, entries): (&mut Vec<Layer>, &mut IndexMap<String, Node>),
    sources: &Sources,
    findings: &mut Findings,
) {
    let Value::Map(members) = &mut root.value else {
        findings.error(&root.place, Problem::NotAnObject { found: root.sort() });
        return;
    };
    let mux = members.shift_remove("mux");
    let servers = members.shift_remove("mcpServers");
    report_top(members, findings);
    if mux.is_none() && servers.is_none() {
        findings.warning(&root.place, Problem::NothingHere);
    }
    if let Some(mut mux) = mux {
        let file = sources.cwd.join(root.place.file().unwrap_or(Path::new("")));
        let paths = Paths {
            base: file.parent().unwrap_or(&sources.cwd),
            home: sources.home.as_deref(),
        };
        Expander {
            own: None,
            env: &sources.env,
            paths,
        }
        .fill(&mut mux, findings);
        layers.push(Layer(mux));
    }
    match servers {
        None => {}
        Some(Node {
            value: Value::Map(map),
            ..
        }) => entries.extend(map),
        Some(other) if other.is_null() => {}
        Some(other) => findings.error(&other.place, shape::mismatch(&other, Expected::Object)),
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
