//! The files of the project, and how offences are told.

use std::fs;
use std::path::{Path, PathBuf};

/// One Rust file.
pub(crate) struct Source {
    /// Relative to the project, with `/` between the names.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn of(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The lines with their numbers.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }

    /// The lines without comments, with their numbers.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().map(|(number, line)| {
            let code = if line.trim_start().starts_with("//") {
                ""
            } else {
                line
            };
            (number, code.split(" // ").next().unwrap_or(code))
        })
    }

    /// The folder below `src`, or the file's own name if it lies in `src` itself.
    pub(crate) fn room(&self) -> Option<&str> {
        let inner = self.path.strip_prefix("src/")?;
        Some(
            inner
                .split_once('/')
                .map_or(inner.trim_end_matches(".rs"), |(room, _)| room),
        )
    }

    /// Whether the whole file is for tests: it may print.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs") || self.path.contains("/tests/")
    }

    pub(crate) fn offence(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(project().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// All files of ours with this ending, relative to the project.
pub(crate) fn files(ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = ["src", "tests", "examples", "benches", "fuzz"]
        .map(|name| project().join(name))
        .into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("the folder can be read").path();
            let hidden = path
                .file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with('.'));
            if path.is_dir() && !hidden && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                let inner = path.strip_prefix(project()).expect("it lies inside");
                found.push(inner.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    assert!(found.len() > 10, "the project is where it is looked for");
    found
}

pub(crate) fn sources() -> Vec<Source> {
    let read = |path: String| Source {
        text: read(&path),
        path,
    };
    files("rs").into_iter().map(read).collect()
}

#[track_caller]
pub(crate) fn none(offences: impl IntoIterator<Item = String>) {
    let offences: Vec<String> = offences.into_iter().collect();
    assert!(
        offences.is_empty(),
        "{} offences:\n{}",
        offences.len(),
        offences.join("\n")
    );
}
