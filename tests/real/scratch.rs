//! The files that the real servers work on: made afresh for each run, the same in each.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Bytes that are not text; nobody looks whether they are a picture.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\x00\xff a picture";
/// What server-memory knows at the start.
const GRAPH: &str = r#"{"type":"entity","name":"mux","entityType":"program","observations":["merges servers"]}
{"type":"entity","name":"rust","entityType":"language","observations":["fast","safe"]}
{"type":"relation","from":"mux","to":"rust","relationType":"written in"}
"#;
/// Makes the commits the same wherever they are made.
const FIXED: [(&str, &str); 8] = [
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_AUTHOR_NAME", "A. Author"),
    ("GIT_AUTHOR_EMAIL", "author@example.org"),
    ("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z"),
    ("GIT_COMMITTER_NAME", "A. Author"),
    ("GIT_COMMITTER_EMAIL", "author@example.org"),
    ("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z"),
];

/// A folder with `files`, `repo` and `logs`.
pub(crate) struct Scratch {
    folder: TempDir,
}

impl Scratch {
    pub(crate) fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("mcpmux-real-").tempdir()?;
        let scratch = Self { folder };
        for part in ["files/sub", "repo", "logs"] {
            fs::create_dir_all(scratch.path(part))?;
        }
        fs::write(scratch.path("files/one.txt"), "first\nsecond\nthird\n")?;
        fs::write(scratch.path("files/written.txt"), "the same each time\n")?;
        fs::write(scratch.path("files/sub/two.json"), "{\"a\": 1}\n")?;
        fs::write(scratch.path("files/pixel.png"), PICTURE)?;
        Ok(scratch)
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> String {
        self.folder.path().display().to_string()
    }

    pub(crate) fn path(&self, inner: &str) -> PathBuf {
        self.folder.path().join(inner)
    }

    pub(crate) fn text(&self, inner: &str) -> String {
        self.path(inner).display().to_string()
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.path(&format!("logs/{}.log", name.replace('/', "-")))
    }

    /// A graph of its own for one server-memory.
    pub(crate) fn graph(&self, name: &str) -> io::Result<String> {
        let file = format!("graph-{}.jsonl", name.replace('/', "-"));
        fs::write(self.path(&file), GRAPH)?;
        Ok(self.text(&file))
    }

    /// A repository with two commits and a file that is in neither.
    pub(crate) fn repository(&self) -> Result<(), String> {
        let repo = self.path("repo");
        git(&repo, &["init", "--quiet", "--initial-branch=main"])?;
        for (text, message) in [
            ("one\n", "Begin"),
            ("one\ntwo – zwei\n", "Go on\n\nWith a body."),
        ] {
            fs::write(repo.join("file.txt"), text).map_err(|error| error.to_string())?;
            git(&repo, &["add", "file.txt"])?;
            git(&repo, &["commit", "--quiet", "--message", message])?;
        }
        fs::write(repo.join("new.txt"), "new\n").map_err(|error| error.to_string())
    }

    /// Leaves the folder where it is, for whoever wants to know what went wrong.
    pub(crate) fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}

fn git(repo: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut git = Command::new("git");
    let done = git.args(arguments).current_dir(repo).envs(FIXED).status();
    match done {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("git {arguments:?}: {other:?}")),
    }
}
