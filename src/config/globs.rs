//! The files that a glob in `mux.include` means.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

/// How deep `**` looks.
const MAX_DEPTH: usize = 16;

/// How many files and folders are looked at for one glob.
const MAX_SEEN: usize = 10_000;

/// A glob in two parts.
pub(crate) struct Glob {
    /// The folder in front of the first part with a wildcard.
    pub(crate) folder: PathBuf,
    matcher: GlobMatcher,
    depth: usize,
    hidden: bool,
}

/// Whether a path is to be read as a glob.
pub(crate) fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

impl Glob {
    /// Compiles a glob; fails with what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let fixed = parts.iter().take_while(|part| !is_glob(part)).count();
        let (folder, rest) = parts.split_at(fixed);
        let mut folder = folder.join("/");
        if text.starts_with('/') {
            folder.push('/');
        }
        let matcher = GlobBuilder::new(&rest.join("/"))
            .literal_separator(true)
            .build()
            .map_err(|error| error.kind().to_string())?
            .compile_matcher();
        let deep = rest.iter().any(|part| part.contains("**"));
        Ok(Self {
            folder: folder.into(),
            matcher,
            depth: if deep { MAX_DEPTH } else { rest.len() },
            hidden: rest.iter().any(|part| part.starts_with('.')),
        })
    }

    /// The files below `folder` that match, in the order of their names, relative to it. What cannot be read
    /// is not there.
    pub(crate) fn files(&self, folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut seen = 0;
        self.walk(folder, Path::new(""), (&mut found, &mut seen));
        found.sort();
        found
    }

    fn walk(&self, root: &Path, inner: &Path, (found, seen): (&mut Vec<PathBuf>, &mut usize)) {
        for entry in std::fs::read_dir(root.join(inner))
            .into_iter()
            .flatten()
            .flatten()
        {
            *seen += 1;
            if *seen > MAX_SEEN {
                return;
            }
            let name = entry.file_name();
            if !self.hidden && name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = inner.join(name);
            // A link to a folder is not followed: it may lead in a circle.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && path.iter().count() < self.depth {
                self.walk(root, &path, (&mut *found, &mut *seen));
            } else if !is_folder && self.matcher.is_match(&path) {
                found.push(path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(glob: &str) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for file in [
            "a.json",
            "b.toml",
            ".c.json",
            "d/e.json",
            "d/f/g.json",
            "d/.h/i.json",
        ] {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let glob = Glob::new(glob).unwrap();
        let files = glob.files(&root.path().join(&glob.folder));
        let shown = |path: PathBuf| glob.folder.join(path).to_str().unwrap().replace('\\', "/");
        files.into_iter().map(shown).collect()
    }

    #[test]
    fn a_star_stays_in_its_folder_and_two_do_not() {
        assert_eq!(found("*.json"), ["a.json"]);
        assert_eq!(found("*"), ["a.json", "b.toml"]);
        assert_eq!(found("d/*.json"), ["d/e.json"]);
        assert_eq!(found("*/*.json"), ["d/e.json"]);
        assert_eq!(found("**/*.json"), ["a.json", "d/e.json", "d/f/g.json"]);
        assert_eq!(found("{a,b}.*"), ["a.json", "b.toml"]);
        assert_eq!(found("nowhere/*"), [""; 0]);
    }

    #[test]
    fn hidden_files_are_found_by_their_dot() {
        assert_eq!(found(".*.json"), [".c.json"]);
    }

    #[test]
    fn an_absolute_glob_has_an_absolute_folder() {
        assert_eq!(Glob::new("/a/b/*.json").unwrap().folder, Path::new("/a/b"));
        assert_eq!(Glob::new("/*.json").unwrap().folder, Path::new("/"));
        assert!(Glob::new("a[").is_err());
    }
}
