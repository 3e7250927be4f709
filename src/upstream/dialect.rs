//! The words of an era, towards a server. The only place that tells the eras apart.

use std::sync::Arc;

use crate::catalog::Inventory;
use crate::protocol::{Era, LogWish, Outcome};
use crate::transport::Extra;
use crate::wire::{Json, Pieces, Request, RequestId, Splice};

use super::connection::{CancelStyle, Carrier, Draft};
use super::errand::Plan;
use super::legacy::Legacy;
use super::modern::Modern;
use super::pending::{Logs, UpstreamId};
use super::{Outgoing, UpstreamError};

/// How a server is spoken to.
pub(super) enum Dialect {
    /// With a handshake behind us.
    Legacy(Legacy),
    /// With metadata on every request.
    Modern(Modern),
}

impl Dialect {
    /// The era.
    pub(super) fn era(&self) -> Era {
        match self {
            Self::Legacy(_) => Era::Legacy,
            Self::Modern(_) => Era::Modern,
        }
    }

    /// Puts a request into the server's words.
    pub(super) fn draft(&self, outgoing: &Outgoing, id: UpstreamId, carrier: &Carrier) -> Draft {
        let frame = match self {
            Self::Legacy(_) => Legacy::request(outgoing, id),
            Self::Modern(_) => Modern::request(outgoing, id),
        };
        let headers = match (self, carrier) {
            (Self::Modern(modern), Carrier::Http(_)) => modern.headers(outgoing),
            _ => Extra::new(),
        };
        Draft {
            frame,
            headers,
            cancel: self.cancel_style(carrier),
        }
    }

    /// What the server says in log messages about a request whose client wants these. A legacy server knows no
    /// requests there; a modern one must not say anything unless asked.
    pub(super) fn logs(&self, wish: LogWish) -> Logs {
        match (self, wish) {
            (Self::Legacy(_), LogWish::Nothing) => Logs::Unwanted,
            (Self::Legacy(_), _) | (Self::Modern(_), LogWish::AtLeast(_)) => Logs::Wanted,
            (Self::Modern(_), _) => Logs::None,
        }
    }

    /// What a result means.
    pub(super) fn outcome(&self, result: Json) -> Result<Outcome, UpstreamError> {
        match self {
            Self::Legacy(_) => Ok(Legacy::outcome(result)),
            Self::Modern(_) => Modern::outcome(result),
        }
    }

    /// What to make of the answer to a request.
    pub(super) fn plan(&self, outgoing: &Arc<Outgoing>) -> Plan {
        match self {
            Self::Legacy(legacy) => legacy.plan(outgoing),
            Self::Modern(_) => Modern::plan(outgoing),
        }
    }

    /// Learns what the server's tools want of those who call them. Returns the names of tools whose annotations break
    /// the rules, with the reason: they must not be offered over HTTP.
    pub(super) fn learn(&self, inventory: &Inventory) -> Vec<(String, String)> {
        match self {
            Self::Legacy(legacy) => {
                legacy.learn(inventory);
                Vec::new()
            }
            Self::Modern(modern) => modern.learn(inventory),
        }
    }

    /// Learns what the connection that fetched the lists has learnt of them.
    pub(super) fn learn_from(&self, first: &Self) {
        match (self, first) {
            (Self::Legacy(own), Self::Legacy(first)) => own.learn_from(first),
            (Self::Modern(own), Self::Modern(first)) => own.learn_from(first),
            _ => {}
        }
    }

    fn cancel_style(&self, carrier: &Carrier) -> CancelStyle {
        match (self, carrier) {
            (Self::Modern(_), Carrier::Http(_)) => CancelStyle::CloseStream,
            _ => CancelStyle::Notify,
        }
    }
}

/// The request, its params with members replaced and removed, and with what becomes of `_meta`: `None` for none at all.
/// Params that are absent stay absent unless they get members.
pub(super) fn edited_request(
    outgoing: &Outgoing,
    id: UpstreamId,
    remove: &[&str],
    edit_meta: impl FnOnce(Option<Json>) -> Option<Json>,
) -> Pieces {
    let (id, method) = (RequestId::from(id.0), outgoing.method.as_str());
    let empty = Json::from_static("{}");
    let params = outgoing.params.as_ref().unwrap_or(&empty);
    let Some(mut splice) = Splice::new(params) else {
        // Not an object: the server may say what it thinks of that.
        return Request::frame(&id, method, Some(params)).into();
    };
    for (key, value) in &outgoing.replace {
        splice.set(*key, value.clone());
    }
    for key in remove {
        splice.remove(key);
    }
    match edit_meta(splice.get("_meta")) {
        Some(meta) => splice.set("_meta", meta),
        None => splice.remove("_meta"),
    };
    if outgoing.params.is_none() && !splice.changes() {
        Request::frame(&id, method, None).into()
    } else {
        Request::pieces_of_edited(&id, method, &splice)
    }
}
