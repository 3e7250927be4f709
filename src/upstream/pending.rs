//! Requests in flight on one connection: which id belongs to whom.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fnv::FnvHashMap;
use parking_lot::Mutex;

use crate::protocol::{CallEvent, ClientProfile};
use crate::wire::{Json, Request, RequestId};

use super::UpstreamError;
use super::asked::{Asking, Owners};
use super::mailbox::{Inbox, Mailbox};

/// The id that a request has on the connection to its server, and its progress token there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// Progress, as the server reported it.
    Progress(Json),
    /// A log message.
    Event(CallEvent),
    /// A question of the server, whose answer the call is waiting for.
    Ask(Request),
    /// A question had to be refused, since the client lacks this capability.
    Lacking(Json),
    /// The server does not want this question answered any more.
    Withdrawn(RequestId),
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
    /// Who would be asked, if the server may ask in the middle of this request.
    pub(super) asked: Option<Arc<ClientProfile>>,
    /// The task that the request is about: what a server says belongs to the task belongs to it.
    pub(super) task: Option<Json>,
    /// Whether log messages without an owner may be this request's.
    pub(super) logs: Logs,
    /// What is still expected after the response.
    pub(super) after: After,
}

/// What may come of a request after its response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum After {
    /// Nothing.
    #[default]
    Nothing,
    /// Progress of the task that it became (2025-11-25, "Tasks").
    Progress,
}

/// Whether log messages may be about a request, and wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Logs {
    /// The server says nothing about it.
    #[default]
    None,
    /// There may be some, but the client wants none.
    Unwanted,
    /// The client wants them.
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
    mailbox: Arc<Mailbox>,
    response: Awaited,
    logs: Logs,
    after: After,
}

impl Slot {
    fn is_in_flight(&self) -> bool {
        self.response == Awaited::Yes
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.mailbox.end();
    }
}

/// Whether a response is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Yes,
    No,
}

/// The table of one connection. Bounded by the leases that the server allows.
#[derive(Default)]
pub(super) struct Pending {
    next: AtomicU64,
    table: Mutex<Table>,
    /// Whose questions are whose.
    pub(super) owners: Owners,
}

#[derive(Default)]
struct Table {
    slots: FnvHashMap<UpstreamId, Slot>,
    closed: bool,
}

impl Table {
    /// Hands the response to whoever waits for it, once.
    fn finish(&mut self, id: UpstreamId, delivery: Delivery) -> Found {
        let Some(slot) = self.slots.get_mut(&id).filter(|slot| slot.is_in_flight()) else {
            return Found::Unknown;
        };
        slot.response = Awaited::No;
        slot.mailbox.finish(delivery);
        if slot.after == After::Nothing {
            self.slots.remove(&id);
        }
        Found::InFlight
    }
}

impl Pending {
    /// Makes room for a request. `None`: the connection is closed.
    pub(super) fn open(&self, interest: Interest) -> Option<(UpstreamId, Inbox)> {
        let (mailbox, inbox) = Mailbox::new();
        let id = UpstreamId(self.next.fetch_add(1, Ordering::Relaxed) + 1);
        let mut table = self.table.lock();
        if table.closed {
            return None;
        }
        let Interest {
            asked,
            task,
            logs,
            after,
        } = interest;
        let slot = Slot {
            mailbox,
            response: Awaited::Yes,
            logs,
            after,
        };
        table.slots.insert(id, slot);
        if let Some(client) = asked {
            let task = task.as_ref().and_then(Json::text).map(Cow::into_owned);
            self.owners.enter(id, Asking { client, task });
        }
        Some((id, inbox))
    }

    /// Ends a request with what the server said of it.
    pub(super) fn finish(&self, id: UpstreamId, delivery: Delivery) -> Found {
        let found = self.table.lock().finish(id, delivery);
        self.owners.leave(id);
        found
    }

    /// Forgets a request that nobody waits for any more. The server may still be at it.
    pub(super) fn forget(&self, id: UpstreamId) -> Found {
        let slot = self.table.lock().slots.remove(&id);
        if slot.is_some_and(|slot| slot.is_in_flight()) {
            self.owners.haunt(id);
            Found::InFlight
        } else {
            Found::Unknown
        }
    }

    /// Where the events of this request go.
    pub(super) fn events_of(&self, id: UpstreamId) -> Option<Arc<Mailbox>> {
        let table = self.table.lock();
        table.slots.get(&id).map(|slot| slot.mailbox.clone())
    }

    /// The request that a log message without an owner is about: the only one in flight that it can be about, if its
    /// client wants it.
    pub(super) fn sole_logging(&self) -> Option<UpstreamId> {
        if self.owners.is_haunted() {
            return None;
        }
        let id = self.sole_that(|slot| slot.logs != Logs::None)?;
        let table = self.table.lock();
        let slot = table.slots.get(&id)?;
        (slot.logs == Logs::Wanted).then_some(id)
    }

    /// The newest request in flight whose client wants log messages, where all are one client's.
    pub(super) fn newest_logging(&self) -> Option<UpstreamId> {
        let table = self.table.lock();
        let wanting = table.slots.iter();
        let wanting = wanting.filter(|(_, slot)| slot.is_in_flight() && slot.logs == Logs::Wanted);
        wanting.map(|(id, _)| *id).max()
    }

    /// The one request in flight; `None` if there are none or several.
    pub(super) fn sole(&self) -> Option<UpstreamId> {
        self.sole_that(|_| true)
    }

    fn sole_that(&self, fits: impl Fn(&Slot) -> bool) -> Option<UpstreamId> {
        let table = self.table.lock();
        let fitting = table.slots.iter();
        let mut fitting = fitting.filter(|(_, slot)| slot.is_in_flight() && fits(slot));
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
        for slot in slots.into_values().filter(Slot::is_in_flight) {
            slot.mailbox.finish(Delivery::Failed(reason()));
        }
    }
}
