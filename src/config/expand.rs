//! `${VAR}`, `${VAR:-default}` and `${file:PATH}` in strings.
//!
//! References may be nested in a default or a path. What is filled in is not looked at again, so a
//! variable cannot smuggle in a reference. `$${` stands for `${` itself; any other `$` is a dollar.

use std::io::Read;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::error::{Findings, Problem};
use super::sources::Environment;
use super::tree::{Form, Node, Text, Value};

/// How deep references may be nested.
const MAX_DEPTH: usize = 8;

/// Largest file that a `${file:…}` or an `envFile` may name, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Where the values of references come from.
#[derive(Clone, Copy)]
pub(crate) struct Expander<'a> {
    /// Looked at first: the variables of the entry's `envFile`.
    pub(crate) own: Option<&'a IndexMap<String, String>>,
    pub(crate) env: &'a Environment,
    pub(crate) paths: Paths<'a>,
}

/// What relative paths and `~` mean.
#[derive(Clone, Copy)]
pub(crate) struct Paths<'a> {
    /// The directory of the configuration file.
    pub(crate) base: &'a Path,
    pub(crate) home: Option<&'a Path>,
}

impl Paths<'_> {
    /// An absolute path, if the base is one.
    pub(crate) fn resolve(&self, written: &str) -> Result<PathBuf, Problem> {
        // The components leave out every `.`, which would only be in the way in a message.
        Ok(self.base.join(self.tilde(written)?).components().collect())
    }

    /// The path with a leading `~` or `~/` filled in.
    pub(crate) fn tilde(&self, written: &str) -> Result<PathBuf, Problem> {
        let Some(rest) = written.strip_prefix('~') else {
            return Ok(written.into());
        };
        match (rest.strip_prefix('/'), self.home) {
            _ if !rest.is_empty() && !rest.starts_with('/') => Ok(written.into()),
            (Some(rest), Some(home)) => Ok(home.join(rest)),
            (None, Some(home)) => Ok(home.to_owned()),
            (_, None) => Err(Problem::NoHome),
        }
    }
}

impl Expander<'_> {
    /// Fills in every string in the tree. What fails is reported and left broken.
    pub(crate) fn fill(&self, node: &mut Node, findings: &mut Findings) {
        match &mut node.value {
            Value::Text(text) => {
                for problem in self.fill_text(text) {
                    findings.error(&node.place, problem);
                }
            }
            Value::List(list) => list.iter_mut().for_each(|node| self.fill(node, findings)),
            Value::Map(map) => map.values_mut().for_each(|node| self.fill(node, findings)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn fill_text(&self, text: &mut Text) -> Vec<Problem> {
        // What is filled in already, in a key that was read ahead of the others, stays so.
        if !matches!(text.form, Form::Literal) || !text.text.contains("${") {
            return Vec::new();
        }
        let mut problems = Vec::new();
        let filled = self.expand(&text.text, 0, &mut problems);
        if problems.is_empty() {
            text.form = Form::Expanded(std::mem::replace(&mut text.text, filled));
        } else {
            text.form = Form::Broken;
        }
        problems
    }

    fn expand(&self, written: &str, depth: usize, problems: &mut Vec<Problem>) -> String {
        if depth > MAX_DEPTH {
            problems.push(Problem::DeepReference { limit: MAX_DEPTH });
            return String::new();
        }
        let mut filled = String::new();
        let mut rest = written;
        while let Some(at) = rest.find("${") {
            let (before, reference) = rest.split_at(at);
            let after = reference.get(2..).unwrap_or_default();
            if let Some(before) = before.strip_suffix('$') {
                filled.push_str(before);
                filled.push_str("${");
                rest = after;
                continue;
            }
            filled.push_str(before);
            let Some(end) = end_of_reference(after) else {
                problems.push(Problem::OpenReference);
                return filled;
            };
            let (body, closed) = after.split_at(end);
            filled.push_str(&self.value_of(body, depth, problems));
            rest = closed.get(1..).unwrap_or_default();
        }
        filled.push_str(rest);
        filled
    }

    /// The content of a file without the newline at its end.
    fn secret_file(&self, path: &str) -> Result<String, Problem> {
        if path.is_empty() {
            return Err(Problem::Reference {
                body: "file:".into(),
            });
        }
        let text = read_small(&self.paths.resolve(path)?)?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
    }

    /// The value of `${body}`.
    fn value_of(&self, body: &str, depth: usize, problems: &mut Vec<Problem>) -> String {
        if let Some(path) = body.strip_prefix("file:") {
            let before = problems.len();
            let path = self.expand(path, depth + 1, problems);
            if problems.len() > before {
                return String::new();
            }
            return self.secret_file(&path).unwrap_or_else(|problem| {
                problems.push(problem);
                String::new()
            });
        }
        if body.starts_with("cmd:") {
            problems.push(Problem::Command);
            return String::new();
        }
        let (name, default) = match body.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (body, None),
        };
        if !is_variable_name(name) {
            problems.push(Problem::Reference {
                body: name.to_owned(),
            });
            return String::new();
        }
        let value = self.own.and_then(|own| own.get(name).map(String::as_str));
        match (value.or_else(|| self.env.get(name)), default) {
            // As in a shell: `:-` stands in for an empty value, too.
            (None | Some(""), Some(default)) => self.expand(default, depth + 1, problems),
            (Some(value), _) => value.to_owned(),
            (None, None) => {
                problems.push(Problem::UnsetVariable {
                    name: name.to_owned(),
                });
                String::new()
            }
        }
    }
}

/// Where the `}` of a reference is, past references nested in it.
fn end_of_reference(after: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut dollar = false;
    for (at, c) in after.char_indices() {
        match c {
            '{' if dollar => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
        dollar = c == '$';
    }
    None
}

/// Whether a shell would take the text for the name of a variable.
pub(crate) fn is_variable_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Reads a file of at most 1 MiB.
pub(crate) fn read_small(path: &Path) -> Result<String, Problem> {
    let failed = |reason: String| Problem::SecretFile {
        path: path.to_owned(),
        reason,
    };
    let file = std::fs::File::open(path).map_err(|error| failed(plain_reason(&error)))?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|error| failed(plain_reason(&error)))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(failed("it is larger than 1MiB".into()));
    }
    String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8 text".into()))
}

/// Why the system refused, without the number.
pub(crate) fn plain_reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        std::io::ErrorKind::IsADirectory => "it is a directory".into(),
        kind => kind.to_string(),
    }
}
