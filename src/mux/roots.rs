//! The roots of callers, outside any call.

use std::sync::Arc;

use crate::upstream::RootsWanted;

use super::call::Caller;
use super::hub::Mux;
use super::notices::{Notice, Roots};

impl Mux {
    /// Has the caller asked whose roots a server wants to know.
    pub(super) fn roots_wanted(&self, wanted: RootsWanted) {
        let mut wanted = Some(wanted);
        self.subscribers.each(|news| {
            let caller = news.wanted.caller.as_ref();
            let is_meant = news.wanted.roots == Roots::Told
                && wanted.as_ref().map(|wanted| &wanted.party)
                    == caller.and_then(Caller::party).as_ref();
            match wanted.take_if(|_| is_meant) {
                Some(wanted) => {
                    news.queue(Notice::RootsWanted(wanted));
                    true
                }
                None => false,
            }
        });
    }

    /// A caller's roots are different now. Tells those servers that have a connection for this caller alone.
    pub fn roots_changed(self: &Arc<Self>, caller: &Caller) {
        let Some(party) = caller.party() else { return };
        for upstream in self.pool.all().values() {
            let (upstream, party) = (upstream.clone(), party.clone());
            self.tracker
                .spawn(async move { upstream.roots_changed(&party).await });
        }
    }
}
