//! The files as they are on the disk: whether one is another than before, and where one would notice.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// How many symbolic links may lead to a file.
const MAX_LINKS: usize = 40;

/// The state of some files; `None`: it is not there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot(BTreeMap<PathBuf, Option<Mark>>);

/// What tells one content of a file from another without reading it.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    length: u64,
    modified: Option<SystemTime>,
    inode: (u64, u64),
}

impl Snapshot {
    pub(super) fn of(files: &BTreeSet<PathBuf>) -> Self {
        let state = |file: &PathBuf| (file.clone(), fs::metadata(file).ok().as_ref().map(Mark::of));
        Self(files.iter().map(state).collect())
    }

    /// Whether a file is missing that was there before.
    pub(super) fn lacks_one_of(&self, before: &Self) -> bool {
        before
            .0
            .iter()
            .any(|(file, mark)| mark.is_some() && self.0.get(file).is_some_and(Option::is_none))
    }

    /// The same, but of these files: those that were not among them are taken as they are now, unless they are said to
    /// have been absent.
    pub(super) fn adapted_to(
        mut self,
        files: &BTreeSet<PathBuf>,
        absent: &BTreeSet<PathBuf>,
    ) -> Self {
        self.0.retain(|file, _| files.contains(file));
        let mut all = Self::of(files);
        for (file, mark) in &mut all.0 {
            if absent.contains(file) {
                *mark = None;
            }
        }
        all.0.append(&mut self.0);
        all
    }
}

impl Mark {
    fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            inode: inode(metadata),
        }
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// The folders in which a change may make this file another one, each in its canonical form: its own, and that of each
/// symbolic link on the way to it.
pub(super) fn folders(file: &Path) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    let mut rest: Vec<OsString> = names(file);
    let mut at = PathBuf::new();
    let mut links = 0;
    while let Some(name) = rest.pop() {
        let next = at.join(&name);
        match fs::read_link(&next) {
            Ok(target) if links < MAX_LINKS => {
                links += 1;
                folders.extend(at.canonicalize());
                if target.is_absolute() {
                    at = PathBuf::new();
                }
                rest.extend(names(&target));
            }
            _ => at = next,
        }
    }
    folders.extend(at.parent().and_then(|folder| folder.canonicalize().ok()));
    folders
}

/// The parts of a path, the last one first.
fn names(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts
        .rev()
        .map(|part| part.as_os_str().to_owned())
        .collect()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn files(files: &[&Path]) -> BTreeSet<PathBuf> {
        files.iter().map(|file| file.to_path_buf()).collect()
    }

    #[test]
    fn a_plain_file_is_watched_in_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().canonicalize().unwrap();
        let file = here.join("mcp.json");
        assert_eq!(folders(&file), files(&[&here]));
        fs::write(&file, "{}").unwrap();
        assert_eq!(folders(&file), files(&[&here]));
    }

    #[test]
    fn each_link_on_the_way_is_watched_too() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().canonicalize().unwrap();
        let (mount, data) = (here.join("mount"), here.join("mount/..2026"));
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("mcp.json"), "{}").unwrap();
        symlink("..2026", mount.join("..data")).unwrap();
        symlink("..data/mcp.json", mount.join("mcp.json")).unwrap();
        symlink(mount.join("mcp.json"), here.join("link.json")).unwrap();
        assert_eq!(
            folders(&here.join("link.json")),
            files(&[&here, &mount, &data])
        );
    }

    #[test]
    fn links_in_a_circle_have_an_end() {
        let dir = tempfile::tempdir().unwrap();
        symlink("b", dir.path().join("a")).unwrap();
        symlink("a", dir.path().join("b")).unwrap();
        assert_eq!(folders(&dir.path().join("a")).len(), 1);
    }

    #[test]
    fn another_content_is_another_snapshot() {
        let dir = tempfile::tempdir().unwrap();
        let (file, beside) = (dir.path().join("mcp.json"), dir.path().join("new"));
        let watched = files(&[&file]);
        let missing = Snapshot::of(&watched);
        fs::write(&file, "{}").unwrap();
        let first = Snapshot::of(&watched);
        assert_eq!(first, Snapshot::of(&watched));
        fs::write(&beside, "[]").unwrap();
        fs::rename(&beside, &file).unwrap();
        assert_ne!(first, Snapshot::of(&watched));
        assert!(missing.lacks_one_of(&first));
        assert!(!first.lacks_one_of(&missing));
    }
}
