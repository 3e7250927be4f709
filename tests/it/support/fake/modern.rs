//! The words of 2026-07-28.

use std::sync::Arc;

use serde_json::{Value, json};

use super::builder::Probe;
use super::call::Call;
use super::reply::Reply;
use super::state::Stream;
use super::strict;
use crate::support::{Era, MODERN};

pub(super) fn discover(call: &Call) -> Reply {
    let fake = &call.state.fake;
    if !fake.eras.contains(&Era::Modern) {
        return match fake.probe {
            Probe::Code(code) => Reply::error(code, "Method not found"),
            Probe::Status(status) => {
                let _ = call.sink.refuse(status, b"Bad Request: no session");
                Reply::Nothing
            }
            Probe::Silence => Reply::Nothing,
        };
    }
    let offered = call.state.with(|inner| inner.offer.capabilities());
    let result = json!({
        "supportedVersions": [MODERN],
        "capabilities": fake.capabilities.clone().unwrap_or(offered),
        "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "fake", "version": "1.0"}},
    });
    Reply::raw(cacheable(call, &result.to_string()))
}

/// Acknowledges what was asked for and keeps the stream.
pub(super) fn listen(call: &Call) -> Reply {
    let (id, filter) = (call.flight.id.clone(), call.msg.get("params/notifications"));
    let subscription: Value = serde_json::from_str(&id).expect("an id is JSON");
    let acknowledged = json!({
        "_meta": {"io.modelcontextprotocol/subscriptionId": subscription},
        "notifications": filter,
    });
    let stream = Stream {
        link: call.flight.link,
        sink: Arc::clone(&call.sink),
        listen: Some((id, filter)),
    };
    // In one moment: once the mux has the acknowledgement, it gives up an older stream.
    call.state.with(|inner| {
        call.notify("notifications/subscriptions/acknowledged", &acknowledged);
        inner.streams.push(stream);
    });
    Reply::Nothing
}

/// Says that a result is complete unless its text says what it is.
pub(super) fn typed(result: String) -> String {
    if result.contains("\"resultType\"") {
        return result;
    }
    prefixed(&result, r#""resultType":"complete""#)
}

/// Adds the caching hints that modern lists and reads must have.
pub(super) fn cacheable(call: &Call, result: &str) -> String {
    match strict::era(&call.msg) {
        Era::Legacy => result.to_owned(),
        Era::Modern => prefixed(result, r#""ttlMs":500,"cacheScope":"public""#),
    }
}

fn prefixed(object: &str, members: &str) -> String {
    let rest = object
        .trim_start()
        .strip_prefix('{')
        .expect("a result is an object");
    let comma = if rest.trim_start().starts_with('}') {
        ""
    } else {
        ","
    };
    format!("{{{members}{comma}{rest}")
}

/// The HTTP status that a modern error object asks for.
pub(super) fn status(call: &Call, error: &str) -> Option<u16> {
    if strict::era(&call.msg) == Era::Legacy || !call.state.fake.eras.contains(&Era::Modern) {
        return None;
    }
    let error: Value = serde_json::from_str(error).ok()?;
    match error["code"].as_i64()? {
        -32601 => Some(404),
        -32022..=-32020 => Some(400),
        _ => None,
    }
}
