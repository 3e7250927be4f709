//! URLs that callers were asked to have visited, so that a server's word that one was reaches the right one
//! (2025-11-25, "Elicitation": `notifications/elicitation/complete`).

use indexmap::IndexMap;
use parking_lot::Mutex;

use crate::protocol::{InputRequest, RpcError, ServerName, code};
use crate::wire::Json;

use super::call::Caller;
use super::hub::Mux;
use super::notices::Notice;

/// How many visits are remembered; the oldest give way.
const MAX_VISITS: usize = 4_096;

/// Whose visit it is, by server and the server's id for it.
#[derive(Default)]
pub(super) struct Visits(Mutex<IndexMap<(ServerName, String), Caller>>);

impl Visits {
    fn remember(&self, server: &ServerName, elicitation: &Json, caller: &Caller) {
        let id = elicitation.get("elicitationId");
        let Some(id) = id.as_ref().and_then(Json::text) else {
            return;
        };
        let mut visits = self.0.lock();
        if visits.len() >= MAX_VISITS {
            // Half at once: shifting an ordered map is not free.
            visits.drain(..MAX_VISITS / 2);
        }
        visits.insert((server.clone(), id.into_owned()), caller.clone());
    }

    /// Remembers the visits that these questions ask for.
    pub(super) fn asked(&self, server: &ServerName, questions: &[InputRequest], caller: &Caller) {
        for question in questions {
            if let Some(params) = &question.params {
                self.remember(server, params, caller);
            }
        }
    }

    /// Remembers the visits that this error asks for, if it does.
    pub(super) fn required(&self, server: &ServerName, error: &Json, caller: &Caller) {
        if RpcError::code_of(error) != Some(code::URL_ELICITATION_REQUIRED) {
            return;
        }
        let all = error.get("data").and_then(|data| data.get("elicitations"));
        for elicitation in all.as_ref().and_then(Json::elements).unwrap_or_default() {
            self.remember(server, &elicitation, caller);
        }
    }

    fn take(&self, server: &ServerName, params: &Json) -> Option<Caller> {
        let id = params.get("elicitationId")?.text()?.into_owned();
        self.0.lock().shift_remove(&(server.clone(), id))
    }
}

impl Mux {
    /// Tells the caller that the visit is made, and nobody else.
    pub(super) fn visited(&self, server: &ServerName, params: &Json) {
        let Some(caller) = self.visits.take(server, params) else {
            return;
        };
        self.subscribers.each(|news| {
            let wanted = news.wanted.caller.as_ref() == Some(&caller);
            if wanted {
                news.queue(Notice::Visited(params.clone()));
            }
            wanted
        });
    }
}
