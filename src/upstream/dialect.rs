//! The words of an era, towards a server. The only place that tells the eras apart.

use std::sync::Arc;

use http::HeaderMap;

use crate::catalog::Inventory;
use crate::protocol::{Era, LogWish, Outcome};
use crate::wire::{Json, Splice};

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
        let (params, headers) = match self {
            Self::Legacy(_) => (Legacy::params(outgoing, id), HeaderMap::new()),
            Self::Modern(modern) => (Some(Modern::params(outgoing, id)), modern.headers(outgoing)),
        };
        Draft {
            method: Arc::from(outgoing.method.as_str()),
            params,
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
    pub(super) fn plan(&self, outgoing: &Outgoing) -> Plan {
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

/// The client's params with members replaced and removed, and `_meta` edited. Params that need no change stay the same
/// bytes; params that are absent stay absent unless `_meta` gets members.
pub(super) fn edit_params(
    outgoing: &Outgoing,
    remove: &[&'static str],
    edit_meta: impl FnOnce(&mut Splice),
) -> Option<Json> {
    let empty = Json::from_static("{}");
    let params = outgoing.params.clone().unwrap_or_else(|| empty.clone());
    let Some(mut splice) = Splice::new(&params) else {
        // Not an object: the server may say what it thinks of that.
        return Some(params);
    };
    for (key, value) in &outgoing.replace {
        splice.set(*key, value.clone());
    }
    for key in remove {
        splice.remove(*key);
    }
    let old_meta = params.get("_meta");
    let mut meta = Splice::new(old_meta.as_ref().unwrap_or(&empty))?;
    edit_meta(&mut meta);
    let new_meta = meta.finish();
    let is_empty = new_meta.is_empty_object();
    match &old_meta {
        // What held nothing but words of the client's own era is not left behind as an empty shell.
        Some(old) if is_empty && old != &new_meta => {
            splice.remove("_meta");
        }
        None if is_empty => {}
        _ => {
            splice.set("_meta", new_meta);
        }
    }
    let edited = splice.finish();
    if outgoing.params.is_none() && edited == empty {
        None
    } else {
        Some(edited)
    }
}
