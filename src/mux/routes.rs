//! Routes that do not come from lists: links that servers gave out.

use indexmap::IndexMap;
use parking_lot::Mutex;

use crate::protocol::ServerName;

/// How many routes of one sort are remembered; the oldest give way.
const MAX_ROUTES: usize = 65_536;

/// Which server a URI belongs to, as far as it is remembered.
#[derive(Default)]
pub(super) struct Learned(Mutex<IndexMap<String, ServerName>>);

impl Learned {
    /// Remembers whom this key belongs to.
    pub(super) fn learn(&self, key: &str, server: &ServerName) {
        let mut routes = self.0.lock();
        if routes.len() >= MAX_ROUTES && !routes.contains_key(key) {
            // Half at once: shifting an ordered map is not free.
            routes.drain(..MAX_ROUTES / 2);
        }
        routes.insert(key.to_owned(), server.clone());
    }

    /// Whom this key belongs to.
    pub(super) fn owner(&self, key: &str) -> Option<ServerName> {
        self.0.lock().get(key).cloned()
    }
}
