//! Turns: who may replace a secret, among all processes.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::VaultError;
use super::file::{folder, private};

/// How long others may take with what they do in their turn: a request to an authorization server.
const PATIENCE: Duration = Duration::from_secs(45);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The turn to read a secret and to replace it. Ends when dropped, and with the process.
#[derive(Debug)]
pub struct Turn {
    _locked: File,
}

impl Turn {
    /// Waits for the turn that goes with this lock file.
    pub(super) async fn take(path: &Path) -> Result<Self, VaultError> {
        if let Some(parent) = path.parent() {
            folder(parent).map_err(VaultError::file(parent))?;
        }
        let file = private(path).map_err(VaultError::file(path))?;
        let deadline = Instant::now() + PATIENCE;
        while !lock(&file).map_err(VaultError::file(path))? {
            if Instant::now() >= deadline {
                return Err(VaultError::Busy(path.to_owned()));
            }
            sleep(LOOK_AGAIN).await;
        }
        Ok(Self { _locked: file })
    }
}

#[cfg(unix)]
fn lock(file: &File) -> std::io::Result<bool> {
    match rustix::fs::flock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Elsewhere processes do not wait for each other: the one that comes second reads what the first has written.
#[cfg(not(unix))]
fn lock(_: &File) -> std::io::Result<bool> {
    Ok(true)
}
