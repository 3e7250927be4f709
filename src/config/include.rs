//! `mux.include`: the files that a file pulls in.
//!
//! They are read before it, in their order, as if each had been a `--config` of its own: what the file
//! itself says is stronger. A file that is pulled in twice is read once, the first time.

use std::path::{Path, PathBuf};

use indexmap::IndexSet;

use super::error::{Findings, Problem};
use super::expand::{Expander, Paths};
use super::file;
use super::globs::{Glob, is_glob};
use super::place::{Origin, Place};
use super::sources::Sources;
use super::tree::{Node, Value};

/// How many files there may be altogether.
const MAX_FILES: usize = 256;

/// Reads files and those that they pull in.
pub(crate) struct Reader<'a> {
    sources: &'a Sources,
    findings: &'a mut Findings,
    /// The files that are being read, the outermost first.
    open: Vec<PathBuf>,
    /// All files that were met.
    met: IndexSet<PathBuf>,
    read: Vec<(PathBuf, Node)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(sources: &'a Sources, findings: &'a mut Findings) -> Self {
        Self {
            sources,
            findings,
            open: Vec::new(),
            met: IndexSet::new(),
            read: Vec::new(),
        }
    }

    /// Reads a file that was named. What is wrong is reported.
    pub(crate) fn named(&mut self, path: &Path) {
        self.file(path, &file::place_of(path));
    }

    /// Reads what the environment pulls in, behind all others, since it is stronger.
    pub(crate) fn of_environment(&mut self) {
        let variable = "MCPMUX_INCLUDE";
        let place = Place {
            origin: Origin::Environment(variable.into()),
            ..Place::default()
        };
        let listed = self
            .sources
            .env
            .get(variable)
            .unwrap_or_default()
            .split(',');
        for written in listed.map(str::trim).filter(|written| !written.is_empty()) {
            self.include(Path::new(""), written, &place);
        }
    }

    /// What was read, in the order in which it counts: the later is stronger.
    pub(crate) fn finish(self) -> Vec<(PathBuf, Node)> {
        self.read
    }

    /// Reads a file that is named at this place.
    fn file(&mut self, path: &Path, place: &Place) {
        let whole = self.sources.cwd.join(path);
        // A file has many names and one content.
        let real = whole.canonicalize().unwrap_or_else(|_| whole.clone());
        if self.open.contains(&real) {
            let path = path.to_owned();
            return self.findings.error(place, Problem::IncludeCycle { path });
        }
        if self.met.len() >= MAX_FILES {
            let limit = MAX_FILES;
            return self.findings.error(place, Problem::TooManyFiles { limit });
        }
        if !self.met.insert(real.clone()) {
            return;
        }
        self.findings.files.insert(whole.clone());
        let text = match file::text_of(&whole) {
            Ok(text) => text,
            Err(problem) => {
                let problem = match problem {
                    Problem::Unreadable { reason } if place.file() != Some(path) => {
                        let path = path.to_owned();
                        Problem::SecretFile { path, reason }
                    }
                    other => other,
                };
                return self.findings.error(place, problem);
            }
        };
        let Some(mut root) = file::parse(path, &text, self.findings) else {
            return;
        };
        self.open.push(real);
        self.includes(path, &mut root);
        self.open.pop();
        self.read.push((path.to_owned(), root));
    }

    /// Reads what a file pulls in. What has the wrong shape is reported with the settings.
    fn includes(&mut self, path: &Path, root: &mut Node) {
        let list = root.get_mut("mux").and_then(|mux| mux.get_mut("include"));
        let Some(Value::List(list)) = list.map(|list| &mut list.value) else {
            return;
        };
        let sources = self.sources;
        let whole = sources.cwd.join(path);
        let paths = Paths {
            base: whole.parent().unwrap_or(&sources.cwd),
            work: &sources.cwd,
            home: sources.home.as_deref(),
        };
        let expander = Expander::new(&sources.env, paths);
        for node in list {
            expander.fill(node, self.findings);
            let Some(written) = node.text().filter(|written| !written.is_empty()) else {
                continue;
            };
            match paths.tilde(written) {
                Ok(written) => self.include(path, &written.to_string_lossy(), &node.place),
                Err(problem) => self.findings.error(&node.place, problem),
            }
        }
    }

    fn include(&mut self, includer: &Path, written: &str, place: &Place) {
        let base = includer.parent().unwrap_or(Path::new(""));
        if !is_glob(written) {
            return self.file(&base.join(written), place);
        }
        let glob = match Glob::new(written) {
            Ok(glob) => glob,
            Err(reason) => {
                let pattern = written.to_owned();
                return self
                    .findings
                    .error(place, Problem::Pattern { pattern, reason });
            }
        };
        let folder = base.join(&glob.folder);
        let whole = self.sources.cwd.join(&folder);
        self.findings.files.insert(whole.clone());
        let mut found = glob.files(&whole);
        // A file that matches its own glob is not meant.
        found.retain(|file| whole.join(file).canonicalize().ok().as_ref() != self.open.last());
        if found.is_empty() {
            let pattern = written.to_owned();
            self.findings
                .warning(place, Problem::NothingIncluded { pattern });
        }
        for file in found {
            self.file(&folder.join(file), place);
        }
    }
}
