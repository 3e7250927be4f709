//! Patterns of commands, compared with what would really be run.

use std::path::{Component, Path, PathBuf};

use url::Url;

use crate::config::{ChildConfig, Environment, Secret};

use super::glob::{matches, matches_any_case};

/// Stands for all further arguments, as the last of a pattern.
const REST: &str = "**";
/// Symbolic links that are followed from a program to the next.
const MAX_LINKS: usize = 40;
/// What URLs of servers begin with.
const SCHEMES: [&str; 4] = ["http://", "https://", "ws://", "wss://"];
/// Variables that make a program run other code than its own. What an allowed program runs they must not decide.
const LOADERS: [&str; 20] = [
    "BASH_ENV",
    "CLASSPATH",
    "ENV",
    "GIT_SSH_COMMAND",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PATH",
    "PERL5LIB",
    "PERL5OPT",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "RUBYLIB",
    "RUBYOPT",
    "ZDOTDIR",
    "_JAVA_OPTIONS",
    "LD_",
    "DYLD_",
];

/// One `serverCommand`: the program, and its arguments where they count.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) command: String,
    pub(super) args: Option<Vec<String>>,
}

/// A child as it would be started.
pub(super) struct Launch<'a> {
    child: &'a ChildConfig,
    cwd: PathBuf,
    path: &'a str,
}

impl<'a> Launch<'a> {
    pub(super) fn new(child: &'a ChildConfig, cwd: &Path, env: &'a Environment) -> Self {
        let own = child.env.get("PATH").map(Secret::expose);
        Self {
            child,
            cwd: child
                .cwd
                .as_ref()
                .map_or_else(|| cwd.to_owned(), |dir| cwd.join(dir)),
            path: own.or_else(|| env.get("PATH")).unwrap_or_default(),
        }
    }

    /// The variable of the entry that would make a program run other code.
    pub(super) fn loader(&self) -> Option<&'a str> {
        let is_loader = |name: &&String| {
            LOADERS.iter().any(|loader| match loader.strip_suffix('_') {
                Some(_) => name.to_uppercase().starts_with(loader),
                None => name.eq_ignore_ascii_case(loader),
            })
        };
        self.child.env.keys().find(is_loader).map(String::as_str)
    }

    /// The URLs that it is given, for programs that pass on what they get to a server elsewhere.
    pub(super) fn urls(&self) -> Vec<Url> {
        let words = self
            .child
            .args
            .iter()
            .flat_map(|arg| arg.split_whitespace());
        let url = |word: &str| {
            let lower = word.to_ascii_lowercase();
            let at = SCHEMES
                .iter()
                .filter_map(|scheme| lower.find(scheme))
                .min()?;
            Url::parse(word.get(at..)?).ok()
        };
        words.filter_map(url).collect()
    }

    /// The file that would be run.
    fn file(&self) -> Option<PathBuf> {
        let command = &self.child.command;
        if has_folder(command) {
            return Some(self.cwd.join(command));
        }
        let folders = std::env::split_paths(self.path).map(|folder| self.cwd.join(folder));
        let mut files = folders.map(|folder| folder.join(command));
        files.find(|file| file.is_file())
    }

    /// The file under all names that lead to it: as it was found, and as each symbolic link goes on.
    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.file().into_iter().collect();
        for _ in 0..MAX_LINKS {
            let Some(last) = files.last() else { break };
            let Ok(target) = std::fs::read_link(last) else {
                break;
            };
            let next = last.parent().unwrap_or(Path::new("/")).join(target);
            files.push(next);
        }
        let canonical = files.first().and_then(|file| file.canonicalize().ok());
        files.extend(canonical);
        files
    }
}

impl Program {
    /// Whether exactly this may be run by it. A name without a folder is the program of that name in `PATH`; a path is
    /// that file, whatever the entry calls it.
    pub(super) fn allows(&self, launch: &Launch<'_>) -> bool {
        let is_it = if has_folder(&self.command) {
            let file = launch.file();
            let plain = file.as_ref().filter(|file| is_plain(file));
            let real = file.as_ref().and_then(|file| {
                let folder = file.parent()?.canonicalize().ok()?;
                Some(folder.join(file.file_name()?))
            });
            let is_it = |file: &PathBuf| matches(&self.command, &file.to_string_lossy());
            plain.is_some_and(is_it) || real.as_ref().is_some_and(is_it)
        } else {
            !has_folder(&launch.child.command) && matches(&self.command, &launch.child.command)
        };
        let args = launch
            .child
            .args
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>();
        is_it
            && self
                .args
                .as_ref()
                .is_none_or(|patterns| are_all(patterns, &args))
    }

    /// Whether it is anywhere in what would be run: as the program, behind links, or behind others that run it.
    pub(super) fn forbids(&self, launch: &Launch<'_>) -> bool {
        let child = launch.child;
        let files = launch.files();
        let files = files.iter().map(|file| file.to_string_lossy().into_owned());
        let args: Vec<&str> = child.args.iter().map(String::as_str).collect();
        let names = std::iter::once(child.command.clone()).chain(files);
        if { names }.any(|name| self.is_named(&name)) && self.begins(&args) {
            return true;
        }
        // `env npx …`, `sh -c "npx …"`.
        let words: Vec<&str> = args.iter().flat_map(|arg| arg.split_whitespace()).collect();
        [args, words].iter().any(|words| {
            (0..words.len()).any(|at| self.is_named(words[at]) && self.begins(&words[at + 1..]))
        })
    }

    fn is_named(&self, name: &str) -> bool {
        let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let lower = base.to_lowercase();
        let stem = [".exe", ".cmd", ".bat", ".com"]
            .iter()
            .find_map(|end| lower.strip_suffix(end));
        let forms = [name, base, stem.unwrap_or(base)];
        forms
            .iter()
            .any(|form| matches_any_case(&self.command, form))
    }

    /// Whether the arguments begin as the pattern says.
    fn begins(&self, args: &[&str]) -> bool {
        let Some(patterns) = &self.args else {
            return true;
        };
        let patterns: Vec<&String> = patterns.iter().take_while(|p| *p != REST).collect();
        let pairs = patterns.iter().zip(args);
        patterns.len() <= args.len() && { pairs }.all(|(p, arg)| matches_any_case(p, arg))
    }
}

/// Whether the arguments are those of the pattern, one by one.
fn are_all(patterns: &[String], args: &[&str]) -> bool {
    let (patterns, open) = match patterns.split_last() {
        Some((last, first)) if last == REST => (first, true),
        _ => (patterns, false),
    };
    let enough = patterns.len() == args.len() || (open && patterns.len() < args.len());
    enough
        && patterns
            .iter()
            .zip(args)
            .all(|(pattern, arg)| matches(pattern, arg))
}

fn has_folder(command: &str) -> bool {
    command.contains(std::path::is_separator)
}

/// Whether a path leads straight down from the root.
fn is_plain(path: &Path) -> bool {
    path.is_absolute() && !path.components().any(|part| part == Component::ParentDir)
}
