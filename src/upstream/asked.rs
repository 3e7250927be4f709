//! Whose question is it? A server that asks in the middle of a call does not say in which one, so the mux has
//! to know, and never guesses.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fnv::FnvHashMap;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::protocol::{ClientProfile, InputKind};
use crate::wire::{Json, RequestId};

use super::Party;
use super::connection::Connection;
use super::pending::UpstreamId;

/// A server may go on for a while with a request that was cancelled, and ask in its name.
const HAUNTING: Duration = Duration::from_secs(30);

/// How many clients a connection serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Clients {
    /// Any number: a question belongs to a client only if it can belong to one call only.
    #[default]
    Many,
    /// One: a question belongs to it, whichever of its calls it is about.
    One(Party),
}

/// To whom a question goes.
#[derive(Debug, PartialEq)]
pub(super) enum Owner {
    /// To the client of this request.
    Call(UpstreamId),
    /// To this request's client, which has not declared the capability: the object that would have.
    Incapable(UpstreamId, Json),
    /// Several requests may be meant.
    Unclear,
    /// There is no request that it could belong to.
    Nobody,
}

/// A request in the middle of which a server may ask.
pub(super) struct Asking {
    /// Whose it is.
    pub(super) client: Arc<ClientProfile>,
    /// The task that it is about.
    pub(super) task: Option<String>,
}

/// A question as it arrives.
pub(super) struct Question<'a> {
    pub(super) kind: InputKind,
    pub(super) params: Option<&'a Json>,
    /// The task that it says it belongs to.
    pub(super) task: Option<&'a str>,
}

/// The requests in flight in which a server may ask, and the questions that are open.
#[derive(Default)]
pub(super) struct Owners(Mutex<Table>);

#[derive(Default)]
struct Table {
    clients: FnvHashMap<UpstreamId, Asking>,
    /// Requests that nobody waits for any more, but that the server may not have given up yet.
    ghosts: FnvHashMap<UpstreamId, Instant>,
    open: HashMap<RequestId, UpstreamId>,
    /// Somebody is about to enter who wants to be alone.
    reserved: bool,
}

/// The assurance that no other request is in flight in which the server may ask; good until it is dropped, which
/// is when the request has entered.
pub(super) struct Alone(Arc<Connection>);

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.pending.owners.0.lock().reserved = false;
    }
}

impl Alone {
    /// Nobody but us on this connection; `None`: somebody is there, or may be.
    pub(super) fn on(connection: &Arc<Connection>) -> Option<Self> {
        let mut table = connection.pending.owners.0.lock();
        table.exorcise();
        let empty = table.clients.is_empty() && table.ghosts.is_empty() && !table.reserved;
        table.reserved |= empty;
        empty.then(|| Self(connection.clone()))
    }
}

impl Table {
    /// The owner of a question about a task: the one request about it.
    fn of_task(&self, task: &str, question: &Question<'_>) -> Owner {
        let about = |asking: &Asking| asking.task.as_deref() == Some(task);
        let mut found = self.clients.iter().filter(|(_, asking)| about(asking));
        match (found.next(), found.next()) {
            (Some((id, asking)), None) => judged(*id, asking, question),
            (Some(_), Some(_)) => Owner::Unclear,
            (None, _) => Owner::Nobody,
        }
    }

    fn exorcise(&mut self) {
        let now = Instant::now();
        self.ghosts.retain(|_, until| *until > now);
    }
}

impl Owners {
    /// A request begins in which the server may ask.
    pub(super) fn enter(&self, id: UpstreamId, asking: Asking) {
        self.0.lock().clients.insert(id, asking);
    }

    /// The server is done with the request.
    pub(super) fn leave(&self, id: UpstreamId) {
        let mut table = self.0.lock();
        table.ghosts.remove(&id);
        if table.clients.remove(&id).is_some() {
            table.open.retain(|_, of| *of != id);
        }
    }

    /// Nobody waits for the request any more.
    pub(super) fn haunt(&self, id: UpstreamId) {
        let mut table = self.0.lock();
        if table.clients.remove(&id).is_some() {
            table.open.retain(|_, of| *of != id);
            table.exorcise();
            table.ghosts.insert(id, Instant::now() + HAUNTING);
        }
    }

    /// Whether the server may still be at a request that nobody waits for any more.
    pub(super) fn is_haunted(&self) -> bool {
        let mut table = self.0.lock();
        table.exorcise();
        !table.ghosts.is_empty()
    }

    /// The owner of a question that came on the stream of this request.
    pub(super) fn of_stream(&self, id: UpstreamId, question: &Question<'_>) -> Owner {
        match self.0.lock().clients.get(&id) {
            Some(asking) => judged(id, asking, question),
            None => Owner::Nobody,
        }
    }

    /// The owner of a question that came on a link that requests share.
    pub(super) fn of_link(&self, clients: &Clients, question: &Question<'_>) -> Owner {
        let mut table = self.0.lock();
        table.exorcise();
        if let Some(task) = question.task {
            return table.of_task(task, question);
        }
        let newest = table.clients.iter().max_by_key(|(id, _)| **id);
        let Some((id, asking)) = newest else {
            return Owner::Nobody;
        };
        if *clients == Clients::Many && table.clients.len() + table.ghosts.len() > 1 {
            return Owner::Unclear;
        }
        judged(*id, asking, question)
    }

    /// The client is being asked.
    pub(super) fn asking(&self, question: RequestId, id: UpstreamId) {
        self.0.lock().open.insert(question, id);
    }

    /// The question is answered or withdrawn: whose it was.
    pub(super) fn settle(&self, question: &RequestId) -> Option<UpstreamId> {
        self.0.lock().open.remove(question)
    }
}

fn judged(id: UpstreamId, asking: &Asking, question: &Question<'_>) -> Owner {
    match asking.client.lacks(question.kind, question.params) {
        None => Owner::Call(id),
        Some(lacking) => Owner::Incapable(id, lacking),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ProtocolVersion;

    fn client(capabilities: &'static str) -> Asking {
        let capabilities = Json::from_static(capabilities);
        let client = ClientProfile::new(ProtocolVersion::NEWEST_LEGACY, None, capabilities);
        Asking {
            client: Arc::new(client),
            task: None,
        }
    }

    const ROOTS: Question<'static> = Question {
        kind: InputKind::Roots,
        params: None,
        task: None,
    };

    fn of_link(owners: &Owners, clients: &Clients) -> Owner {
        owners.of_link(clients, &ROOTS)
    }

    #[test]
    fn a_question_about_a_task_belongs_to_the_request_about_it() {
        let owners = Owners::default();
        for (id, task) in [(1, "a"), (2, "b"), (3, "b")] {
            let task = Some(task.to_owned());
            let asking = client(r#"{"roots":{}}"#);
            owners.enter(UpstreamId(id), Asking { task, ..asking });
        }
        let of = |task| {
            let question = Question {
                task: Some(task),
                ..ROOTS
            };
            owners.of_link(&Clients::Many, &question)
        };
        assert_eq!(of("a"), Owner::Call(UpstreamId(1)));
        assert_eq!(of("b"), Owner::Unclear);
        assert_eq!(of("c"), Owner::Nobody);
    }

    #[test]
    fn a_question_belongs_to_the_only_call_in_flight() {
        let owners = Owners::default();
        assert_eq!(of_link(&owners, &Clients::Many), Owner::Nobody);
        owners.enter(UpstreamId(1), client(r#"{"roots":{}}"#));
        assert_eq!(of_link(&owners, &Clients::Many), Owner::Call(UpstreamId(1)));
        owners.leave(UpstreamId(1));
        assert_eq!(of_link(&owners, &Clients::Many), Owner::Nobody);
    }

    #[test]
    fn a_call_that_cannot_be_asked_may_be_meant_all_the_same() {
        let owners = Owners::default();
        owners.enter(UpstreamId(1), client(r#"{"roots":{}}"#));
        owners.enter(UpstreamId(2), client("{}"));
        assert_eq!(of_link(&owners, &Clients::Many), Owner::Unclear);
        owners.leave(UpstreamId(1));
        let lacking = Json::from_static(r#"{"roots":{}}"#);
        let incapable = Owner::Incapable(UpstreamId(2), lacking);
        assert_eq!(of_link(&owners, &Clients::Many), incapable);
    }

    #[test]
    fn a_cancelled_call_may_still_ask() {
        let owners = Owners::default();
        owners.enter(UpstreamId(1), client(r#"{"roots":{}}"#));
        owners.enter(UpstreamId(2), client(r#"{"roots":{}}"#));
        owners.haunt(UpstreamId(1));
        assert_eq!(of_link(&owners, &Clients::Many), Owner::Unclear);
        // Its answer comes after all: now it is certain.
        owners.leave(UpstreamId(1));
        assert_eq!(of_link(&owners, &Clients::Many), Owner::Call(UpstreamId(2)));
    }

    #[test]
    fn on_a_link_of_one_client_every_question_is_its_own() {
        let owners = Owners::default();
        owners.enter(UpstreamId(1), client(r#"{"roots":{}}"#));
        owners.enter(UpstreamId(2), client(r#"{"roots":{}}"#));
        assert_eq!(
            of_link(&owners, &Clients::One(Party::new("c"))),
            Owner::Call(UpstreamId(2))
        );
    }

    #[test]
    fn an_open_question_is_forgotten_with_its_call() {
        let owners = Owners::default();
        owners.enter(UpstreamId(1), client("{}"));
        owners.asking(RequestId::from(7), UpstreamId(1));
        owners.asking(RequestId::from(8), UpstreamId(1));
        assert_eq!(owners.settle(&RequestId::from(7)), Some(UpstreamId(1)));
        assert_eq!(owners.settle(&RequestId::from(7)), None);
        owners.haunt(UpstreamId(1));
        assert_eq!(owners.settle(&RequestId::from(8)), None);
    }
}
