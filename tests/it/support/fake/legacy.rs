//! The words of the revisions with a handshake.

use std::sync::Arc;

use serde_json::json;

use super::brain::Origin;
use super::call::Call;
use super::reply::Reply;
use super::state::{Sink, State, Stream};
use super::strict;
use crate::support::{Era, Pipe};

pub(super) fn initialize(call: &Call) -> Reply {
    let fake = &call.state.fake;
    if !fake.eras.contains(&Era::Legacy) {
        return Reply::Error(strict::unsupported(&call.msg.str("params/protocolVersion")));
    }
    let offered = call.state.with(|inner| inner.offer.capabilities());
    let result = json!({
        "protocolVersion": fake.version,
        "capabilities": fake.capabilities.clone().unwrap_or(offered),
        "serverInfo": {"name": "fake", "version": "1.0"},
    });
    Reply::from(result)
}

/// From here on the server may speak unasked; but over streamable HTTP that is on the link itself.
pub(super) fn initialized(state: &Arc<State>, origin: &Origin, sink: Arc<dyn Sink>) {
    state.with(|inner| {
        inner
            .sessions
            .entry(origin.scope.clone())
            .or_default()
            .initialized = true;
        if state.pipe != Pipe::Http {
            inner.streams.push(Stream {
                link: origin.link,
                sink,
                listen: None,
            });
        }
    });
}
