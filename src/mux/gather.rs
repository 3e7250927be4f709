//! Lists that are asked for when a client wants them, of several servers at once.

use std::sync::Arc;

use tokio::time::timeout_at;

use crate::protocol::{Outcome, ServerName};
use crate::upstream::Step;
use crate::wire::Json;

use super::call::Call;
use super::error::CallError;
use super::forward::{Repeatable, plain, start};
use super::hub::Mux;

/// How many pages of one server's list are looked at.
const MAX_PAGES: usize = 64;

/// All elements of one server's list, as far as it tells them; `member` is that of the result which holds them.
pub(super) async fn elements(
    hub: &Mux,
    call: &Arc<Call>,
    server: &ServerName,
    member: &str,
) -> Vec<Json> {
    let mut all = Vec::new();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let Some(page) = page(hub, call, server, cursor).await else {
            break;
        };
        all.extend(
            page.get(member)
                .and_then(|list| list.elements())
                .into_iter()
                .flatten(),
        );
        cursor = page.get("nextCursor").filter(|next| next.text().is_some());
        if cursor.is_none() {
            break;
        }
    }
    all
}

async fn page(
    hub: &Mux,
    call: &Arc<Call>,
    server: &ServerName,
    cursor: Option<Json>,
) -> Option<Json> {
    let mut outgoing = plain(call);
    outgoing
        .replace
        .extend(cursor.map(|cursor| ("cursor", cursor)));
    let started = start(hub, call, server, Arc::new(outgoing), Repeatable::Yes).await;
    let mut running = started.ok()?;
    let deadline = running.deadline;
    let ending = async {
        loop {
            match running.errand.step().await {
                Ok(Step::Done(Outcome::Complete(said))) => return Some(said.json),
                Ok(Step::Event(_)) => {}
                _ => return None,
            }
        }
    };
    timeout_at(deadline, ending).await.ok().flatten()
}

/// Such a list comes on one page: no cursor was ever given out.
pub(super) fn on_one_page(call: &Call) -> Result<(), CallError> {
    match call.read.cursor {
        None => Ok(()),
        Some(_) => Err(CallError::BadParams(
            "the cursor is not one that this list gave out".to_owned(),
        )),
    }
}
