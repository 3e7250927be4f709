//! All pages of all lists of a server.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use tracing::warn;

use crate::catalog::{Inventory, RawEntry};
use crate::protocol::{Kind, Method, RpcError, ServerFeatures, code};
use crate::wire::Json;

use super::UpstreamError;
use super::connection::{Carrier, Connection};
use super::probe::ask;

/// How many pages one list may have.
const MAX_PAGES: usize = 1_000;
/// How many bytes one list may have.
const MAX_LIST_BYTES: usize = 256 * 1024 * 1024;

/// Fetches these lists anew and keeps the others of `old`. A list that cannot be fetched stays as it was;
/// only a lost link is an error.
pub(super) async fn fetch(
    connection: &Arc<Connection>,
    features: &ServerFeatures,
    kinds: &BTreeSet<Kind>,
    old: &Inventory,
) -> Result<Inventory, UpstreamError> {
    let mut inventory = old.clone();
    for kind in kinds {
        if !features.kinds.contains(kind) {
            continue;
        }
        match list(connection, *kind).await {
            Ok(pages) => {
                let (entries, dropped) = RawEntry::read_all(*kind, &pages);
                for problem in dropped {
                    warn!(upstream = %connection.server, "{problem}");
                }
                inventory.replace(*kind, entries);
                inventory.set_hints(*kind, &pages);
            }
            Err(error @ (UpstreamError::Lost | UpstreamError::SessionLost)) => return Err(error),
            Err(UpstreamError::Answered(error)) if not_offered(*kind, &error.json) => {}
            Err(error) => {
                let list = kind.list_member();
                warn!(upstream = %connection.server, %error, "the list of {list} could not be fetched");
            }
        }
    }
    let broken = connection
        .dialect()
        .map(|dialect| dialect.learn(&inventory))
        .unwrap_or_default();
    // Only HTTP repeats arguments in headers, and only there a broken annotation does harm (SEP-2243).
    if let Carrier::Http(_) = &connection.carrier {
        for (name, reason) in &broken {
            warn!(upstream = %connection.server, name, "a tool is not offered: {reason}");
        }
        if !broken.is_empty() {
            let is_sound =
                |tool: &RawEntry| broken.iter().all(|(name, _)| name != tool.key.as_str());
            let sound = inventory
                .entries(Kind::Tool)
                .iter()
                .filter(|tool| is_sound(tool))
                .cloned();
            let sound = sound.collect();
            inventory.replace(Kind::Tool, sound);
        }
    }
    Ok(inventory)
}

/// Many servers with resources have no templates, and say so by not knowing the method.
fn not_offered(kind: Kind, error: &Json) -> bool {
    kind == Kind::Template && RpcError::code_of(error) == Some(code::METHOD_NOT_FOUND)
}

/// The result objects of all pages of one list.
async fn list(connection: &Arc<Connection>, kind: Kind) -> Result<Vec<Json>, UpstreamError> {
    let mut pages: Vec<Json> = Vec::new();
    let mut seen = HashSet::new();
    let mut bytes = 0;
    let mut cursor: Option<Json> = None;
    loop {
        let params = cursor
            .as_ref()
            .map(|cursor| Json::object([("cursor", cursor)]));
        let page = ask(connection, Method::List(kind), params)
            .await?
            .result()
            .await?;
        bytes += page.len();
        cursor = page
            .get("nextCursor")
            .filter(|cursor| cursor.text().is_some());
        pages.push(page);
        let Some(next) = &cursor else {
            return Ok(pages);
        };
        if !seen.insert(next.detached()) {
            return Err(UpstreamError::Broken(
                "the pages of a list go round in a circle".into(),
            ));
        }
        if pages.len() >= MAX_PAGES || bytes >= MAX_LIST_BYTES {
            return Err(UpstreamError::Broken("a list does not end".into()));
        }
    }
}
