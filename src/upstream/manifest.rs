//! What servers offered the last time, kept on disk, so that lists are complete before the servers are up.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fnv::FnvHasher;
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::debug;

use crate::catalog::{Inventory, RawEntry};
use crate::config::{ServerConfig, TransportConfig};
use crate::protocol::{Kind, ServerFeatures};
use crate::wire::Json;

use super::signals::Asks;

/// The largest file that is read.
const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// The member that holds what the server said of itself.
const HELLO: &str = "hello";
/// The member that is there if the server is known to ask in the middle of calls.
const ASKS: &str = "asks";

/// A folder with one file for each server.
#[derive(Clone, Debug)]
pub struct Manifest(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// One file is written at a time: a hundred servers that come up at once would start as many threads.
    turn: Semaphore,
}

/// What is known of a server that has not answered yet.
pub(super) struct Known {
    pub(super) inventory: Inventory,
    pub(super) features: ServerFeatures,
    pub(super) asks: Asks,
}

impl Manifest {
    /// The files are in this folder, which is made when the first one is written.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Folder {
            path: folder.into(),
            turn: Semaphore::new(1),
        }))
    }

    /// Waits for the turn to write.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.0.turn.acquire().await.ok()
    }

    /// What the server offered the last time; nothing if that is not known or not readable.
    pub(super) fn read(&self, config: &ServerConfig) -> Option<Known> {
        let path = self.path(config);
        if fs::metadata(&path).ok()?.len() > MAX_BYTES {
            return None;
        }
        let all = Json::parse(fs::read(&path).ok()?).ok()?;
        let mut inventory = Inventory::default();
        let mut asks = Asks::Nobody;
        let mut features = None;
        for (member, json) in all.members()? {
            match member.as_ref() {
                HELLO => features = Some(ServerFeatures::read(&json)),
                ASKS => asks = Asks::Somebody,
                list => {
                    let kind = Kind::ALL.into_iter().find(|it| it.list_member() == list);
                    if let Some(kind) = kind {
                        inventory.replace(kind, RawEntry::read_list(kind, &json).0);
                    }
                }
            }
        }
        Some(Known {
            inventory,
            features: features?,
            asks,
        })
    }

    /// Keeps what the server offers now. The file is private, and replaced as a whole if anything is new.
    pub(super) fn write(&self, config: &ServerConfig, hello: &Json, known: (&Inventory, Asks)) {
        let (inventory, asks) = known;
        let lists = Kind::ALL.map(|kind| {
            let entries = inventory.entries(kind).iter().map(|entry| &entry.json);
            (kind.list_member(), Json::array(entries))
        });
        let mut members = vec![(HELLO, hello)];
        let somebody = Json::from_static("\"somebody\"");
        if asks == Asks::Somebody {
            members.push((ASKS, &somebody));
        }
        members.extend(lists.iter().map(|(member, list)| (*member, list)));
        if let Err(error) = self.replace(&self.path(config), Json::object(members).as_bytes()) {
            debug!(upstream = %config.name, %error, "the manifest was not written");
        }
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if fs::read(path).is_ok_and(|old| old == bytes) {
            return Ok(());
        }
        fs::create_dir_all(&self.0.path)?;
        let beside = path.with_extension(format!("{:016x}", rand::random::<u64>()));
        let written = private(&beside).and_then(|mut file| file.write_all(bytes));
        let done = written.and_then(|()| fs::rename(&beside, path));
        if done.is_err() {
            drop(fs::remove_file(&beside));
        }
        done
    }

    /// Named for the server and for what reaches it: another command or URL is another server. Secrets are left
    /// out.
    fn path(&self, config: &ServerConfig) -> PathBuf {
        let mut hash = FnvHasher::default();
        config.name.hash(&mut hash);
        match &config.transport {
            TransportConfig::Child(child) => {
                (&child.command, &child.args, &child.cwd).hash(&mut hash);
                child.env.keys().for_each(|name| name.hash(&mut hash));
            }
            TransportConfig::Http(http)
            | TransportConfig::Sse(http)
            | TransportConfig::WebSocket(http) => http.url.hash(&mut hash),
        }
        self.0.path.join(format!("{:016x}.json", hash.finish()))
    }
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn private(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
}
