//! What a text says about servers, for those who edit it.

use std::path::{Path, PathBuf};

use serde_json::{Map, Number, Value};

use super::super::error::{ConfigError, ConfigErrors, ConfigWarning, Findings, Problem};
use super::super::file;
use super::super::formats::{Format, ServerMap};
use super::super::include::Reader;
use super::super::load::Config;
use super::super::sources::Sources;
use super::super::tree::{self, Node};
use super::error::EditError;
use super::holder::{Form, Holder, SwitchKey};
use super::wanted::{Edit, EntryText, Existing, edit};

/// Every way of writing that a file may use, the most likely first.
const FORMATS: [Format; 7] = [
    Format::McpServers,
    Format::VsCode,
    Format::VsCodeSettings,
    Format::MistralRs,
    Format::Zed,
    Format::Codex,
    Format::VtCode,
];

impl Holder {
    /// Where this format has its servers.
    pub fn of(format: Format) -> Self {
        let Some(map) = ServerMap::of(format) else {
            return Self::mcp_servers();
        };
        let switch = match format {
            Format::Zed | Format::Codex | Format::VtCode | Format::MistralRs => SwitchKey::Enabled,
            _ => SwitchKey::Disabled,
        };
        Self {
            path: map.keys.iter().map(|key| (*key).to_owned()).collect(),
            form: map.named_by.map_or(Form::Map, |_| Form::List),
            switch,
        }
    }

    /// Where a file has its servers, or where it would have them.
    pub fn in_text(name: &Path, text: &str) -> Self {
        let found = ServerMap::find(name, text).ok().flatten();
        found.map_or_else(Self::mcp_servers, |map| Self::of(map.format))
    }
}

/// Where in a text a server is: the holder and its line. Fails only if the text cannot be read.
pub fn find(file: &Path, text: &str, name: &str) -> Result<Option<(Holder, usize)>, EditError> {
    let entry = EntryText::new();
    let put = Edit::Put {
        name,
        entry: &entry,
        existing: Existing::Keep,
    };
    for holder in FORMATS.map(Holder::of) {
        match edit(file, text, &holder, &put) {
            Err(EditError::Exists { line, .. }) => return Ok(Some((holder, line))),
            Err(broken @ EditError::Broken(_)) => return Err(broken),
            _ => {}
        }
    }
    Ok(None)
}

/// What an entry says, as it is written; `None` if there is none, or it is no object.
pub fn entry(file: &Path, text: &str, holder: &Holder, name: &str) -> Option<EntryText> {
    let root = file::parse(file, text, &mut Findings::default())?;
    let mut node = &root;
    for key in &holder.path {
        node = node.get(key)?;
    }
    let is_it = |node: &&Node| node.get("name").and_then(Node::text) == Some(name);
    let found = match holder.form {
        Form::Map => node.get(name),
        Form::List => node.list()?.iter().rfind(is_it),
    }?;
    match written(found) {
        Value::Object(mut entry) => {
            if holder.form == Form::List {
                entry.shift_remove("name");
            }
            Some(entry)
        }
        _ => None,
    }
}

/// A value of a file as it can be written again.
pub(in crate::config) fn written(node: &Node) -> Value {
    match &node.value {
        tree::Value::Null => Value::Null,
        tree::Value::Bool(flag) => Value::Bool(*flag),
        tree::Value::Number(digits) => {
            let number: Result<Number, _> = serde_json::from_str(digits);
            number.map_or_else(|_| Value::String(digits.clone()), Value::Number)
        }
        tree::Value::Text(text) => Value::String(text.text.clone()),
        tree::Value::List(list) => list.iter().map(written).collect(),
        tree::Value::Map(map) => {
            let member = |(key, node): (&String, &Node)| (key.clone(), written(node));
            map.iter().map(member).collect::<Map<_, _>>().into()
        }
    }
}

/// The files of a configuration.
#[derive(Clone, Debug, Default)]
pub struct OwnFiles {
    /// Those that were named, or the one that was found, in order.
    pub named: Vec<PathBuf>,
    /// These and all that they pull in, in the order in which they count: the last is the strongest.
    pub all: Vec<PathBuf>,
    /// The file to make where there is none.
    pub fresh: Option<PathBuf>,
}

/// The files of these sources. What is wrong with one is found out by whoever edits it.
pub fn files(sources: &Sources) -> OwnFiles {
    let named = match file::find(sources) {
        Ok(named) => named,
        Err(Problem::NoFile { mut tried }) => {
            return OwnFiles {
                fresh: tried.pop(),
                ..OwnFiles::default()
            };
        }
        Err(_) => return OwnFiles::default(),
    };
    let mut findings = Findings::default();
    let mut reader = Reader::new(sources, &mut findings);
    for file in &named {
        reader.named(file);
    }
    reader.of_environment();
    let mut all: Vec<PathBuf> = reader.finish().into_iter().map(|(path, _)| path).collect();
    for file in &named {
        if !all.contains(file) {
            all.push(file.clone());
        }
    }
    OwnFiles {
        named,
        all,
        fresh: None,
    }
}

/// What the managed policy has against these servers of a file with this text, as far as that is known without running
/// anything.
pub fn objections(
    file: &Path,
    text: &str,
    names: &[&str],
    sources: &Sources,
) -> Vec<ConfigWarning> {
    let found = match Config::from_text(file, text, &sources.unasked()) {
        Ok(config) => config.warnings,
        Err(ConfigErrors {
            errors, warnings, ..
        }) => {
            let fatal = errors.into_iter();
            let fatal =
                fatal.map(|ConfigError { place, problem }| ConfigWarning { place, problem });
            fatal.chain(warnings).collect()
        }
    };
    let about = |problem: &Problem| match problem {
        Problem::Blocked { server, .. } | Problem::NotManaged { server, .. } => {
            names.contains(&server.as_str())
        }
        _ => false,
    };
    let found = found.into_iter();
    found.filter(|warning| about(&warning.problem)).collect()
}

/// What is wrong with an entry of our own keys in this file, wherever its variables may be missing.
pub fn check(file: &Path, name: &str, entry: &EntryText, sources: &Sources) -> ConfigErrors {
    let member = Map::from_iter([(name.to_owned(), entry.clone().into())]);
    let root = Map::from_iter([("mcpServers".to_owned(), member.into())]);
    let text = Value::Object(root).to_string();
    let read = Config::from_text(&file.with_extension("json"), &text, sources);
    let Err(mut errors) = read else {
        return ConfigErrors::default();
    };
    let elsewhere = |problem: &Problem| {
        matches!(
            problem,
            Problem::UnsetVariable { .. }
                | Problem::SecretFile { .. }
                | Problem::Command
                | Problem::NoHome
        )
    };
    errors.errors.retain(|error| !elsewhere(&error.problem));
    // There is no file with these lines.
    for error in &mut errors.errors {
        error.place = None;
    }
    errors
}
