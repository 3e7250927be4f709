//! The sessions of legacy clients over HTTP.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use foldhash::fast::RandomState;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::session::Session;
use super::stream_log::StreamLog;

/// How long a stream without a reader waits for its client to come back.
pub(super) const LINGER: Duration = Duration::from_secs(30);
/// How many streams of one session are kept after their end, for a client that missed it.
const MAX_ENDED: usize = 8;
/// The name of the stream for what belongs to no request.
pub(super) const STANDING: u64 = 0;

/// An id that nobody can guess: 192 random bits.
pub(super) fn unguessable() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 24]>())
}

/// A legacy client over HTTP.
pub(super) struct HttpSession {
    pub(super) session: Arc<Session>,
    /// What was sent on the stream for what belongs to no request.
    pub(super) standing: Arc<StreamLog>,
    /// Ends with the session.
    pub(super) ended: CancellationToken,
    listener: Mutex<CancellationToken>,
    streams: Mutex<HashMap<u64, Arc<StreamLog>>>,
    next_stream: AtomicU64,
    activity: Mutex<Activity>,
}

struct Activity {
    open: usize,
    last: Instant,
}

/// Keeps a session from expiring while a request of it is under way.
pub(super) struct Busy(Arc<HttpSession>);

impl Busy {
    /// The session that is busy.
    pub(super) fn session(&self) -> &Arc<HttpSession> {
        &self.0
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut activity = self.0.activity.lock();
        activity.open -= 1;
        activity.last = Instant::now();
    }
}

impl HttpSession {
    fn new(session: Arc<Session>) -> Arc<Self> {
        Arc::new(Self {
            session,
            standing: StreamLog::new(STANDING),
            ended: CancellationToken::new(),
            listener: Mutex::default(),
            streams: Mutex::default(),
            next_stream: AtomicU64::new(STANDING + 1),
            activity: Mutex::new(Activity {
                open: 0,
                last: Instant::now(),
            }),
        })
    }

    /// Counts as activity until dropped.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.activity.lock().open += 1;
        Busy(self.clone())
    }

    /// A new stream for a request that can be picked up again.
    pub(super) fn open_stream(&self) -> (u64, Arc<StreamLog>) {
        let name = self.next_stream.fetch_add(1, Ordering::Relaxed);
        let log = StreamLog::new(name);
        let mut streams = self.streams.lock();
        let mut ended: Vec<u64> = streams
            .iter()
            .filter(|(_, log)| log.is_ended())
            .map(|(name, _)| *name)
            .collect();
        ended.sort_unstable();
        for name in ended.iter().rev().skip(MAX_ENDED - 1) {
            streams.remove(name);
        }
        streams.insert(name, log.clone());
        (name, log)
    }

    /// The stream with this name, if it is still kept.
    pub(super) fn stream(&self, name: u64) -> Option<Arc<StreamLog>> {
        self.streams.lock().get(&name).cloned()
    }

    /// Nobody will come back to this stream.
    pub(super) fn close_stream(&self, name: u64) {
        self.streams.lock().remove(&name);
    }

    /// Takes over the stream for what belongs to no request; the one before ends.
    pub(super) fn take_listener(&self) -> CancellationToken {
        let mine = self.ended.child_token();
        let before = std::mem::replace(&mut *self.listener.lock(), mine.clone());
        before.cancel();
        mine
    }

    /// Gives up ended streams that nobody came back to.
    fn tidy(&self) {
        self.streams.lock().retain(|_, log| {
            !log.is_ended()
                || log
                    .idle_since()
                    .is_none_or(|since| since.elapsed() < LINGER)
        });
    }

    fn idle_for(&self) -> Duration {
        let activity = self.activity.lock();
        if activity.open > 0 {
            Duration::ZERO
        } else {
            activity.last.elapsed()
        }
    }

    fn end(&self) {
        self.ended.cancel();
        self.session.cancel_all();
    }
}

/// All sessions, by their ids.
pub(super) struct Sessions {
    /// The keys are our own.
    all: Mutex<HashMap<String, Arc<HttpSession>, RandomState>>,
    max: usize,
    idle: Duration,
}

impl Sessions {
    pub(super) fn new(max: usize, idle: Duration) -> Self {
        Self {
            all: Mutex::default(),
            max,
            idle,
        }
    }

    /// Takes a session in under this id. `None`: there are too many.
    pub(super) fn add(&self, id: &str, session: Arc<Session>) -> Option<Arc<HttpSession>> {
        self.expire();
        let mut all = self.all.lock();
        if all.len() >= self.max {
            return None;
        }
        let session = HttpSession::new(session);
        all.insert(id.to_owned(), session.clone());
        Some(session)
    }

    /// The session with this id.
    pub(super) fn get(&self, id: &str) -> Option<Arc<HttpSession>> {
        self.all.lock().get(id).cloned()
    }

    /// Ends the session with this id. Whether there was one.
    pub(super) fn remove(&self, id: &str) -> bool {
        let removed = self.all.lock().remove(id);
        if let Some(session) = &removed {
            session.end();
        }
        removed.is_some()
    }

    /// Ends the sessions that have been idle for too long.
    pub(super) fn expire(&self) {
        let mut expired = Vec::new();
        self.all.lock().retain(|_, session| {
            let keep = session.idle_for() < self.idle;
            session.tidy();
            if !keep {
                expired.push(session.clone());
            }
            keep
        });
        for session in expired {
            session.end();
        }
    }

    /// Ends the streams for what belongs to no request; requests under way go on.
    pub(super) fn stop_listening(&self) {
        for session in self.all.lock().values() {
            session.listener.lock().cancel();
        }
    }
}
