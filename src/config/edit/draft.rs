//! `Draft`: a file between reading and writing.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::super::file::MAX_FILE;
use super::super::small_file::plain_reason;

/// A file as it was read, to be written again as a whole.
#[derive(Debug)]
pub struct Draft {
    /// The path as it was given.
    named: PathBuf,
    /// The file itself, past all links.
    target: PathBuf,
    /// What it held; `None` if it was not there.
    before: Option<String>,
}

/// Why a file is not read or not written.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The system refuses to read it, or there is more in it than a configuration has.
    #[error("cannot read `{}`: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The system refuses to write it.
    #[error("cannot write `{}`: {reason}", path.display())]
    Write {
        /// The file, or its directory.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Somebody else wrote it since it was read.
    #[error("`{}` was changed meanwhile, and is left as it is now", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

impl Draft {
    /// Reads the file, which need not be there. Links are followed; at most 16 MiB are read.
    pub fn open(path: &Path) -> Result<Self, DraftError> {
        let failed = |reason: String| DraftError::Read {
            path: path.to_owned(),
            reason,
        };
        let target = target_of(path).map_err(|error| failed(plain_reason(&error)))?;
        let before = match fs::metadata(&target) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(failed(plain_reason(&error))),
            Ok(metadata) if metadata.is_dir() => return Err(failed("it is a directory".into())),
            Ok(metadata) if !metadata.is_file() => return Err(failed("it is no file".into())),
            Ok(metadata) if metadata.len() > MAX_FILE => {
                return Err(failed("it is too large".into()));
            }
            Ok(_) => {
                let bytes = fs::read(&target).map_err(|error| failed(plain_reason(&error)))?;
                let text = String::from_utf8(bytes);
                Some(text.map_err(|_| failed("it is not UTF-8 text".into()))?)
            }
        };
        Ok(Self {
            named: path.to_owned(),
            target,
            before,
        })
    }

    /// A file that is not there and is never written.
    pub fn empty(name: &Path) -> Self {
        Self {
            named: name.to_owned(),
            target: name.to_owned(),
            before: None,
        }
    }

    /// Writes what was read into a new file, with the mode and the owner of this one.
    pub fn copy_to(&self, path: &Path) -> Result<(), DraftError> {
        let copied = fs::metadata(&self.target)
            .and_then(|metadata| write_new(path, self.text(), Some(&metadata)));
        copied.map_err(|error| DraftError::Write {
            path: path.to_owned(),
            reason: plain_reason(&error),
        })
    }

    /// What the file held; nothing if it was not there.
    pub fn text(&self) -> &str {
        self.before.as_deref().unwrap_or_default()
    }

    /// Whether the file was there.
    pub fn exists(&self) -> bool {
        self.before.is_some()
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.named
    }

    /// Writes the file as a whole: whoever reads it meanwhile sees the old text or the new one. Mode
    /// and owner stay; a new file is for its owner only. Fails, and leaves the file alone, if it is
    /// not as it was read.
    pub fn save(&self, text: &str) -> Result<(), DraftError> {
        let directory = directory_of(&self.target);
        fs::create_dir_all(directory).map_err(|error| self.unwritable(&error))?;
        // Two of us take turns; where a directory cannot be locked, the look below must do.
        let _turn = turn_in(directory);
        let metadata = match fs::metadata(&self.target) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(self.unwritable(&error)),
        };
        if let Some(metadata) = &metadata {
            self.may_write(metadata)?;
        }
        let temporary = self.beside();
        let written = self.write_beside(&temporary, text, metadata.as_ref());
        if written.is_err() {
            // The error that counts is the one before.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// Removes the file. Fails, and leaves it alone, if it is not as it was read.
    pub fn remove(&self) -> Result<(), DraftError> {
        let _turn = turn_in(directory_of(&self.target));
        if self.now()? != self.before {
            return Err(DraftError::Changed {
                path: self.named.clone(),
            });
        }
        fs::remove_file(&self.target).map_err(|error| self.unwritable(&error))
    }

    fn write_beside(
        &self,
        temporary: &Path,
        text: &str,
        metadata: Option<&Metadata>,
    ) -> Result<(), DraftError> {
        write_new(temporary, text, metadata).map_err(|error| self.unwritable(&error))?;
        if self.now()? != self.before {
            return Err(DraftError::Changed {
                path: self.named.clone(),
            });
        }
        fs::rename(temporary, &self.target).map_err(|error| self.unwritable(&error))
    }

    /// Replacing a file asks only the directory, so the file must be asked.
    fn may_write(&self, metadata: &Metadata) -> Result<(), DraftError> {
        let refused = |reason: String| DraftError::Write {
            path: self.named.clone(),
            reason,
        };
        if metadata.permissions().readonly() {
            return Err(refused("it is read-only".into()));
        }
        let opened = OpenOptions::new().append(true).open(&self.target);
        opened.map_err(|error| self.unwritable(&error)).map(drop)
    }

    fn now(&self) -> Result<Option<String>, DraftError> {
        match fs::read(&self.target) {
            // What is no text is not what was read.
            Ok(bytes) => Ok(Some(String::from_utf8(bytes).unwrap_or_default())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unwritable(&error)),
        }
    }

    /// A name in the same directory that nobody else has.
    fn beside(&self) -> PathBuf {
        let name = self.target.file_name().unwrap_or_default();
        let mut own = std::ffi::OsString::from(".");
        own.push(name);
        own.push(format!(
            ".{}-{:08x}",
            std::process::id(),
            rand::random::<u32>()
        ));
        self.target.with_file_name(own)
    }

    fn unwritable(&self, error: &io::Error) -> DraftError {
        DraftError::Write {
            path: self.named.clone(),
            reason: plain_reason(error),
        }
    }
}

/// Writes a new file with the mode and the owner of another; without one it is for its owner only.
fn write_new(path: &Path, text: &str, like: Option<&Metadata>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    if let Some(like) = like {
        keep_owner(&file, like)?;
        file.set_permissions(like.permissions())?;
    }
    file.sync_all()
}

#[cfg(unix)]
fn keep_owner(file: &File, like: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let own = file.metadata()?;
    if (own.uid(), own.gid()) == (like.uid(), like.gid()) {
        return Ok(());
    }
    fchown(file, Some(like.uid()), Some(like.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// The right to write into a directory, until it is dropped.
#[cfg(unix)]
fn turn_in(directory: &Path) -> Option<File> {
    let file = File::open(directory).ok()?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).ok()?;
    Some(file)
}

#[cfg(not(unix))]
fn turn_in(_: &Path) -> Option<File> {
    None
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The file behind all links, also one that is not there yet.
fn target_of(path: &Path) -> io::Result<PathBuf> {
    /// As many links as the system itself follows.
    const MOST_LINKS: usize = 40;
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&target) {
            Ok(next) => target = directory_of(&target).join(next),
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::other("there are too many links"))
}
