//! What can go wrong with secrets at rest.

use std::io;
use std::path::{Path, PathBuf};

/// Why a secret was not read or kept. Never shows it.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The keychain of the system refused, or is not there.
    #[error("the keychain cannot be used: {0}")]
    Keychain(String),
    /// A file or its folder could not be read or written.
    #[error("`{}` cannot be used: {source}", path.display())]
    File {
        /// The file or the folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds something else than what a vault writes.
    #[error("`{}` is not a file of secrets of mcpmux", .0.display())]
    Broken(PathBuf),
    /// Another process has had the turn for too long.
    #[error("another mcpmux keeps `{}` locked", .0.display())]
    Busy(PathBuf),
}

impl VaultError {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }
}
