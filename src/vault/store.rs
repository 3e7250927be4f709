//! `Vault`: secrets under names.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tracing::debug;

use super::{Turn, VaultError, file, keychain};

/// The name of mcpmux in the keychain.
const SERVICE: &str = "mcpmux";

/// Where secrets are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// In the keychain where there is one, else in files.
    #[default]
    Auto,
    /// In the keychain, or not at all.
    Keychain,
    /// In files that only the user can read.
    Files,
}

/// Secrets under names: in the keychain, or in private files of one folder. What is in the keychain has a file beside
/// it, too, which says so and tells other processes of changes.
///
/// Reading and writing may block on the disk and on the keychain: not for async code.
#[derive(Clone, Debug)]
pub struct Vault {
    folder: PathBuf,
    keep: Keep,
}

/// What changes whenever a secret does. Cheap to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark(Option<(SystemTime, u64, u64)>);

/// The content of a file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kept")]
enum Kept {
    /// The secret itself.
    Here { secret: String },
    /// It is in the keychain. A new number with each change makes it another file.
    Keychain { change: u64 },
}

impl Vault {
    /// The vault with its files in this folder, which is made when needed.
    pub fn new(folder: PathBuf, keep: Keep) -> Self {
        Self { folder, keep }
    }

    /// What is kept under a name, which must be usable as the name of a file.
    pub fn read(&self, name: &str) -> Result<Option<String>, VaultError> {
        let path = self.path(name);
        match Self::kept(&path)? {
            None => Ok(None),
            Some(Kept::Here { secret }) => Ok(Some(secret)),
            Some(Kept::Keychain { .. }) => keychain::get(SERVICE, name),
        }
    }

    /// Keeps `secret` in place of what was there.
    pub fn write(&self, name: &str, secret: &str) -> Result<(), VaultError> {
        file::folder(&self.folder).map_err(VaultError::file(&self.folder))?;
        let kept = if self.keychain_takes(name, secret)? {
            let change = rand::random();
            Kept::Keychain { change }
        } else {
            let secret = secret.to_owned();
            Kept::Here { secret }
        };
        let path = self.path(name);
        let text = serde_json::to_string(&kept).map_err(|_| VaultError::Broken(path.clone()))?;
        file::replace(&path, &text).map_err(VaultError::file(&path))
    }

    /// Forgets what is kept under a name. Whether there was something.
    pub fn remove(&self, name: &str) -> Result<bool, VaultError> {
        let path = self.path(name);
        let kept = Self::kept(&path)?;
        if let Some(Kept::Keychain { .. }) = kept {
            keychain::remove(SERVICE, name)?;
        }
        file::remove(&path).map_err(VaultError::file(&path))?;
        Ok(kept.is_some())
    }

    /// What is another one after each change of what is kept under a name, also by other processes.
    pub fn mark(&self, name: &str) -> Mark {
        let metadata = std::fs::metadata(self.path(name));
        Mark(metadata.ok().and_then(|metadata| {
            Some((metadata.modified().ok()?, metadata.len(), inode(&metadata)))
        }))
    }

    /// Waits until no other process is about to replace what is kept under a name.
    pub async fn turn(&self, name: &str) -> Result<Turn, VaultError> {
        Turn::take(&self.folder.join(format!("{name}.lock"))).await
    }

    /// Whether the keychain has taken it.
    fn keychain_takes(&self, name: &str, secret: &str) -> Result<bool, VaultError> {
        if self.keep == Keep::Files || (self.keep == Keep::Auto && !keychain::is_likely()) {
            return Ok(false);
        }
        match keychain::set(SERVICE, name, secret) {
            Ok(()) => Ok(true),
            Err(error) if self.keep == Keep::Auto => {
                debug!(%error, "kept in a file instead");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn kept(path: &Path) -> Result<Option<Kept>, VaultError> {
        let text = file::read(path).map_err(VaultError::file(path))?;
        text.map(|text| {
            serde_json::from_str(&text).map_err(|_| VaultError::Broken(path.to_owned()))
        })
        .transpose()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }
}

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn vault() -> (tempfile::TempDir, Vault) {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(folder.path().join("a/b"), Keep::Files);
        (folder, vault)
    }

    #[test]
    fn keeps_replaces_and_forgets() {
        let (_folder, vault) = vault();
        assert_eq!(vault.read("x").unwrap(), None);
        for secret in ["one", "two"] {
            vault.write("x", secret).unwrap();
            assert_eq!(vault.read("x").unwrap().as_deref(), Some(secret));
        }
        assert!(vault.remove("x").unwrap());
        assert!(!vault.remove("x").unwrap());
        assert_eq!(vault.read("x").unwrap(), None);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_read_its_files() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, vault) = vault();
        vault.write("x", "one").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&vault.path("x")), 0o600);
        assert_eq!(mode(&vault.folder), 0o700);
    }

    #[test]
    fn every_change_leaves_another_mark() {
        let (_folder, vault) = vault();
        let mut before = vault.mark("x");
        for secret in ["one", "two", "one"] {
            vault.write("x", secret).unwrap();
            assert_ne!(vault.mark("x"), before);
            before = vault.mark("x");
            assert_eq!(vault.mark("x"), before);
        }
    }

    #[test]
    fn a_file_that_is_something_else_is_reported_and_not_shown() {
        let (_folder, vault) = vault();
        vault.write("x", "one").unwrap();
        std::fs::write(vault.path("x"), "hunter2").unwrap();
        let error = vault.read("x").unwrap_err().to_string();
        assert!(
            error.contains("x.json") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn one_has_its_turn_at_a_time() {
        let (_folder, vault) = vault();
        let first = vault.turn("x").await.unwrap();
        drop(vault.turn("y").await.unwrap());
        let mut second = Box::pin(vault.turn("x"));
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        second.await.unwrap();
    }
}
