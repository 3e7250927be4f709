//! Requests in flight on one connection: which id belongs to whom.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::protocol::{CallEvent, ClientProfile, InputKind};
use crate::wire::{Json, Request};

use super::UpstreamError;

/// How many events of one call wait for a slow client before further ones are dropped.
const EVENT_QUEUE: usize = 1024;

/// The id that a request has on the connection to its server, and its progress token there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct UpstreamId(pub(super) u64);

impl UpstreamId {
    /// Reads an id or token that the server sent back.
    pub(super) fn read(json: &Json) -> Option<Self> {
        std::str::from_utf8(json.as_bytes())
            .ok()?
            .parse()
            .ok()
            .map(Self)
    }

    /// The id on the wire.
    pub(super) fn to_json(self) -> Json {
        Json::encode(&self.0)
    }
}

/// What reaches one exchange.
#[derive(Debug)]
pub(super) enum Delivery {
    /// Progress or a log message.
    Event(CallEvent),
    /// A question of the server, whose answer the call is waiting for.
    Ask(Request),
    /// The subscription was acknowledged: the filter that the server accepted.
    Acknowledged(Option<Json>),
    /// The response: a result or an error object.
    Done(Result<Json, Json>),
    /// No response will come.
    Failed(UpstreamError),
}

/// What a request wants to be told before its response.
#[derive(Clone, Debug, Default)]
pub(super) struct Interest {
    /// The client's progress token, put back into each report.
    pub(super) progress_token: Option<Json>,
    /// Who can be asked something, if the method allows questions.
    pub(super) asked: Option<Arc<ClientProfile>>,
    /// The task that the request is about: what a server says belongs to the task belongs to it.
    pub(super) task: Option<Json>,
    /// Whether log messages without an owner may be taken for this call's.
    pub(super) logs: Logs,
}

impl Interest {
    fn can_answer(&self, kind: InputKind) -> bool {
        self.asked
            .as_ref()
            .is_some_and(|client| client.can_answer(kind))
    }
}

/// Whether the call takes log messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Logs {
    /// It does not.
    #[default]
    Unwanted,
    /// It does.
    Wanted,
}

/// Whether a request was still in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It was.
    InFlight,
    /// It was not: ended, cancelled, or never made.
    Unknown,
}

struct Slot {
    events: mpsc::Sender<Delivery>,
    // Reserved when the request is made, so that the response always has a place.
    last: mpsc::OwnedPermit<Delivery>,
    interest: Interest,
}

/// The table of one connection. Bounded by the leases that the server allows.
#[derive(Default)]
pub(super) struct Pending {
    next: AtomicU64,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    slots: HashMap<UpstreamId, Slot>,
    closed: bool,
}

impl Pending {
    /// Makes room for a request. `None`: the connection is closed.
    pub(super) fn open(
        &self,
        interest: Interest,
    ) -> Option<(UpstreamId, mpsc::Receiver<Delivery>)> {
        let (events, receiver) = mpsc::channel(EVENT_QUEUE + 1);
        let last = events.clone().try_reserve_owned().ok()?;
        let id = UpstreamId(self.next.fetch_add(1, Ordering::Relaxed) + 1);
        let mut table = self.table.lock();
        if table.closed {
            return None;
        }
        table.slots.insert(
            id,
            Slot {
                events,
                last,
                interest,
            },
        );
        Some((id, receiver))
    }

    /// Ends a request.
    pub(super) fn finish(&self, id: UpstreamId, delivery: Delivery) -> Found {
        let Some(slot) = self.table.lock().slots.remove(&id) else {
            return Found::Unknown;
        };
        drop(slot.last.send(delivery));
        Found::InFlight
    }

    /// Forgets a request that nobody waits for any more.
    pub(super) fn forget(&self, id: UpstreamId) -> Found {
        let slot = self.table.lock().slots.remove(&id);
        if slot.is_some() {
            Found::InFlight
        } else {
            Found::Unknown
        }
    }

    /// Where the events of this request go, and the client's token.
    pub(super) fn events_of(
        &self,
        id: UpstreamId,
    ) -> Option<(mpsc::Sender<Delivery>, Option<Json>)> {
        let table = self.table.lock();
        let slot = table.slots.get(&id)?;
        Some((slot.events.clone(), slot.interest.progress_token.clone()))
    }

    /// The one request in flight whose client can be asked this; `None` if there are none or several.
    pub(super) fn sole_askable(&self, kind: InputKind) -> Option<UpstreamId> {
        self.sole_that(|interest| interest.can_answer(kind))
    }

    /// The request about this task whose client can be asked this.
    pub(super) fn following(&self, task: &str, kind: InputKind) -> Option<UpstreamId> {
        let is_its = |interest: &Interest| {
            let about = interest.task.as_ref().and_then(Json::text);
            about.as_deref() == Some(task) && interest.can_answer(kind)
        };
        self.sole_that(is_its)
    }

    /// Whether the client of this request can be asked this.
    pub(super) fn askable(&self, id: UpstreamId, kind: InputKind) -> bool {
        self.table
            .lock()
            .slots
            .get(&id)
            .is_some_and(|slot| slot.interest.can_answer(kind))
    }

    /// The one request in flight that takes log messages; `None` if there are none or several.
    pub(super) fn sole_logging(&self) -> Option<UpstreamId> {
        self.sole_that(|interest| interest.logs == Logs::Wanted)
    }

    /// The one request in flight; `None` if there are none or several.
    pub(super) fn sole(&self) -> Option<UpstreamId> {
        self.sole_that(|_| true)
    }

    fn sole_that(&self, fits: impl Fn(&Interest) -> bool) -> Option<UpstreamId> {
        let table = self.table.lock();
        let mut fitting = table.slots.iter().filter(|(_, slot)| fits(&slot.interest));
        let (id, _) = fitting.next()?;
        fitting.next().is_none().then_some(*id)
    }

    /// Ends every request, and lets none in any more.
    pub(super) fn close(&self, reason: impl Fn() -> UpstreamError) {
        let slots = {
            let mut table = self.table.lock();
            table.closed = true;
            std::mem::take(&mut table.slots)
        };
        for slot in slots.into_values() {
            drop(slot.last.send(Delivery::Failed(reason())));
        }
    }
}
