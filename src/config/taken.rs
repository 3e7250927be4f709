//! `Taken`: the servers of anybody's file, in our own keys, as they can be written into another file.

use std::path::Path;

use indexmap::IndexMap;

use super::edit::{EntryText, written};
use super::error::{ConfigErrors, ConfigWarning, Findings, Problem};
use super::file;
use super::formats;
use super::inputs::variable_of;
use super::place::Place;
use super::sources::Sources;
use super::tree::{Form, Node, Text, Value};

/// A server of a file. No `Debug`: the entry may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its name there.
    pub name: String,
    /// What it says, in our own keys.
    pub entry: EntryText,
    /// Where it was written.
    pub place: Place,
    /// The directory that it is for, if it is for one only.
    pub project: Option<String>,
}

/// The servers of a file, and what is odd in it. What is relative to the file is made absolute, and
/// what the file asks its user for becomes a variable. Fails with all that is wrong with the file.
pub fn taken(
    path: &Path,
    text: &str,
    sources: &Sources,
) -> Result<(Vec<Taken>, Vec<ConfigWarning>), ConfigErrors> {
    let mut findings = Findings::default();
    let mut all = Vec::new();
    if let Some(root) = file::parse(path, text, &mut findings) {
        let Value::Map(mut members) = root.value else {
            findings.error(&root.place, Problem::NotAnObject { found: root.sort() });
            return Err(findings.into());
        };
        let projects = members.get("projects").and_then(Node::map).cloned();
        let mut reader = Reader {
            path,
            sources,
            findings: &mut findings,
        };
        all.extend(reader.take(&mut members, &root.place, None));
        for (project, node) in projects.into_iter().flatten() {
            if let Value::Map(mut members) = node.value {
                all.extend(reader.take(&mut members, &node.place, Some(&project)));
            }
        }
    }
    if findings.errors.is_empty() {
        Ok((all, findings.warnings))
    } else {
        Err(findings.into())
    }
}

struct Reader<'a> {
    path: &'a Path,
    sources: &'a Sources,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn take(
        &mut self,
        members: &mut IndexMap<String, Node>,
        place: &Place,
        project: Option<&str>,
    ) -> Vec<Taken> {
        let servers = formats::take(members, place, &self.sources.env, self.findings);
        let servers = servers.into_iter().flatten();
        let one = |(name, mut node): (String, Node)| {
            self.free(&mut node);
            let serde_json::Value::Object(entry) = written(&node) else {
                return None;
            };
            Some(Taken {
                name,
                entry,
                place: node.place,
                project: project.map(str::to_owned),
            })
        };
        servers.filter_map(one).collect()
    }

    /// Frees an entry from the place of its file.
    fn free(&self, entry: &mut Node) {
        for key in ["cwd", "envFile"] {
            if let Some(Value::Text(text)) = entry.get_mut(key).map(|node| &mut node.value) {
                let free = text.text.starts_with(['~', '$']);
                if !free && !text.text.is_empty() {
                    text.text = self.absolute(&text.text);
                }
            }
        }
        self.references(entry);
    }

    fn references(&self, node: &mut Node) {
        match &mut node.value {
            Value::Text(Text {
                text,
                form: Form::Literal,
            }) => {
                *text = replaced(text, "${input:", |id| format!("${{{}}}", variable_of(id)));
                *text = replaced(text, "${file:", |path| {
                    let free = path.starts_with(['~', '$']);
                    let path = if free {
                        path.to_owned()
                    } else {
                        self.absolute(path)
                    };
                    format!("${{file:{path}}}")
                });
            }
            Value::List(list) => list.iter_mut().for_each(|node| self.references(node)),
            Value::Map(map) => map.values_mut().for_each(|node| self.references(node)),
            _ => {}
        }
    }

    fn absolute(&self, path: &str) -> String {
        let file = self.sources.cwd.join(self.path);
        let base = file.parent().unwrap_or(&self.sources.cwd);
        let whole: std::path::PathBuf = base.join(path).components().collect();
        whole.display().to_string()
    }
}

/// The text with each `start…}` replaced.
fn replaced(text: &str, start: &str, make: impl Fn(&str) -> String) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(start) {
        let Some((body, behind)) = after.split_once('}') else {
            break;
        };
        done.push_str(before);
        done.push_str(&make(body));
        rest = behind;
    }
    done + rest
}
