//! Files that are written, and files that are not.

use std::fs;
use std::path::Path;

use super::super::{Draft, DraftError};

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn a_file_is_made_with_its_directories() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a/b/config.json");
    let draft = Draft::open(&path).unwrap();
    assert_eq!((draft.text(), draft.exists()), ("", false));
    draft.save("{}\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n");
    assert_eq!(names(path.parent().unwrap()), ["config.json"]);
}

#[test]
fn a_file_that_was_changed_meanwhile_is_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("x.json");
    let early = Draft::open(&path).unwrap();
    fs::write(&path, "old").unwrap();
    let draft = Draft::open(&path).unwrap();
    let gone = Draft::open(&path).unwrap();
    fs::write(&path, "theirs").unwrap();
    for draft in [early, draft] {
        let error = draft.save("ours").unwrap_err();
        assert!(matches!(error, DraftError::Changed { .. }), "{error}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
    fs::remove_file(&path).unwrap();
    assert!(gone.save("ours").is_err());
    assert_eq!(names(temp.path()), [""; 0]);
}

#[test]
fn what_is_no_file_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let told = |path: &Path| Draft::open(path).unwrap_err().to_string();
    assert!(told(temp.path()).ends_with("it is a directory"));
    let bytes = temp.path().join("x");
    fs::write(&bytes, b"\xff").unwrap();
    assert!(told(&bytes).ends_with("it is not UTF-8 text"));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn mode_and_links_stay() {
        let temp = tempfile::tempdir().unwrap();
        let real = temp.path().join("real.json");
        let link = temp.path().join("link.json");
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real.json", &link).unwrap();
        Draft::open(&link).unwrap().save("new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert_eq!(fs::metadata(&real).unwrap().mode() & 0o777, 0o640);
        let fresh = temp.path().join("fresh.json");
        Draft::open(&fresh).unwrap().save("new").unwrap();
        assert_eq!(fs::metadata(&fresh).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_read_only_file_is_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("x.json");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        let error = Draft::open(&path).unwrap().save("new").unwrap_err();
        assert!(error.to_string().ends_with("it is read-only"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(temp.path()), ["x.json"]);
    }

    #[test]
    fn links_in_a_circle_are_refused() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("x.json");
        symlink("x.json", &path).unwrap();
        assert!(Draft::open(&path).is_err());
    }
}
