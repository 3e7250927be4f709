//! The modern dialect, towards a server: every request stands alone (from 2026-07-28).

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{HeaderName, HeaderValue};

use crate::catalog::Inventory;
use crate::protocol::{
    Era, HeaderText, Kind, LogWish, Method, Outcome, ParamHeaders, ProtocolVersion, Said, keys,
};
use crate::transport::Extra;
use crate::wire::{Json, Pieces, Splice};

use super::connection::header_value;
use super::dialect::edited_request;
use super::errand::Plan;
use super::http::PROTOCOL_VERSION;
use super::pending::UpstreamId;
use super::{Outgoing, UpstreamError};

const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// A server that takes every request by itself.
#[derive(Default)]
pub(super) struct Modern {
    /// Which arguments of which tool HTTP repeats, by the tool's original name.
    param_headers: ArcSwap<HashMap<String, ParamHeaders>>,
}

impl Modern {
    /// A request, with the metadata that every request carries.
    pub(super) fn request(outgoing: &Outgoing, id: UpstreamId) -> Pieces {
        let client = &outgoing.client;
        let token = outgoing.progress_token.as_ref().map(|_| id.to_json());
        let level = match outgoing.logs {
            LogWish::AtLeast(level) => Some(Json::string(level.as_str())),
            _ => None,
        };
        edited_request(outgoing, id, &[], |meta| {
            let own = meta.as_ref().and_then(Splice::new);
            if own.is_none() && token.is_none() && level.is_none() {
                return Some(client.introduction().clone());
            }
            let mut meta = own.or_else(|| Splice::new(client.introduction()))?;
            for (key, value) in client.introducing() {
                meta.set(key, value);
            }
            for (key, value) in [(keys::LOG_LEVEL, level), (keys::PROGRESS_TOKEN, token)] {
                match value {
                    Some(value) => meta.set(key, value),
                    None => meta.remove(key),
                };
            }
            Some(meta.finish())
        })
    }

    /// What HTTP repeats of the body (SEP-2243).
    pub(super) fn headers(&self, outgoing: &Outgoing) -> Extra {
        let mut headers = Extra::with_capacity(3);
        let version = HeaderValue::from_static(version().as_str());
        headers.push((PROTOCOL_VERSION, version));
        let method = match outgoing.method.known() {
            Some(known) => HeaderValue::from_static(known),
            None => header_value(&HeaderText::encode(outgoing.method.as_str())),
        };
        headers.push((METHOD, method));
        let Some(name) = &outgoing.name else {
            return headers;
        };
        if outgoing.method.name_member().is_none() {
            return headers;
        }
        headers.push((NAME, header_value(&HeaderText::encode(name))));
        if let Some(repeated) = self.param_headers.load().get(&**name) {
            for (header, value) in repeated.values(outgoing.arguments.as_ref()) {
                if let Ok(header) = HeaderName::try_from(header) {
                    headers.push((header, header_value(&value)));
                }
            }
        }
        headers
    }

    /// Whether the request may become a task that the client knows nothing of: a client of the other era cannot
    /// declare the extension, and the mux does it on its own account where the server insists (SEP-2663).
    pub(super) fn plan(outgoing: &Arc<Outgoing>) -> Plan {
        if outgoing.method == Method::ToolsCall && outgoing.client.version.era() == Era::Legacy {
            Plan::Refusal(outgoing.clone())
        } else {
            Plan::Outcome
        }
    }

    /// What a result means, by its `resultType`; without one it is complete.
    pub(super) fn outcome(result: Json) -> Result<Outcome, UpstreamError> {
        let kind = result.get("resultType");
        match kind
            .as_ref()
            .map(|kind| kind.text().unwrap_or_default())
            .as_deref()
        {
            None | Some("complete" | "task") => {
                Ok(Outcome::Complete(Said::by(Era::Modern, result)))
            }
            Some("input_required") => Ok(Outcome::InputRequired(result)),
            Some(other) => Err(UpstreamError::Broken(format!(
                "the server answered with the unknown result type `{}`",
                other.escape_debug()
            ))),
        }
    }

    /// Learns which arguments HTTP repeats. Returns the names of tools whose annotations break the rules,
    /// which must not be offered over HTTP, with the reason.
    pub(super) fn learn(&self, inventory: &Inventory) -> Vec<(String, String)> {
        let mut learnt = HashMap::new();
        let mut broken = Vec::new();
        for tool in inventory.entries(Kind::Tool) {
            let name = tool.key.as_str().to_owned();
            match ParamHeaders::of_tool(&tool.json) {
                Ok(headers) if headers.0.is_empty() => {}
                Ok(headers) => {
                    learnt.insert(name, headers);
                }
                Err(reason) => broken.push((name, reason)),
            }
        }
        self.param_headers.store(Arc::new(learnt));
        broken
    }

    /// Learns what another connection to the same server has learnt.
    pub(super) fn learn_from(&self, other: &Self) {
        self.param_headers.store(other.param_headers.load_full());
    }
}

/// The revision in which the mux writes modern requests.
pub(super) fn version() -> ProtocolVersion {
    ProtocolVersion::NEWEST_MODERN
}
