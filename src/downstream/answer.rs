//! Results and errors, put into the words of a client's era.

use crate::mux::CallError;
use crate::protocol::{CacheScope, ClientProfile, Era, Hints, Method, RpcError, Said, code, keys};
use crate::wire::{Json, JsonKind, RequestId, Response, Splice};

use super::reply::Last;
use super::visits::{self, Visits};

/// What decides how a modern client is answered.
pub(super) struct Wants<'a> {
    /// What it asked for.
    pub(super) method: &'a Method,
    /// What it can do.
    pub(super) client: &'a ClientProfile,
    /// How long it may keep the mux's own lists, in milliseconds.
    pub(super) ttl_ms: u64,
}

/// The response to a modern client.
pub(super) fn modern(id: &RequestId, wants: &Wants<'_>, outcome: Result<Said, CallError>) -> Last {
    let failed = match outcome {
        Ok(said) => return modern_result(id, wants, said),
        Err(failed) => failed,
    };
    if let CallError::Answered {
        server,
        said,
        lacking,
    } = &failed
        && said.era == Some(Era::Legacy)
    {
        return match visits::asked(&said.json, server, wants) {
            Some(Visits::Needed(asks)) => result(id, asks),
            Some(Visits::Impossible(required)) => error(id, &missing(&said.json, &required)),
            None => match lacking {
                Some(required) => error(id, &missing(&said.json, required)),
                None => refusal(id, modern_error(said.json.clone())),
            },
        };
    }
    refusal(id, failed.to_rpc().0)
}

/// The server could not do without asking, and the client cannot be asked (2026-07-28, "Capabilities").
fn missing(said: &Json, required: &Json) -> RpcError {
    let message = said.get("message");
    let message = message.as_ref().and_then(Json::text);
    let message = message.unwrap_or("the client lacks a capability that this request needs".into());
    RpcError::new(code::MISSING_CAPABILITY, message)
        .with_data(&Json::object([("requiredCapabilities", required)]))
}

/// Adds what every modern result has (2026-07-28, "Results" and "Caching") to one that was not said in
/// modern words.
fn modern_result(id: &RequestId, wants: &Wants<'_>, said: Said) -> Last {
    if said.era == Some(Era::Modern) {
        return result(id, said.json);
    }
    let Some(mut splice) = Splice::new(&said.json) else {
        return result(id, said.json);
    };
    let has = |key| splice.get(key).is_some();
    let (has_type, has_ttl, has_scope) = (has("resultType"), has("ttlMs"), has("cacheScope"));
    if !has_type {
        splice.set("resultType", Json::from_static("\"complete\""));
    }
    if wants.method.is_cacheable() {
        // What a server did not call fresh is stale at once; our own lists are fresh for as long as set.
        let ttl_ms = if said.era.is_none() { wants.ttl_ms } else { 0 };
        let hints = said.hints.unwrap_or(Hints {
            ttl_ms,
            scope: CacheScope::Private,
        });
        if !has_ttl {
            splice.set("ttlMs", Json::encode(&hints.ttl_ms));
        }
        if !has_scope {
            splice.set("cacheScope", Json::string(hints.scope.as_str()));
        }
    }
    edited(id, &splice)
}

/// "Resource not found" has another code since 2026-07-28, and the old one must not appear there.
fn modern_error(error: Json) -> Json {
    match RpcError::code_of(&error) {
        Some(code::LEGACY_RESOURCE_NOT_FOUND) => with_code(&error, code::INVALID_PARAMS),
        _ => error,
    }
}

/// The response to a legacy client; a question is not answered here.
pub(super) fn legacy(id: &RequestId, method: &Method, outcome: Result<Said, CallError>) -> Last {
    match outcome {
        Ok(said) => legacy_result(id, method, said),
        Err(failed) => match failed.to_rpc() {
            (error, Some(Era::Modern)) => refusal(id, legacy_error(method, error)),
            (error, _) => refusal(id, error),
        },
    }
}

/// Takes away what only modern results have.
fn legacy_result(id: &RequestId, method: &Method, said: Said) -> Last {
    if said.era != Some(Era::Modern) {
        return result(id, said.json);
    }
    let Some(mut splice) = Splice::new(&said.json) else {
        return result(id, said.json);
    };
    splice.remove("resultType");
    if *method == Method::ToolsCall {
        without_odd_structure(&mut splice);
    }
    if method.is_cacheable() {
        splice.remove("ttlMs").remove("cacheScope");
    }
    let meta = splice.get("_meta");
    if let Some(mut meta) = meta.as_ref().and_then(Splice::new)
        && meta.remove(keys::SERVER_INFO).changes()
    {
        if meta.is_empty() {
            splice.remove("_meta");
        } else {
            splice.set("_meta", meta.finish());
        }
    }
    edited(id, &splice)
}

/// Structured content was an object, up to 2025-11-25. Where it is something else and there is nothing beside it, it
/// is given as text (SEP-2106).
fn without_odd_structure(splice: &mut Splice) {
    let Some(structured) = splice.get("structuredContent") else {
        return;
    };
    if structured.kind() == JsonKind::Object {
        return;
    }
    splice.remove("structuredContent");
    let content = splice.get("content").and_then(|content| content.elements());
    if content.is_none_or(|content| content.is_empty()) {
        let text = Json::string(&structured.to_string());
        let item = Json::object([("type", &Json::from_static("\"text\"")), ("text", &text)]);
        splice.set("content", Json::array([&item]));
    }
}

fn legacy_error(method: &Method, error: Json) -> Json {
    match RpcError::code_of(&error) {
        Some(code::INVALID_PARAMS) if *method == Method::ResourcesRead => {
            with_code(&error, code::LEGACY_RESOURCE_NOT_FOUND)
        }
        // These are about the conversation between the mux and the server, which the client has no part in.
        Some(code::HEADER_MISMATCH | code::UNSUPPORTED_VERSION) => with_code(&error, code::BROKEN),
        _ => error,
    }
}

fn with_code(error: &Json, code: i64) -> Json {
    let Some(mut splice) = Splice::new(error) else {
        return error.clone();
    };
    splice.set("code", Json::encode(&code));
    splice.finish()
}

/// A response with a result.
pub(super) fn result(id: &RequestId, json: Json) -> Last {
    let response = Response {
        id: Some(id.clone()),
        body: Ok(json),
    };
    Last {
        message: response.pieces(),
        error: None,
    }
}

fn edited(id: &RequestId, splice: &Splice) -> Last {
    Last {
        message: Response::pieces_of_edited(id, splice),
        error: None,
    }
}

/// A response with an error object.
pub(super) fn refusal(id: &RequestId, error: Json) -> Last {
    let code = RpcError::code_of(&error);
    let response = Response {
        id: Some(id.clone()),
        body: Err(error),
    };
    Last {
        message: response.pieces(),
        error: code,
    }
}

/// A response with an error of the mux itself.
pub(super) fn error(id: &RequestId, error: &RpcError) -> Last {
    refusal(id, error.to_json())
}

/// The error for a method that this era does not have.
pub(super) fn unknown_method(method: &Method) -> RpcError {
    RpcError::new(
        code::METHOD_NOT_FOUND,
        format!("method `{method}` is not known"),
    )
}
