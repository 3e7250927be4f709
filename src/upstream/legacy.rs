//! The legacy dialect, towards a server: a handshake, then plain requests (up to 2025-11-25).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::debug;

use crate::catalog::Inventory;
use crate::protocol::{
    Era, Identity, Kind, LogLevel, Outcome, ProtocolVersion, Said, ServerFeatures, keys,
};
use crate::protocol::{Method, notification, requires_task};
use crate::transport::Extra;
use crate::wire::{Json, Pieces, Request, RequestId, Splice};

use super::connection::{CancelStyle, Carrier, Connection, Draft, header_value};
use super::dialect::edited_request;
use super::errand::Plan;
use super::pending::{Interest, UpstreamId};
use super::probe::ask;
use super::{Outgoing, UpstreamError};

/// What a modern client adds when it repeats a request.
const RETRY: [&str; 2] = ["inputResponses", "requestState"];

/// How long a server may take to set its log level.
const SET_LEVEL_TIME: Duration = Duration::from_secs(5);

/// A server that we shook hands with.
pub(super) struct Legacy {
    /// The revision that was agreed on.
    pub(super) version: ProtocolVersion,
    /// Whether the server sends log messages at all.
    logging: bool,
    /// The chattiest level that anybody has asked for on this connection. It is never raised again: each
    /// caller gets what it wanted, sorted out on the other side.
    level: Mutex<Option<LogLevel>>,
    /// Had while the server is being told, so that nobody's request overtakes its level.
    turn: Semaphore,
    /// Whether tools can be called as tasks.
    tasks: bool,
    /// The tools, by original name, that can be called in no other way.
    as_tasks: ArcSwap<HashSet<String>>,
}

impl Legacy {
    /// A request: without what only modern peers understand.
    pub(super) fn request(outgoing: &Outgoing, id: UpstreamId) -> Pieces {
        let token = outgoing.progress_token.as_ref().map(|_| id.to_json());
        edited_request(outgoing, id, &RETRY, |meta| {
            let Some(meta) = meta else {
                return token.map(|token| Json::object([(keys::PROGRESS_TOKEN, &token)]));
            };
            let Some(mut edited) = Splice::new(&meta) else {
                return Some(meta);
            };
            for key in keys::HOP {
                edited.remove(key);
            }
            match token {
                Some(token) => edited.set(keys::PROGRESS_TOKEN, token),
                None => edited.remove(keys::PROGRESS_TOKEN),
            };
            // What held nothing but words of the client's own era is not left behind as an empty shell.
            let is_shell = edited.is_empty() && edited.changes();
            (!is_shell).then(|| edited.finish())
        })
    }

    /// Whether the request is made a task of: where the tool wants it, and the client does not ask for it itself
    /// (2025-11-25, "Tasks").
    pub(super) fn plan(&self, outgoing: &Arc<Outgoing>) -> Plan {
        let needs = |name: &Arc<str>| self.as_tasks.load().contains(&**name);
        let asks = || {
            let params = outgoing.params.as_ref();
            outgoing.client.version.era() == Era::Legacy
                && params.is_some_and(|params| params.get("task").is_some())
        };
        if outgoing.method != Method::ToolsCall
            || !outgoing.name.as_ref().is_some_and(needs)
            || asks()
        {
            return Plan::Outcome;
        }
        let mut outgoing = Outgoing::clone(outgoing);
        outgoing.replace.push(("task", Json::from_static("{}")));
        Plan::Task(Arc::new(outgoing))
    }

    /// Learns which tools can only be called as tasks.
    pub(super) fn learn(&self, inventory: &Inventory) {
        let tools = inventory.entries(Kind::Tool).iter();
        let required = tools.filter(|tool| self.tasks && requires_task(&tool.json));
        let names = required.map(|tool| tool.key.as_str().to_owned()).collect();
        self.as_tasks.store(Arc::new(names));
    }

    /// Learns what another connection to the same server has learnt.
    pub(super) fn learn_from(&self, other: &Self) {
        self.as_tasks.store(other.as_tasks.load_full());
    }

    /// Every result is complete.
    pub(super) fn outcome(result: Json) -> Outcome {
        Outcome::Complete(Said::by(Era::Legacy, result))
    }

    /// Shakes hands (2025-11-25, "Initialization").
    pub(super) async fn initialize(
        connection: &Arc<Connection>,
    ) -> Result<(Self, ServerFeatures), UpstreamError> {
        let mut exchange = connection.start(Interest::default(), hello).await?;
        // "The client MUST NOT attempt to cancel its initialize request."
        exchange.let_go();
        let result = exchange.result().await?;
        let version = result.get("protocolVersion");
        let version = version.as_ref().and_then(Json::text).unwrap_or_default();
        let Some(version) = ProtocolVersion::parse(&version).filter(|v| v.era() == Era::Legacy)
        else {
            return Err(UpstreamError::Broken(format!(
                "the server wants to speak revision `{}`, which mcpmux does not know",
                version.escape_debug()
            )));
        };
        match &connection.carrier {
            Carrier::Http(http) => http.agree_on(header_value(version.as_str())),
            Carrier::Sse(sse) => sse.agree_on(header_value(version.as_str())),
            Carrier::Duplex(_) => {}
        }
        connection.notify(notification::INITIALIZED, None).await?;
        let features = ServerFeatures::read(&result);
        let legacy = Self {
            version,
            logging: features.logging,
            level: Mutex::new(None),
            turn: Semaphore::new(1),
            tasks: features.has_tool_tasks(),
            as_tasks: ArcSwap::default(),
        };
        Ok((legacy, features))
    }

    /// Makes the server send log messages of this level and graver ones (2025-11-25, "Logging").
    pub(super) async fn log_at_least(&self, connection: &Arc<Connection>, level: LogLevel) {
        if !self.logging {
            return;
        }
        let turn = self.turn.acquire().await;
        if self.level.lock().is_some_and(|current| current <= level) {
            return;
        }
        let params = Json::object([("level", &Json::string(level.as_str()))]);
        let set = async {
            ask(connection, Method::SetLevel, Some(params))
                .await?
                .result()
                .await
                .map(drop)
        };
        match timeout(SET_LEVEL_TIME, set).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                debug!(upstream = %connection.server, %error, "the log level was not set");
            }
            Err(_) => debug!(upstream = %connection.server, "the log level was not set in time"),
        }
        *self.level.lock() = Some(level);
        drop(turn);
    }
}

fn hello(id: UpstreamId) -> Draft {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Hello {
        protocol_version: &'static str,
        capabilities: Json,
        client_info: Json,
    }
    let params = Json::encode(&Hello {
        protocol_version: ProtocolVersion::NEWEST_LEGACY.as_str(),
        capabilities: Identity::client_capabilities(),
        client_info: Identity::implementation(),
    });
    let method = Method::Initialize;
    Draft {
        frame: Request::frame(&RequestId::from(id.0), method.as_str(), Some(&params)).into(),
        headers: Extra::new(),
        cancel: CancelStyle::Silent,
    }
}
