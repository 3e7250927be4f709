//! The modern dialect over HTTP: headers that repeat the body, and status codes
//! (2026-07-28, "Streamable HTTP").

use bytes::Bytes;
use futures_util::stream::unfold;
use http::{HeaderName, StatusCode};

use crate::mux::{Caller, Hub};
use crate::protocol::{CallParams, HeaderText, Method, ParamHeaders, RpcError, code};
use crate::transport::HttpReply;
use crate::wire::{Json, Request};

use super::headers::{Accepts, Headers, METHOD, NAME, PROTOCOL_VERSION};
use super::http::{Opened, events, response};
use super::modern::ModernRequest;
use super::reply::{Item, Last, Reply};
use super::{answer, sse};

/// Serves modern clients.
pub(super) struct ModernHttp {
    hub: Hub,
    caller: Caller,
}

impl ModernHttp {
    pub(super) fn new(hub: Hub) -> Self {
        Self {
            hub,
            caller: Caller::anonymous(),
        }
    }

    pub(super) fn request(
        &self,
        headers: &Headers<'_>,
        request: Request,
        read: Box<CallParams>,
    ) -> Opened<'static> {
        let id = request.id.clone();
        let opened = ModernRequest::read(request, read).and_then(|request| {
            self.check(headers, &request)?;
            request.open(&self.hub, &self.caller)
        });
        match opened {
            Ok(reply) => {
                let answer = answer_with(reply, headers.accepts());
                Opened::Apart(Box::pin(answer))
            }
            Err(error) => {
                let status = match error.code {
                    code::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
                    _ => StatusCode::BAD_REQUEST,
                };
                Opened::now(response(status, answer::error(&id, &error)))
            }
        }
    }

    /// Refuses headers that do not agree with the body (SEP-2243).
    fn check(&self, headers: &Headers<'_>, request: &ModernRequest) -> Result<(), RpcError> {
        agree(headers.version(), &PROTOCOL_VERSION, &request.version)?;
        agree(headers.method(), &METHOD, &request.request.method)?;
        let named = match request.method.name_member() {
            Some("name") => request.read.name.as_ref(),
            Some("uri") => request.read.uri.as_ref(),
            Some(_) => request.read.task_id.as_ref(),
            None => None,
        };
        if let Some(name) = named.and_then(Json::text) {
            let header = headers.name().ok_or_else(|| missing(&NAME))?;
            if HeaderText::decode(header).as_deref() != Some(name.as_ref()) {
                return Err(mismatch(NAME.as_str()));
            }
            if request.method == Method::ToolsCall {
                self.check_params(headers, &name, request.read.arguments.as_ref())?;
            }
        }
        Ok(())
    }

    /// Refuses `Mcp-Param-…` headers that do not agree with the arguments that they repeat.
    fn check_params(
        &self,
        headers: &Headers<'_>,
        tool: &str,
        arguments: Option<&Json>,
    ) -> Result<(), RpcError> {
        let Some(definition) = self.hub.tool(tool) else {
            return Ok(());
        };
        let Ok(repeated) = ParamHeaders::of_tool(&definition) else {
            return Ok(());
        };
        for param in &repeated.0 {
            let Some(body) = param.body_text(arguments) else {
                continue;
            };
            let Ok(name) = HeaderName::try_from(&param.header) else {
                continue;
            };
            let header = headers.get(&name).ok_or_else(|| missing(&name))?;
            if !param.agrees(header, &body) {
                return Err(mismatch(&param.header));
            }
        }
        Ok(())
    }
}

fn agree(header: Option<&str>, name: &HeaderName, body: &str) -> Result<(), RpcError> {
    let header = header.ok_or_else(|| missing(name))?;
    if header == body {
        Ok(())
    } else {
        Err(mismatch(name.as_str()))
    }
}

fn missing(header: &HeaderName) -> RpcError {
    RpcError::new(
        code::HEADER_MISMATCH,
        format!("Header mismatch: `{header}` is missing"),
    )
}

fn mismatch(header: &str) -> RpcError {
    let why = format!("Header mismatch: `{header}` does not agree with the body");
    RpcError::new(code::HEADER_MISMATCH, why)
}

/// The answer: one JSON message if nothing precedes the response, else a stream of events.
async fn answer_with(mut reply: Reply, accepts: Accepts) -> HttpReply {
    loop {
        match reply.next().await {
            Item::Last(last) => return one(last),
            Item::Cancelled => return HttpReply::empty(StatusCode::ACCEPTED),
            Item::Message(first) if accepts.events => return stream(first, reply),
            // The client takes no stream: it gets the response alone.
            Item::Message(_) => {}
        }
    }
}

fn one(last: Last) -> HttpReply {
    let status = match last.error {
        Some(code::METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        Some(code) if code::is_modern_refusal(code) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    response(status, last)
}

fn stream(first: Bytes, reply: Reply) -> HttpReply {
    let state = (Some(first), Some(reply));
    events(unfold(state, |(first, reply)| async move {
        if let Some(first) = first {
            return Some((sse::message(first, None), (None, reply)));
        }
        let mut reply = reply?;
        match reply.next().await {
            Item::Message(frame) => Some((sse::message(frame, None), (None, Some(reply)))),
            Item::Last(last) => Some((sse::message(last.frame(), None), (None, None))),
            Item::Cancelled => None,
        }
    }))
}
