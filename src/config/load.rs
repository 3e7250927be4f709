//! `Config`: the whole configuration, read and checked.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::protocol::ServerName;

use super::entry::{Entry, EntryReader};
use super::environment;
use super::error::{ConfigError, ConfigErrors, ConfigWarning, Findings, Problem};
use super::explain::Explained;
use super::file;
use super::include::Reader;
use super::layers;
use super::merge::Merged;
use super::policy::{Policy, fixes_servers};
use super::servers::ServerConfig;
use super::settings::Settings;
use super::sources::Sources;
use super::tree::Node;

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
    /// The files that were read, in the order in which they count: the later are stronger.
    pub files: Vec<PathBuf>,
    /// Everything on the disk that a part of this comes from: the files, the folders of globs, each `envFile`
    /// and each `${file:…}`. Absolute, each once, in the order in which they were met.
    pub watched: Vec<PathBuf>,
    /// Every setting with its value and where it comes from.
    pub explained: Vec<Explained>,
    /// The same for every key of every server entry, in file order.
    pub explained_servers: Vec<Explained>,
}

impl Config {
    /// Reads the files, lays the environment and the flags over them, and checks everything.
    /// Fails with all errors that there are, not only with the first.
    pub fn load(sources: &Sources) -> Result<Self, ConfigErrors> {
        let mut findings = Findings::default();
        let (files, roots) = Self::roots(sources, &mut findings)?.into_iter().unzip();
        Self::assemble(roots, sources, findings).map(|config| Self { files, ..config })
    }

    /// The files that there are, in order.
    fn roots(
        sources: &Sources,
        findings: &mut Findings,
    ) -> Result<Vec<(PathBuf, Node)>, ConfigErrors> {
        let files = match file::find(sources) {
            Ok(files) => files,
            Err(_) if fixes_servers(&sources.policy) => Vec::new(),
            Err(problem) => {
                let error = ConfigError {
                    place: None,
                    problem,
                };
                return Err(ConfigErrors {
                    errors: vec![error],
                    ..ConfigErrors::default()
                });
            }
        };
        let mut reader = Reader::new(sources, findings);
        for file in &files {
            reader.named(file);
        }
        reader.of_environment();
        Ok(reader.finish().into_iter().collect())
    }

    /// Reads a configuration from a text instead of the files. The ending of `name` says the syntax,
    /// its directory where relative paths start; no such file need exist. `mux.include` pulls in nothing.
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
        if !findings.errors.is_empty() {
            return Err(findings.into());
        }
        Ok(Self {
            warnings: findings.warnings,
            watched: findings.files.into_iter().collect(),
            ..config
        })
    }

    /// Reads the settings alone. What is wrong with servers is not looked at.
    pub fn load_settings(sources: &Sources) -> Result<Settings, ConfigErrors> {
        let mut findings = Findings::default();
        let roots = Self::roots(sources, &mut findings)?.into_iter();
        let (settings, ..) = merged(
            roots.map(|(_, root)| root).collect(),
            sources,
            &mut findings,
        );
        if findings.errors.is_empty() {
            Ok(settings)
        } else {
            Err(findings.into())
        }
    }

    fn gather(roots: Vec<Node>, sources: &Sources, findings: &mut Findings) -> Self {
        let (settings, explained, rest) = merged(roots, sources, findings);
        let Merged {
            mut entries,
            inputs,
            commands,
            ..
        } = rest;
        let mut policy = Policy::read(&sources.policy, findings);
        if let Some(managed) = policy.as_mut().and_then(|policy| policy.servers.take()) {
            for (server, entry) in std::mem::replace(&mut entries, managed) {
                let policy = sources.policy.path().to_owned();
                findings.warning(&entry.place, Problem::NotManaged { server, policy });
            }
        }
        let mut servers = IndexMap::new();
        let mut disabled = Vec::new();
        let mut reader = EntryReader {
            settings: &settings,
            explained_settings: &explained,
            sources,
            inputs: &inputs,
            commands,
            findings,
            explained: Vec::new(),
        };
        for (name, entry) in entries {
            let key = ServerName::new(name.as_str());
            let foreseen = policy
                .as_ref()
                .and_then(|policy| policy.foresee((&name, &entry), &reader));
            if let Some((server, verdict)) = foreseen {
                reader.findings.blocked(&server, verdict);
                continue;
            }
            match reader.read(&name, entry) {
                Entry::Enabled(server) => {
                    let verdict = policy
                        .as_ref()
                        .and_then(|policy| policy.judge(&server, sources));
                    match verdict {
                        None => drop(servers.insert(key, *server)),
                        Some(verdict) => reader.findings.blocked(&server, verdict),
                    }
                }
                Entry::Disabled => disabled.push(key),
                Entry::Broken => {}
            }
        }
        let explained_servers = reader.explained;
        Self {
            settings,
            servers,
            disabled,
            explained,
            explained_servers,
            ..Self::default()
        }
    }
}

/// All files in one, with the settings of all layers read.
fn merged(
    roots: Vec<Node>,
    sources: &Sources,
    findings: &mut Findings,
) -> (Settings, Vec<Explained>, Merged) {
    let mut merged = Merged::new(&roots, &sources.env);
    for root in roots {
        merged.take(root, sources, findings);
    }
    let layers = &mut merged.layers;
    layers.push(environment::variables(&sources.env, findings));
    layers.push(environment::flags(&sources.flags));
    let (settings, explained) = layers::merge(layers, findings);
    (settings, explained, merged)
}
