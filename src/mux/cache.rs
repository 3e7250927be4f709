//! Results of `resources/read` that are kept for as long as their servers allow (2026-07-28, "Caching").

use std::collections::HashMap;

use indexmap::IndexMap;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::catalog::Route;
use crate::protocol::{CacheScope, Hints, Method, OriginalName, Outcome, Said, ServerName};
use crate::wire::{Json, Splice};

use super::call::{Call, Caller};

/// The most results that are kept.
const MAX_RESULTS: usize = 4_096;
/// What a result costs beside its own bytes and those of its URI.
const OVERHEAD: usize = 256;

/// The results.
pub(super) struct Cache {
    /// How many bytes they may have together; 0: nothing is kept.
    size: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The oldest first.
    results: IndexMap<Key, Fresh>,
    bytes: usize,
    /// How often what was read of a server went stale.
    stale: HashMap<ServerName, u64>,
}

/// What was read, and by whom if nobody else may have it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    route: Route,
    caller: Option<Caller>,
}

struct Fresh {
    said: Said,
    since: Instant,
    ttl_ms: u64,
}

/// The right to keep the result of one read, and to be given what was kept of it.
pub(super) struct Ticket {
    route: Route,
    /// `None`: it could be anybody.
    caller: Option<Caller>,
    stale: u64,
}

impl Cache {
    /// Keeps results of so many bytes together.
    pub(super) fn new(size: usize) -> Self {
        Self {
            size,
            kept: Mutex::default(),
        }
    }

    /// A ticket for this call; nothing if its answer may depend on more than the resource and who asks.
    pub(super) fn ticket(
        &self,
        call: &Call,
        server: &ServerName,
        original: &OriginalName,
    ) -> Option<Ticket> {
        let is_plain = |params: &Json| {
            let known = |key: &[u8]| key == b"uri" || key == b"_meta";
            params.entries().all(|entry| known(&entry.key()))
        };
        if self.size == 0
            || call.method != Method::ResourcesRead
            || call.expects.is_some()
            || !call.params.as_ref().is_some_and(is_plain)
        {
            return None;
        }
        let stale = self.kept.lock().staleness(server);
        Some(Ticket {
            route: Route {
                server: server.clone(),
                original: original.clone(),
            },
            caller: call.caller.party().map(|_| call.caller.clone()),
            stale,
        })
    }

    /// What was kept, with the time that is left of it.
    pub(super) fn get(&self, ticket: &Ticket) -> Option<Said> {
        let mut kept = self.kept.lock();
        let own = ticket
            .caller
            .as_ref()
            .and_then(|_| ticket.key(CacheScope::Private));
        for key in own.into_iter().chain(ticket.key(CacheScope::Public)) {
            let Some(fresh) = kept.results.get(&key) else {
                continue;
            };
            let age = u64::try_from(fresh.since.elapsed().as_millis()).unwrap_or(u64::MAX);
            let left = fresh.ttl_ms.saturating_sub(age);
            if left > 0 {
                return with_ttl(&fresh.said, left);
            }
            kept.remove(&key);
        }
        None
    }

    /// Keeps an outcome, if its server allows that and nothing went stale since the ticket was taken.
    pub(super) fn put(&self, ticket: &Ticket, outcome: &Outcome) {
        let Outcome::Complete(said) = outcome else {
            return;
        };
        let Hints { ttl_ms, scope } = Hints::read(&said.json);
        let Some(key) = ticket.key(scope).filter(|_| ttl_ms > 0) else {
            return;
        };
        let fresh = Fresh {
            said: Said {
                json: said.json.detached(),
                ..said.clone()
            },
            since: Instant::now(),
            ttl_ms,
        };
        let mut kept = self.kept.lock();
        let cost = cost(&key, &fresh);
        if cost > self.size || kept.staleness(&key.route.server) != ticket.stale {
            return;
        }
        kept.remove(&key);
        while kept.bytes + cost > self.size || kept.results.len() >= MAX_RESULTS {
            kept.remove_oldest();
        }
        kept.bytes += cost;
        kept.results.insert(key, fresh);
    }

    /// A resource has changed.
    pub(super) fn updated(&self, server: &ServerName, original: &str) {
        self.forget(server, |route| route.original.as_str() == original);
    }

    /// All that was read of a server may have changed.
    pub(super) fn outdated(&self, server: &ServerName) {
        self.forget(server, |_| true);
    }

    /// What is being read now is not kept either: nobody knows which came first.
    fn forget(&self, server: &ServerName, is_meant: impl Fn(&Route) -> bool) {
        if self.size == 0 {
            return;
        }
        let mut kept = self.kept.lock();
        *kept.stale.entry(server.clone()).or_default() += 1;
        let mut freed = 0;
        kept.results.retain(|key, fresh| {
            let goes = key.route.server == *server && is_meant(&key.route);
            freed += if goes { cost(key, fresh) } else { 0 };
            !goes
        });
        kept.bytes -= freed;
    }
}

impl Kept {
    fn staleness(&self, server: &ServerName) -> u64 {
        self.stale.get(server).copied().unwrap_or(0)
    }

    fn remove(&mut self, key: &Key) {
        if let Some(fresh) = self.results.shift_remove(key) {
            self.bytes -= cost(key, &fresh);
        }
    }

    fn remove_oldest(&mut self) {
        if let Some((key, fresh)) = self.results.shift_remove_index(0) {
            self.bytes -= cost(&key, &fresh);
        }
    }
}

impl Ticket {
    /// Where a result of this scope is kept; nowhere if it belongs to somebody and nobody knows to whom.
    fn key(&self, scope: CacheScope) -> Option<Key> {
        let caller = match scope {
            CacheScope::Public => None,
            CacheScope::Private => Some(self.caller.clone()?),
        };
        Some(Key {
            route: self.route.clone(),
            caller,
        })
    }
}

/// How many bytes a result takes.
fn cost(key: &Key, fresh: &Fresh) -> usize {
    key.route.original.as_str().len() + fresh.said.json.len() + OVERHEAD
}

/// The result, byte for byte but for the time that it stays fresh.
fn with_ttl(said: &Said, ttl_ms: u64) -> Option<Said> {
    let mut splice = Splice::new(&said.json)?;
    splice.set(Hints::TTL, Json::encode(&ttl_ms));
    Some(Said {
        json: splice.finish(),
        ..said.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(text: &str, hints: &str) -> Outcome {
        let json = Json::parse(format!(r#"{{"text":"{text}",{hints}}}"#)).expect("JSON");
        Outcome::Complete(Said::by_mux(json))
    }

    fn ticket(cache: &Cache, uri: &str, caller: Caller) -> Ticket {
        let params = Json::object([("uri", &Json::string(uri))]);
        let call = Call {
            caller,
            ..Call::plain(Method::ResourcesRead, params)
        };
        let ticket = cache.ticket(&call, &ServerName::new("a"), &OriginalName::new(uri));
        ticket.expect("a plain read")
    }

    /// Keeps what the caller reads; whether it is there afterwards.
    fn keeps(cache: &Cache, uri: &str, caller: Caller, outcome: &Outcome) -> bool {
        cache.put(&ticket(cache, uri, caller.clone()), outcome);
        cache.get(&ticket(cache, uri, caller)).is_some()
    }

    const PUBLIC: &str = r#""ttlMs":60000,"cacheScope":"public""#;
    const PRIVATE: &str = r#""ttlMs":60000,"cacheScope":"private""#;

    #[test]
    fn the_oldest_goes_first_when_the_bytes_are_used_up() {
        let cache = Cache::new(2 * 400);
        let ada = || Caller::new("ada");
        for uri in ["x://1", "x://2", "x://3"] {
            assert!(keeps(&cache, uri, ada(), &result("same", PUBLIC)));
        }
        let there = |uri| cache.get(&ticket(&cache, uri, ada())).is_some();
        assert_eq!(["x://1", "x://2", "x://3"].map(there), [false, true, true]);
        let long = "long".repeat(300);
        assert!(!keeps(&cache, "x://4", ada(), &result(&long, PUBLIC)));
        cache.outdated(&ServerName::new("a"));
        assert_eq!(cache.kept.lock().bytes, 0);
    }

    #[test]
    fn what_is_private_is_kept_for_those_who_are_known() {
        let cache = Cache::new(10_000);
        assert!(keeps(
            &cache,
            "x://1",
            Caller::new("ada"),
            &result("hers", PRIVATE)
        ));
        let bob = ticket(&cache, "x://1", Caller::new("bob"));
        assert_eq!(cache.get(&bob), None);
        let nobody = Caller::anonymous();
        assert_eq!(cache.get(&ticket(&cache, "x://1", nobody.clone())), None);
        assert!(!keeps(
            &cache,
            "x://2",
            nobody.clone(),
            &result("whose", PRIVATE)
        ));
        assert!(keeps(&cache, "x://2", nobody, &result("all", PUBLIC)));
    }

    #[test]
    fn what_went_stale_on_the_way_is_not_kept() {
        let cache = Cache::new(10_000);
        let sent = ticket(&cache, "x://1", Caller::anonymous());
        cache.updated(&ServerName::new("a"), "x://1");
        cache.put(&sent, &result("old", PUBLIC));
        assert_eq!(cache.get(&sent), None);
        assert!(keeps(
            &cache,
            "x://1",
            Caller::anonymous(),
            &result("new", PUBLIC)
        ));
    }

    #[test]
    fn questions_and_what_is_stale_at_once_are_not_kept() {
        let cache = Cache::new(10_000);
        let none = [r#""x":1"#, r#""ttlMs":0,"cacheScope":"public""#];
        for hints in none {
            let outcome = result("stale", hints);
            assert!(!keeps(&cache, "x://1", Caller::new("ada"), &outcome));
        }
        let asks = Outcome::InputRequired(Json::from_static(r#"{"ttlMs":60000}"#));
        assert!(!keeps(&cache, "x://1", Caller::new("ada"), &asks));
    }

    #[test]
    fn a_request_with_more_than_a_uri_is_for_the_server() {
        let cache = Cache::new(10_000);
        let params = Json::from_static(r#"{"uri":"x://1","inputResponses":{}}"#);
        let call = Call::plain(Method::ResourcesRead, params);
        let ticket = cache.ticket(&call, &ServerName::new("a"), &OriginalName::new("x://1"));
        assert!(ticket.is_none());
    }
}
