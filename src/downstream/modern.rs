//! The modern dialect, towards a client: every request stands alone (from 2026-07-28).

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;

use crate::mux::{Call, Caller, Hub};
use crate::protocol::{
    CallParams, ClientProfile, LogLevel, LogWish, Method, ProtocolVersion, RpcError, TASKS,
    TaskMethod, code,
};
use crate::wire::{Json, JsonKind, Request};

use super::answer;
use super::listen::ListenReply;
use super::reply::{ModernReply, Reply};

/// A request that says everything it must.
pub(super) struct ModernRequest {
    pub(super) request: Request,
    pub(super) method: Method,
    pub(super) read: Box<CallParams>,
    /// The revision, as the client wrote it.
    pub(super) version: String,
}

impl ModernRequest {
    /// Whether a request claims to be modern: its `_meta` names a revision.
    pub(super) fn is_modern(read: &CallParams) -> bool {
        read.meta.protocol_version.is_some()
    }

    /// Reads a request whose params have been looked at (2026-07-28, "General fields").
    pub(super) fn read(request: Request, read: Box<CallParams>) -> Result<Self, RpcError> {
        let bad =
            |what: &str| RpcError::new(code::INVALID_PARAMS, format!("`params._meta` {what}"));
        let version = read.meta.protocol_version.as_ref().and_then(Json::text);
        let Some(version) = version.map(Cow::into_owned) else {
            return Err(bad(
                "lacks `io.modelcontextprotocol/protocolVersion`, a string",
            ));
        };
        let capabilities = read.meta.client_capabilities.as_ref();
        if capabilities.is_none_or(|json| json.kind() != JsonKind::Object) {
            return Err(bad(
                "lacks `io.modelcontextprotocol/clientCapabilities`, an object",
            ));
        }
        let method = Method::parse(&request.method);
        Ok(Self {
            request,
            method,
            read,
            version,
        })
    }

    /// The answer to a request: refused, or on its way.
    pub(super) fn open(self, hub: &Hub, caller: &Caller) -> Result<Reply, RpcError> {
        let version = ProtocolVersion::modern()
            .find(|version| version.as_str() == self.version)
            .ok_or_else(|| unsupported(&self.version))?;
        let id = self.request.id;
        let ttl_ms = hub.list_ttl().as_millis() as u64;
        match self.method {
            Method::Discover => {
                let result = hub.identity().discover_result(ttl_ms);
                Ok(Reply::ready(answer::result(&id, result)))
            }
            Method::Listen => {
                let reply = ListenReply::new(hub, caller, id, &self.read)?;
                Ok(Reply::Listen(Box::new(reply)))
            }
            Method::List(_)
            | Method::ToolsCall
            | Method::ResourcesRead
            | Method::PromptsGet
            | Method::Complete
            | Method::SkillsList
            | Method::SkillsGet
            | Method::DirectoryRead
            | Method::Task(TaskMethod::Get | TaskMethod::Update | TaskMethod::Cancel) => {
                if let Method::Task(_) = self.method {
                    may_have_tasks(&self.read)?;
                }
                let logs = log_wish(&self.read)?;
                let client = Arc::new(ClientProfile::from_meta(version, &self.read.meta));
                let call = Call {
                    method: self.method.clone(),
                    params: self.request.params,
                    client: client.clone(),
                    read: self.read,
                    caller: caller.clone(),
                    logs,
                    expects: None,
                };
                let flow = hub.call(call);
                let reply = ModernReply {
                    id,
                    method: self.method,
                    client,
                    flow,
                    logs,
                    ttl_ms,
                };
                Ok(Reply::Modern(Box::new(reply)))
            }
            other => Err(answer::unknown_method(&other)),
        }
    }
}

/// Refuses clients that do not say that they know tasks (SEP-2663).
pub(super) fn may_have_tasks(read: &CallParams) -> Result<(), RpcError> {
    let capabilities = read.meta.client_capabilities.as_ref();
    let extensions = capabilities.and_then(|declared| declared.get("extensions"));
    if extensions.is_some_and(|extensions| extensions.get(TASKS).is_some()) {
        return Ok(());
    }
    let required = Json::object([(TASKS, &Json::from_static("{}"))]);
    let required = Json::object([("extensions", &required)]);
    let why = "the client did not declare the tasks extension";
    let error = RpcError::new(code::MISSING_CAPABILITY, why);
    Err(error.with_data(&Json::object([("requiredCapabilities", &required)])))
}

fn log_wish(read: &CallParams) -> Result<LogWish, RpcError> {
    let Some(level) = &read.meta.log_level else {
        return Ok(LogWish::Nothing);
    };
    let known = level.text().and_then(|level| LogLevel::parse(&level));
    known.map(LogWish::AtLeast).ok_or_else(|| {
        RpcError::new(
            code::INVALID_PARAMS,
            format!("the log level {level} is not known"),
        )
    })
}

/// The error for a revision that the mux does not speak (2026-07-28, "Protocol version negotiation").
fn unsupported(requested: &str) -> RpcError {
    #[derive(Serialize)]
    struct Data<'a> {
        supported: Vec<&'static str>,
        requested: &'a str,
    }
    let supported = ProtocolVersion::modern()
        .map(ProtocolVersion::as_str)
        .collect();
    RpcError::new(code::UNSUPPORTED_VERSION, "Unsupported protocol version").with_data(&Data {
        supported,
        requested,
    })
}
