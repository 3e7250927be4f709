//! A stream of events that a client can pick up again where it broke off
//! (2025-11-25, "Resumability and redelivery").

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How many events are kept for a client that may come back, and how far its reader may lag.
const MAX_KEPT: usize = 1_024;
/// How many bytes of them, the newest aside.
const MAX_KEPT_BYTES: usize = 8 * 1024 * 1024;

/// The events of one stream.
pub(super) struct StreamLog {
    name: u64,
    log: Mutex<Log>,
    news: Notify,
    room: Notify,
}

struct Log {
    kept: VecDeque<(u64, Bytes)>,
    bytes: usize,
    next: u64,
    read: u64,
    readers: u64,
    ended: bool,
    idle_since: Instant,
}

/// What a reader finds.
enum Next {
    Event(u64, Bytes),
    End,
    Wait,
}

impl StreamLog {
    /// An empty stream. Its name is the first half of its events' ids.
    pub(super) fn new(name: u64) -> Arc<Self> {
        let log = Log {
            kept: VecDeque::new(),
            bytes: 0,
            next: 1,
            read: 0,
            readers: 0,
            ended: false,
            idle_since: Instant::now(),
        };
        Arc::new(Self {
            name,
            log: Mutex::new(log),
            news: Notify::new(),
            room: Notify::new(),
        })
    }

    /// The id of the event with this number.
    pub(super) fn event_id(&self, number: u64) -> String {
        format!("{}-{number}", self.name)
    }

    /// Reads an event id: the stream's name and the event's number.
    pub(super) fn parse_id(id: &str) -> Option<(u64, u64)> {
        let (name, number) = id.split_once('-')?;
        Some((name.parse().ok()?, number.parse().ok()?))
    }

    /// Adds a message. Waits while a reader lags too far; what nobody reads gives way to what is newer.
    pub(super) async fn push(&self, frame: Bytes) {
        loop {
            let room = self.room.notified();
            {
                let mut log = self.log.lock();
                let lagging = log.next - log.read > MAX_KEPT as u64;
                if !lagging || log.readers == 0 {
                    log.add(frame);
                    break;
                }
            }
            room.await;
        }
        self.news.notify_waiters();
    }

    /// No message follows.
    pub(super) fn end(&self) {
        self.log.lock().ended = true;
        self.news.notify_waiters();
    }

    /// Since when nobody has been reading; `None` while somebody is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let log = self.log.lock();
        (log.readers == 0).then_some(log.idle_since)
    }

    /// The number of the newest event that somebody has read.
    pub(super) fn newest(&self) -> u64 {
        self.log.lock().read
    }

    /// Whether no message follows.
    pub(super) fn is_ended(&self) -> bool {
        self.log.lock().ended
    }

    /// A reader of everything after the event with this number.
    pub(super) fn read_after(self: &Arc<Self>, number: u64) -> LogReader {
        self.log.lock().readers += 1;
        LogReader {
            log: self.clone(),
            after: number,
        }
    }

    fn next_after(&self, number: u64) -> Next {
        let mut log = self.log.lock();
        let found = log.kept.iter().find(|(at, _)| *at > number).cloned();
        match found {
            Some((at, frame)) => {
                log.read = log.read.max(at);
                drop(log);
                self.room.notify_waiters();
                Next::Event(at, frame)
            }
            None if log.ended => Next::End,
            None => Next::Wait,
        }
    }
}

impl Log {
    fn add(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.kept.push_back((self.next, frame));
        self.next += 1;
        while self.kept.len() > MAX_KEPT || (self.bytes > MAX_KEPT_BYTES && self.kept.len() > 1) {
            // With a reader, only what it has read is given up.
            let Some((number, _)) = self.kept.front() else {
                break;
            };
            if self.readers > 0 && *number > self.read {
                break;
            }
            if let Some((_, frame)) = self.kept.pop_front() {
                self.bytes -= frame.len();
            }
        }
    }
}

/// One reader of a stream. Dropping it leaves the stream for the next one.
pub(super) struct LogReader {
    log: Arc<StreamLog>,
    after: u64,
}

impl LogReader {
    /// The next event's id and message; `None` at the end. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<(String, Bytes)> {
        loop {
            let news = self.log.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            match self.log.next_after(self.after) {
                Next::Event(number, frame) => {
                    self.after = number;
                    return Some((self.log.event_id(number), frame));
                }
                Next::End => return None,
                Next::Wait => news.await,
            }
        }
    }
}

impl Drop for LogReader {
    fn drop(&mut self) {
        let mut log = self.log.log.lock();
        log.readers -= 1;
        log.idle_since = Instant::now();
        drop(log);
        self.log.room.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_reader_goes_on_where_the_first_broke_off() {
        let log = StreamLog::new(7);
        for text in ["a", "b", "c"] {
            log.push(Bytes::from_static(text.as_bytes())).await;
        }
        log.end();
        let mut first = log.read_after(0);
        assert_eq!(
            first.next().await,
            Some(("7-1".to_owned(), Bytes::from_static(b"a")))
        );
        drop(first);
        let mut second = log.read_after(1);
        assert_eq!(
            second.next().await,
            Some(("7-2".to_owned(), Bytes::from_static(b"b")))
        );
        assert_eq!(
            second.next().await,
            Some(("7-3".to_owned(), Bytes::from_static(b"c")))
        );
        assert_eq!(second.next().await, None);
    }

    #[tokio::test]
    async fn what_nobody_reads_gives_way() {
        let log = StreamLog::new(1);
        for _ in 0..MAX_KEPT + 10 {
            log.push(Bytes::from_static(b"x")).await;
        }
        let mut reader = log.read_after(0);
        assert_eq!(
            reader.next().await.map(|(id, _)| id),
            Some("1-11".to_owned())
        );
    }
}
