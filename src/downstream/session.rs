//! The state of one legacy client.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use foldhash::fast::RandomState;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::mux::{Caller, Hub, Logs, Notice, Roots, Subscription, Wanted};
use crate::protocol::{
    ClientProfile, InputKind, Kind, LogLevel, LogWish, Method, ProtocolVersion, RpcError,
    TaskMethod, code, notification,
};
use crate::wire::{Json, JsonKind, Notification, Request, RequestId, Response, Splice};

use super::reply::level_of;

/// How many requests of one client may be under way.
const MAX_IN_FLIGHT: usize = 1_024;

/// The answer of a client to a question: a result or an error object.
pub(super) type Answer = Result<Json, Json>;

/// One legacy client, from its handshake on.
pub(super) struct Session {
    pub(super) hub: Hub,
    pub(super) caller: Caller,
    pub(super) client: Arc<ClientProfile>,
    pub(super) subscription: Subscription,
    level: Mutex<Option<LogLevel>>,
    /// Whoever holds the other end of one of these ends when this one is dropped. A client that chose its ids so that they
    /// collide would slow down nobody but itself.
    in_flight: Mutex<HashMap<RequestId, Option<oneshot::Sender<()>>, RandomState>>,
    asked: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    next_ask: AtomicU64,
}

/// A request under way; dropping it takes it off the list.
pub(super) struct Registered {
    session: Arc<Session>,
    id: RequestId,
}

/// Resolves when the request is cancelled.
pub(super) type Cancelled = oneshot::Receiver<()>;

impl Drop for Registered {
    fn drop(&mut self) {
        self.session.in_flight.lock().remove(&self.id);
    }
}

impl Session {
    /// Shakes hands (2025-11-25, "Initialization"): the session, and the result of `initialize`.
    pub(super) fn open(hub: &Hub, caller: Caller, params: Option<&Json>) -> (Arc<Self>, Json) {
        let member = |key| params.and_then(|params| params.get(key));
        let wanted = member("protocolVersion");
        let wanted = wanted.as_ref().and_then(Json::text).unwrap_or_default();
        let version = ProtocolVersion::negotiate_legacy(&wanted);
        let info = member("clientInfo").map(|info| info.detached());
        let capabilities = askable(member("capabilities").as_ref());
        let client = ClientProfile::new(version, info, capabilities);
        let subscription = hub.subscribe(Wanted {
            lists: BTreeSet::from([Kind::Tool, Kind::Resource, Kind::Prompt]),
            logs: Logs::Wanted,
            caller: Some(caller.clone()),
            roots: match client.lacks(InputKind::Roots, None) {
                None => Roots::Told,
                Some(_) => Roots::Untold,
            },
        });
        let session = Arc::new(Self {
            hub: hub.clone(),
            caller,
            client: Arc::new(client),
            subscription,
            level: Mutex::new(None),
            in_flight: Mutex::default(),
            asked: Mutex::default(),
            next_ask: AtomicU64::new(1),
        });
        let result = hub.identity().initialize_result(version);
        (session, result)
    }

    /// The revision that was agreed on.
    pub(super) fn version(&self) -> ProtocolVersion {
        self.client.version
    }

    /// Which log messages the client wants.
    pub(super) fn logs(&self) -> LogWish {
        self.level
            .lock()
            .map_or(LogWish::AsTheServerLikes, LogWish::AtLeast)
    }

    /// Which log messages the client gets.
    pub(super) fn hears(&self) -> LogWish {
        match self.logs() {
            LogWish::AsTheServerLikes => self.hub.usual_logs(),
            set => set,
        }
    }

    /// Sets the level of `logging/setLevel`.
    pub(super) fn set_level(&self, params: Option<&Json>) -> Result<(), RpcError> {
        let level = params.and_then(|params| params.get("level"));
        let known = level
            .as_ref()
            .and_then(Json::text)
            .and_then(|text| LogLevel::parse(&text));
        let Some(level) = known else {
            return Err(RpcError::new(
                code::INVALID_PARAMS,
                "`level` is not a known log level",
            ));
        };
        *self.level.lock() = Some(level);
        self.hub.log_at_least(level);
        Ok(())
    }

    /// Puts a request on the list of those that can be cancelled.
    pub(super) fn register(
        self: &Arc<Self>,
        id: &RequestId,
    ) -> Result<(Registered, Cancelled), RpcError> {
        let mut in_flight = self.in_flight.lock();
        if in_flight.len() >= MAX_IN_FLIGHT {
            return Err(RpcError::new(
                code::OVERLOADED,
                "too many requests are under way",
            ));
        }
        let Entry::Vacant(place) = in_flight.entry(id.clone()) else {
            let why = "a request with this id is still under way";
            return Err(RpcError::new(code::INVALID_REQUEST, why));
        };
        let (sender, cancelled) = oneshot::channel();
        place.insert(Some(sender));
        let registered = Registered {
            session: self.clone(),
            id: id.clone(),
        };
        Ok((registered, cancelled))
    }

    /// Heeds a notification of the client.
    pub(super) fn heed(&self, heard: &Notification) {
        match heard.method.as_ref() {
            notification::CANCELLED => self.withdrawn(heard),
            notification::ROOTS_CHANGED => self.hub.roots_changed(&self.caller),
            _ => {}
        }
    }

    /// The client does not want an answer any more.
    fn withdrawn(&self, heard: &Notification) {
        let id = heard
            .params
            .as_ref()
            .and_then(|params| params.get("requestId"));
        let id = id.as_ref().and_then(RequestId::from_json);
        if let Some(id) = id {
            drop(self.in_flight.lock().get_mut(&id).and_then(Option::take));
        }
    }

    /// Makes a request to the client: its message, and where the answer will arrive.
    pub(super) fn ask(
        &self,
        method: &str,
        params: Option<Json>,
    ) -> (u64, Bytes, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        let (id, frame) = self.ask_for(sender, method, params);
        (id, frame, receiver)
    }

    /// Makes a request to the client for somebody who waits for the answer.
    fn ask_for(
        &self,
        whoever: oneshot::Sender<Answer>,
        method: &str,
        params: Option<Json>,
    ) -> (u64, Bytes) {
        let id = self.next_ask.fetch_add(1, Ordering::Relaxed);
        self.asked.lock().insert(id, whoever);
        let request = Request {
            id: RequestId::from(id),
            method: method.into(),
            params,
        };
        (id, request.encode())
    }

    /// Nobody waits for this answer any more.
    pub(super) fn forget(&self, ask: u64) {
        self.asked.lock().remove(&ask);
    }

    /// Takes the client's answer to a question.
    pub(super) fn answered(&self, response: Response) {
        let id = response.id.as_ref().and_then(RequestId::as_u64);
        if let Some(sender) = id.and_then(|id| self.asked.lock().remove(&id)) {
            drop(sender.send(response.body));
        }
    }

    /// The notification for something that happened outside any request; `None` if it is not wanted.
    pub(super) fn frame(&self, notice: Notice) -> Option<Bytes> {
        let (method, params) = match notice {
            Notice::ListChanged(kind) => (notification::list_changed(kind), None),
            Notice::Updated(uri) => {
                let params = Json::object([("uri", &Json::string(&uri))]);
                (notification::RESOURCE_UPDATED, Some(params))
            }
            Notice::Log(params) => {
                if !self.hears().wants(level_of(&params)) {
                    return None;
                }
                (notification::MESSAGE, Some(params))
            }
            Notice::Task(params) => (notification::TASK_STATUS, Some(params)),
            Notice::Visited(params) => (notification::VISITED, Some(params)),
            Notice::RootsWanted(wanted) => {
                // Those that nobody waits for any more were not answered in time.
                self.asked.lock().retain(|_, asked| !asked.is_closed());
                return Some(self.ask_for(wanted.answer, "roots/list", None).1);
            }
        };
        Some(
            Notification {
                method: method.into(),
                params,
            }
            .encode(),
        )
    }

    /// Ends every request under way.
    pub(super) fn cancel_all(&self) {
        for under_way in self.in_flight.lock().values_mut() {
            drop(under_way.take());
        }
        self.asked.lock().clear();
    }
}

/// What a client declared, as far as servers of either era may rely on it: tasks had another form then.
fn askable(capabilities: Option<&Json>) -> Json {
    let empty = || Json::from_static("{}");
    let Some(capabilities) = capabilities.filter(|json| json.kind() == JsonKind::Object) else {
        return empty();
    };
    let Some(mut splice) = Splice::new(capabilities) else {
        return empty();
    };
    splice.remove("tasks");
    let extensions = capabilities.get("extensions");
    if let Some(mut extensions) = extensions.as_ref().and_then(Splice::new) {
        splice.set(
            "extensions",
            extensions.remove("io.modelcontextprotocol/tasks").finish(),
        );
    }
    splice.finish().detached()
}

/// Whether a method exists for legacy clients.
pub(super) fn is_legacy(method: &Method) -> bool {
    !matches!(
        method,
        Method::Discover | Method::Listen | Method::Task(TaskMethod::Update) | Method::Other(_)
    )
}
