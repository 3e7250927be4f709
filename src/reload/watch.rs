//! Noticing that a file has changed.
//!
//! The system tells of changes in the folders; whether a file is another one is looked up then, and now and then without
//! being told, since some file systems tell nothing, and folders may be replaced as a whole.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, warn};

use crate::config::Watching;

use super::files::{Snapshot, folders};
use super::reloader::Reloader;

/// Time between two looks of which nobody has told.
const LOOK: Duration = Duration::from_secs(5);
/// A change is complete when nothing has happened for so long, …
const QUIET: Duration = Duration::from_millis(150);
/// … or after this time at the latest.
const LONGEST: Duration = Duration::from_secs(2);
/// A file that is gone is waited for: some programs write by removing first.
const GONE: Duration = Duration::from_secs(1);

/// Makes the mux follow its files whenever one of them has changed, until it shuts down, unless `mux.watchFiles` is off.
pub async fn watch(reloader: Arc<Reloader>) {
    let mut eyes = Eyes::open();
    let mut seen = Snapshot::of(&reloader.files());
    loop {
        let files = reloader.files();
        eyes.look_at(&files);
        seen = seen.adapted_to(&files, &reloader.absent());
        tokio::select! {
            () = eyes.told() => eyes.settled().await,
            () = sleep(LOOK) => {}
            () = reloader.stopping() => return,
        }
        if reloader.watching() == Watching::Nothing {
            continue;
        }
        let mut now = Snapshot::of(&files);
        let end = Instant::now() + GONE;
        while now.lacks_one_of(&seen) && Instant::now() < end {
            sleep(QUIET).await;
            now = Snapshot::of(&files);
        }
        if now != seen {
            seen = now;
            // What comes of it is in the log.
            drop(reloader.reload().await);
        }
    }
}

/// What tells of changes in folders.
struct Eyes {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    told: mpsc::Receiver<()>,
    /// Keeps the channel open where there is no watcher.
    _tell: mpsc::Sender<()>,
}

impl Eyes {
    fn open() -> Self {
        let (tell, told) = mpsc::channel(1);
        let wake = tell.clone();
        let heard = move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| is_change(event.kind)) {
                // If there is no place, there is a waking call already.
                let _ = wake.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(heard);
        let watcher = watcher.inspect_err(|error| {
            warn!(%error, "the system does not tell of changed files; they are looked at every {}s", LOOK.as_secs());
        });
        Self {
            watcher: watcher.ok(),
            folders: BTreeSet::new(),
            told,
            _tell: tell,
        }
    }

    /// Watches what these files depend on, and nothing else any more.
    fn look_at(&mut self, files: &BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        let wanted: BTreeSet<PathBuf> = files.iter().flat_map(|file| folders(file)).collect();
        for folder in self.folders.difference(&wanted) {
            // It may be gone by itself.
            drop(watcher.unwatch(folder));
        }
        for folder in wanted.difference(&self.folders) {
            if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
                debug!(folder = %folder.display(), %error, "a folder cannot be watched");
            }
        }
        self.folders = wanted;
    }

    /// Waits until there is something to look at.
    async fn told(&mut self) {
        // The sender lives as long as this.
        let _ = self.told.recv().await;
    }

    /// Waits until it is quiet again.
    async fn settled(&mut self) {
        let end = Instant::now() + LONGEST;
        while timeout(QUIET, self.told.recv()).await.is_ok() && Instant::now() < end {}
    }
}

/// Whether something may be different: reading makes events as well.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}
