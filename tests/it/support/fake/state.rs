//! What a fake remembers, shared by all its threads.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Write;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use serde_json::Value;

use super::builder::{Fake, Handler, Start};
use super::offer::Offer;
use crate::support::head::Head;
use crate::support::{Gate, Msg, Pipe, patience};

/// Where the answer to a message goes, and what may come before it.
pub(super) trait Sink: Send + Sync {
    /// A message ahead of the answer.
    fn message(&self, text: &[u8]) -> io::Result<()>;
    /// The answer.
    fn answer(&self, text: &[u8]) -> io::Result<()>;
    /// The answer, where HTTP wants this status.
    fn refuse(&self, status: u16, text: &[u8]) -> io::Result<()>;
    /// Bytes that need not be a message.
    fn bytes(&self, raw: &[u8]) -> io::Result<()>;
    /// Breaks the connection as hard as it goes.
    fn sever(&self);
}

/// One message that the fake got.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Which connection or process it came over, from 1.
    pub(crate) link: u64,
    /// The HTTP head, over HTTP.
    pub(crate) head: Option<Head>,
    pub(crate) msg: Msg,
}

/// A request that has not been answered yet.
pub(super) struct InFlight {
    pub(super) scope: String,
    pub(super) link: u64,
    pub(super) id: String,
    pub(super) token: Option<String>,
    pub(super) cancelled: Gate,
}

/// A stream for what belongs to no request.
pub(super) struct Stream {
    pub(super) link: u64,
    pub(super) sink: Arc<dyn Sink>,
    /// The id and the filter of a `subscriptions/listen`.
    pub(super) listen: Option<(String, Value)>,
}

/// How far the handshake of a session or link has come, and the ids it has used.
#[derive(Default)]
pub(super) struct Session {
    pub(super) initialized: bool,
    pub(super) ids: HashSet<String>,
}

/// A process's control connection.
pub(super) struct Control {
    pub(super) pid: u32,
    pub(super) role: String,
    /// It was told to end as soon as it came.
    pub(super) refused: bool,
    pub(super) stream: TcpStream,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) offer: Offer,
    pub(super) script: HashMap<String, VecDeque<Handler>>,
    pub(super) seen: Vec<Seen>,
    pub(super) heads: Vec<Head>,
    pub(super) violations: Vec<String>,
    pub(super) in_flight: Vec<Arc<InFlight>>,
    pub(super) streams: Vec<Stream>,
    pub(super) sessions: HashMap<String, Session>,
    pub(super) answers: HashMap<String, Msg>,
    pub(super) sinks: HashMap<u64, Arc<dyn Sink>>,
    /// The control connections of processes.
    pub(super) controls: Vec<Control>,
    /// The HTTP connections.
    pub(super) connections: HashMap<u64, TcpStream>,
    /// The control frames of all sockets: opcode and payload.
    pub(super) frames: Vec<(u8, Vec<u8>)>,
    pub(super) links: u64,
    /// How many HTTP sessions have begun.
    pub(super) begun: usize,
    /// How many processes have had an orderly end of their stdin.
    pub(super) ends_of_input: usize,
    pub(super) refusals: usize,
    pub(super) stopped: bool,
}

pub(super) struct State {
    pub(super) fake: Fake,
    pub(super) pipe: Pipe,
    inner: Mutex<Inner>,
    changed: Condvar,
    pub(super) lives: Lives,
}

impl State {
    pub(super) fn new(mut fake: Fake, pipe: Pipe) -> Self {
        let refusals = match fake.start {
            Start::Refusing(times) => times,
            Start::Well | Start::Hanging => 0,
        };
        let inner = Inner {
            offer: std::mem::take(&mut fake.offer),
            script: std::mem::take(&mut fake.script),
            refusals,
            ..Inner::default()
        };
        let (inner, changed) = (Mutex::new(inner), Condvar::new());
        Self {
            fake,
            pipe,
            inner,
            changed,
            lives: Lives::default(),
        }
    }

    /// Reads or changes the memory; whoever waits looks again.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        let found = act(&mut self.inner.lock());
        self.changed.notify_all();
        found
    }

    /// Waits until the memory holds what the probe looks for.
    #[track_caller]
    pub(super) fn wait<T>(&self, what: &str, probe: impl FnMut(&mut Inner) -> Option<T>) -> T {
        self.wait_for(patience(), probe).unwrap_or_else(|| {
            let told = self.inner.lock().told();
            panic!("waited in vain until the fake saw {what}{told}")
        })
    }

    /// Waits for no longer than this.
    pub(super) fn wait_for<T>(
        &self,
        time: Duration,
        mut probe: impl FnMut(&mut Inner) -> Option<T>,
    ) -> Option<T> {
        let mut found = None;
        let mut inner = self.inner.lock();
        self.changed.wait_while_for(
            &mut inner,
            |inner| {
                found = probe(inner);
                found.is_none()
            },
            time,
        );
        found
    }

    pub(super) fn new_link(&self) -> u64 {
        self.with(|inner| {
            inner.links += 1;
            inner.links
        })
    }

    pub(super) fn violation(&self, text: impl Into<String>) {
        let text = text.into();
        self.with(|inner| inner.violations.push(text));
    }

    /// Forgets a connection: its streams end, its modern requests are cancelled.
    pub(super) fn link_ended(&self, link: u64) {
        self.with(|inner| {
            inner.streams.retain(|stream| stream.link != link);
            inner.sinks.remove(&link);
            inner.connections.remove(&link);
            inner.in_flight.retain(|call| {
                let over = call.link == link && call.scope.starts_with("link ");
                if over {
                    call.cancelled.open();
                }
                !over
            });
        });
    }
}

impl Inner {
    /// What a failure says about the traffic so far.
    pub(super) fn told(&self) -> String {
        let mut told = String::from("; it saw:");
        for seen in &self.seen {
            let text: String = seen.msg.text().chars().take(300).collect();
            let _ = write!(told, "\n  {} {text}", seen.link);
        }
        for head in &self.heads {
            let _ = write!(told, "\n  {}", head.start);
        }
        for violation in &self.violations {
            // One that quotes the others would double with each.
            let text: String = violation.chars().take(300).collect();
            let _ = write!(told, "\n  violation: {text}");
        }
        told
    }
}

/// The processes that a fake's `pipe_child` consists of, children and grandchildren.
#[derive(Clone, Default)]
pub(crate) struct Lives(Arc<(Mutex<Vec<Life>>, Condvar)>);

/// One process; it lives as long as its control connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) role: String,
    pub(crate) pid: u32,
    pub(crate) alive: bool,
}

impl Lives {
    pub(super) fn begin(&self, role: &str, pid: u32) {
        let life = Life {
            role: role.to_owned(),
            pid,
            alive: true,
        };
        self.0.0.lock().push(life);
        self.0.1.notify_all();
    }

    pub(super) fn end(&self, pid: u32) {
        for life in self.0.0.lock().iter_mut().filter(|life| life.pid == pid) {
            life.alive = false;
        }
        self.0.1.notify_all();
    }

    pub(crate) fn all(&self) -> Vec<Life> {
        self.0.0.lock().clone()
    }

    /// Waits until the processes are as the probe wants them.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, probe: impl Fn(&[Life]) -> bool) {
        let mut lives = self.0.0.lock();
        self.0
            .1
            .wait_while_for(&mut lives, |lives| !probe(lives), patience());
        assert!(probe(&lives), "waited in vain until {what}: {lives:?}");
    }

    /// Waits until no process is left.
    #[track_caller]
    pub(crate) fn wait_for_none(&self) {
        self.wait("no process is left behind", |lives| {
            lives.iter().all(|life| !life.alive)
        });
    }
}
