//! `${VAR}`, `${VAR:-default}` and `${file:PATH}` in strings, and what other programs have beside them:
//! `${env:VAR}`, `${input:ID}`, `${workspaceFolder}` and the like; `${cmd:LINE}` and `${keychain:SERVICE/ACCOUNT}`
//! through [`Outside`].
//!
//! References may be nested in a default or a path. What is filled in is not looked at again, so a
//! variable cannot smuggle in a reference. `$${` stands for `${` itself; any other `$` is a dollar.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::error::{Findings, Problem};
use super::inputs::Inputs;
use super::outside::{Commands, Outside};
use super::secret::Secret;
use super::small_file::read_small;
use super::sources::Environment;
use super::tree::{Form, Node, Text, Value};

/// How deep references may be nested.
const MAX_DEPTH: usize = 8;

/// Where the values of references come from.
#[derive(Clone, Copy)]
pub(crate) struct Expander<'a> {
    /// Looked at first: the variables of the entry's `envFile`.
    pub(crate) own: Option<&'a IndexMap<String, String>>,
    pub(crate) env: &'a Environment,
    /// What the file asks its user for.
    pub(crate) inputs: Option<&'a Inputs>,
    /// Who has what is neither in files nor in variables.
    pub(crate) outside: Option<&'a dyn Outside>,
    pub(crate) commands: Commands,
    pub(crate) paths: Paths<'a>,
}

/// What relative paths and `~` mean.
#[derive(Clone, Copy)]
pub(crate) struct Paths<'a> {
    /// The directory of the configuration file.
    pub(crate) base: &'a Path,
    /// The working directory, which other programs call the workspace.
    pub(crate) work: &'a Path,
    pub(crate) home: Option<&'a Path>,
}

impl Paths<'_> {
    /// What other programs have names for.
    fn named(&self, name: &str) -> Option<String> {
        let shown = |path: &Path| path.display().to_string();
        match name {
            "workspaceFolder" | "cwd" => Some(shown(self.work)),
            "workspaceFolderBasename" => self.work.file_name().map(|name| shown(Path::new(name))),
            "userHome" => self.home.map(shown),
            "pathSeparator" | "/" => Some(std::path::MAIN_SEPARATOR.into()),
            _ => None,
        }
    }

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

/// What filling in one string came to, beside its text.
#[derive(Default)]
struct Filling {
    problems: Vec<Problem>,
    /// The files that were asked for.
    files: Vec<PathBuf>,
}

impl<'a> Expander<'a> {
    /// Fills in what the environment has.
    pub(crate) fn new(env: &'a Environment, paths: Paths<'a>) -> Self {
        Self {
            own: None,
            env,
            inputs: None,
            outside: None,
            commands: Commands::Refused,
            paths,
        }
    }

    /// Fills in every string in the tree. What fails is reported and left broken.
    pub(crate) fn fill(&self, node: &mut Node, findings: &mut Findings) {
        match &mut node.value {
            Value::Text(text) => {
                let Filling { problems, files } = self.fill_text(text);
                findings.files.extend(files);
                for problem in problems {
                    findings.error(&node.place, problem);
                }
            }
            Value::List(list) => list.iter_mut().for_each(|node| self.fill(node, findings)),
            Value::Map(map) => map.values_mut().for_each(|node| self.fill(node, findings)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn fill_text(&self, text: &mut Text) -> Filling {
        let mut filling = Filling::default();
        // What is filled in already, in a key that was read ahead of the others, stays so.
        if !matches!(text.form, Form::Literal) || !text.text.contains("${") {
            return filling;
        }
        let filled = self.expand(&text.text, 0, &mut filling);
        if filling.problems.is_empty() {
            text.form = Form::Expanded(std::mem::replace(&mut text.text, filled));
        } else {
            text.form = Form::Broken;
        }
        filling
    }

    fn expand(&self, written: &str, depth: usize, filling: &mut Filling) -> String {
        if depth > MAX_DEPTH {
            filling
                .problems
                .push(Problem::DeepReference { limit: MAX_DEPTH });
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
                filling.problems.push(Problem::OpenReference);
                return filled;
            };
            let (body, closed) = after.split_at(end);
            filled.push_str(&self.value_of(body, depth, filling));
            rest = closed.get(1..).unwrap_or_default();
        }
        filled.push_str(rest);
        filled
    }

    /// The value of `${body}`; nothing if there is none, which is reported.
    fn value_of(&self, body: &str, depth: usize, filling: &mut Filling) -> String {
        let found = match body.split_once(':') {
            Some(("file", path)) => {
                let before = filling.problems.len();
                let path = self.expand(path, depth + 1, filling);
                if filling.problems.len() > before {
                    return String::new();
                }
                self.secret_file(&path, filling)
            }
            // The shell fills in what it knows itself: here it would become a part of the program.
            Some(("cmd", line)) => self.command(line),
            Some(("keychain", entry)) => self.keychain(entry),
            Some(("input", id)) => match self.inputs {
                Some(inputs) => inputs.value(id, self.env, self.outside),
                None => Err(Problem::UnknownInput { id: id.to_owned() }),
            },
            Some(("env", name)) => self.variable(name, depth, filling),
            _ => self.variable(body, depth, filling),
        };
        found.unwrap_or_else(|problem| {
            filling.problems.push(problem);
            String::new()
        })
    }

    /// The content of a file without the newline at its end.
    fn secret_file(&self, path: &str, filling: &mut Filling) -> Result<String, Problem> {
        if path.is_empty() {
            return Err(Problem::Reference {
                body: "file:".into(),
            });
        }
        let path = self.paths.resolve(path)?;
        filling.files.push(path.clone());
        Ok(one_line_end(&read_small(&path)?).to_owned())
    }

    /// What a command prints, without the newline at its end.
    fn command(&self, line: &str) -> Result<String, Problem> {
        if self.commands == Commands::Refused {
            return Err(Problem::Command);
        }
        let printed = self.run(line, &[]);
        let printed = printed.map_err(|reason| Problem::CommandFailed { reason })?;
        Ok(one_line_end(printed.expose()).to_owned())
    }

    /// What a command line prints that has these variables, too. Fails with the reason.
    pub(crate) fn run(&self, line: &str, variables: &[(&str, &str)]) -> Result<Secret, String> {
        let nobody = || Err("nobody is here to run it".to_owned());
        let run = |outside: &dyn Outside| outside.command(line, variables);
        self.outside.map_or_else(nobody, run)
    }

    /// What the keychain has under `service/account`. The account may have slashes in it.
    fn keychain(&self, entry: &str) -> Result<String, Problem> {
        let parts = entry.split_once('/');
        let parts = parts.filter(|(service, account)| !service.is_empty() && !account.is_empty());
        let Some((service, account)) = parts else {
            let body = format!("keychain:{entry}");
            return Err(Problem::Reference { body });
        };
        let missing = |reason: &str| Problem::Keychain {
            entry: entry.to_owned(),
            reason: reason.to_owned(),
        };
        let outside = self.outside.ok_or_else(|| missing("there is none"))?;
        let found = outside.keychain(service, account);
        let found = found.map_err(|reason| missing(&reason))?;
        let secret = found.ok_or_else(|| missing("it has no such entry"))?;
        Ok(secret.expose().to_owned())
    }

    /// The value of a variable, with its default behind `:-`, or of what other programs have a name for.
    fn variable(&self, body: &str, depth: usize, filling: &mut Filling) -> Result<String, Problem> {
        let (name, default) = match body.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (body, None),
        };
        if !is_variable_name(name) && self.paths.named(name).is_none() {
            let body = name.to_owned();
            return Err(Problem::Reference { body });
        }
        let value = self.own.and_then(|own| own.get(name).map(String::as_str));
        let value = value.or_else(|| self.env.get(name)).map(str::to_owned);
        let value = value.or_else(|| self.paths.named(name));
        match (value, default) {
            // As in a shell: `:-` stands in for an empty value, too.
            (value, Some(default)) if value.as_deref().is_none_or(str::is_empty) => {
                Ok(self.expand(default, depth + 1, filling))
            }
            (Some(value), _) => Ok(value),
            (None, _) => Err(Problem::UnsetVariable {
                name: name.to_owned(),
            }),
        }
    }
}

/// The text without the one newline at its end.
fn one_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
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
