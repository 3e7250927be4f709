//! Skills of all servers (SEP-2640): one list, and where their files lead.
//!
//! A skill is a folder of resources. The folder keeps its URI, unless another server's skill has it already: then
//! the later one gets a scheme before it, in every URI below it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use parking_lot::Mutex;

use crate::catalog::{Route, scheme_safe};
use crate::protocol::{OriginalName, SKILLS, Said, ServerName};
use crate::wire::Json;

use super::call::Call;
use super::error::CallError;
use super::gather::{elements, on_one_page};
use super::hub::Mux;

/// How many folders are remembered; the files of others are found as those of any server.
const MAX_FOLDERS: usize = 16_384;
/// Longer URIs are nobody's.
const MAX_URI: usize = 8 * 1024;

/// The folders of all skills that were ever listed.
#[derive(Default)]
pub(super) struct Skills {
    folders: Mutex<Folders>,
    /// Whether any of them has another URI for clients: hardly ever, and then no result need be looked at.
    any_moved: AtomicBool,
}

#[derive(Default)]
struct Folders {
    /// By the URI that clients know, with a slash at its end.
    known: HashMap<String, Route>,
    public: HashMap<Route, String>,
}

impl Skills {
    /// Remembers the folder of a skill; `scheme` is set before its URI if another server has that already.
    fn learn(&self, route: Route, scheme: &str) {
        let mut folders = self.folders.lock();
        if folders.public.contains_key(&route) || folders.known.len() >= MAX_FOLDERS {
            return;
        }
        let original = route.original.as_str();
        let public = if folders.known.contains_key(original) {
            self.any_moved.store(true, Ordering::Relaxed);
            format!("{scheme}+{original}")
        } else {
            original.to_owned()
        };
        if !folders.known.contains_key(&public) {
            folders.known.insert(public.clone(), route.clone());
            folders.public.insert(route, public);
        }
    }

    /// The server and its own URI for a URI within a skill.
    pub(super) fn route(&self, uri: &str) -> Option<Route> {
        let folders = self.folders.lock();
        let (folder, rest) =
            folders_of(uri).find(|(folder, _)| folders.known.contains_key(*folder))?;
        let Route { server, original } = folders.known.get(folder)?;
        Some(Route {
            server: server.clone(),
            original: OriginalName::new(format!("{original}{rest}")),
        })
    }

    /// The URI that clients know for a URI of this server, if it is another one.
    pub(super) fn public(&self, server: &ServerName, uri: &str) -> Option<String> {
        let folders = self.folders.lock();
        folders_of(uri).find_map(|(folder, rest)| {
            let route = Route {
                server: server.clone(),
                original: OriginalName::new(folder),
            };
            let public = folders.public.get(&route)?;
            (public != folder).then(|| format!("{public}{rest}"))
        })
    }

    /// Whether no URI has another form for clients.
    pub(super) fn keep_uris(&self) -> bool {
        !self.any_moved.load(Ordering::Relaxed)
    }
}

/// The folders that a URI is in, the innermost first, and what follows them.
fn folders_of(uri: &str) -> impl Iterator<Item = (&str, &str)> {
    let short = if uri.len() <= MAX_URI { uri } else { "" };
    short
        .rmatch_indices('/')
        .map(|(at, _)| short.split_at(at + 1))
}

/// The skills of all servers that have any, on one page.
pub(super) async fn list(hub: &Mux, call: &Arc<Call>) -> Result<Said, CallError> {
    on_one_page(call)?;
    hub.first_lists().await;
    let upstreams = hub.pool.all();
    let servers = upstreams.values().filter(|upstream| {
        let features = upstream.status().features;
        features.extensions.contains_key(SKILLS)
    });
    let lists = join_all(servers.map(|upstream| async move {
        let server = &upstream.name;
        (upstream, elements(hub, call, server, "skills").await)
    }));
    let catalog = hub.catalog.load_full();
    let mut skills = Vec::new();
    for (upstream, listed) in lists.await {
        let server = &upstream.name;
        let config = upstream.config();
        let prefix = config.rules.prefix.as_deref();
        let prefix = prefix.filter(|prefix| !prefix.is_empty());
        let scheme = scheme_safe(prefix.unwrap_or(server.as_str()));
        for skill in listed {
            let uri = skill.get("uri");
            let Some(uri) = uri.as_ref().and_then(Json::text) else {
                continue;
            };
            if !catalog.may_read(server, &uri) {
                continue;
            }
            if let Some((folder, _)) = folders_of(&uri).next() {
                let route = Route {
                    server: server.clone(),
                    original: OriginalName::new(folder),
                };
                hub.skills.learn(route, &scheme);
            }
            skills.push(hub.with_public_uris(server, &call.method, skill));
        }
    }
    let body = Json::object([("skills", &Json::array(&skills))]);
    Ok(Said::by_mux(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(server: &str, uri: &str) -> Route {
        Route {
            server: ServerName::new(server),
            original: OriginalName::new(uri),
        }
    }

    #[test]
    fn files_lead_to_the_server_of_their_skill() {
        let skills = Skills::default();
        skills.learn(route("a", "skill://pdf/"), "a");
        assert!(skills.keep_uris());
        skills.learn(route("b", "skill://pdf/"), "b");
        skills.learn(route("b", "skill://pdf/deep/"), "b");
        for (uri, server, original) in [
            ("skill://pdf/SKILL.md", "a", "skill://pdf/SKILL.md"),
            ("skill://pdf/x/y.txt", "a", "skill://pdf/x/y.txt"),
            ("b+skill://pdf/x", "b", "skill://pdf/x"),
            ("skill://pdf/deep/", "b", "skill://pdf/deep/"),
        ] {
            assert_eq!(skills.route(uri), Some(route(server, original)), "{uri}");
        }
        assert_eq!(skills.route("skill://other/SKILL.md"), None);
        let public = |server, uri| skills.public(&ServerName::new(server), uri);
        assert_eq!(public("a", "skill://pdf/x"), None);
        assert_eq!(
            public("b", "skill://pdf/x").as_deref(),
            Some("b+skill://pdf/x")
        );
        assert!(!skills.keep_uris());
    }
}
