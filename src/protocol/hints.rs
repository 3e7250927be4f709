//! How long a result may be kept, and for whom (2026-07-28, "Caching").

use crate::wire::Json;

/// Who may be given a result that was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheScope {
    /// Everybody.
    Public,
    /// Only who asked for it.
    #[default]
    Private,
}

impl CacheScope {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

/// The hints of a result. Those of a result that has none: stale at once, and private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// How long it is fresh, in milliseconds.
    pub ttl_ms: u64,
    /// Who may be given it.
    pub scope: CacheScope,
}

impl Hints {
    /// The member that holds the time.
    pub const TTL: &str = "ttlMs";
    /// The member that holds the scope.
    pub const SCOPE: &str = "cacheScope";

    /// Reads the hints of a result; what is missing or makes no sense allows nothing.
    pub fn read(result: &Json) -> Self {
        let ttl_ms = result.get(Self::TTL).and_then(|ttl| ttl.decode().ok());
        let scope = result.get(Self::SCOPE);
        let is_public = scope.as_ref().and_then(Json::text).as_deref() == Some("public");
        Self {
            ttl_ms: ttl_ms.unwrap_or(0),
            scope: if is_public {
                CacheScope::Public
            } else {
                CacheScope::Private
            },
        }
    }

    /// The hints of what is made of several results: no wider than any of theirs. Of nothing, the default.
    pub fn merged(all: impl IntoIterator<Item = Self>) -> Self {
        let stricter = |one: Self, other: Self| Self {
            ttl_ms: one.ttl_ms.min(other.ttl_ms),
            scope: match (one.scope, other.scope) {
                (CacheScope::Public, CacheScope::Public) => CacheScope::Public,
                _ => CacheScope::Private,
            },
        };
        all.into_iter().reduce(stricter).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(result: &'static str, ttl_ms: u64, scope: CacheScope) {
        let hints = Hints { ttl_ms, scope };
        assert_eq!(Hints::read(&Json::from_static(result)), hints);
    }

    #[test]
    fn hints_that_make_no_sense_allow_nothing() {
        use CacheScope::{Private, Public};
        check(r#"{"ttlMs":5,"cacheScope":"public"}"#, 5, Public);
        check(r#"{"ttlMs":5}"#, 5, Private);
        check("{}", 0, Private);
        for ttl in ["-5", "1.5", "1e400", "\"5\"", "null"] {
            let text = format!(r#"{{"ttlMs":{ttl},"cacheScope":"shared"}}"#);
            let result = Json::parse(text).expect("JSON");
            assert_eq!(Hints::read(&result), Hints::default(), "{ttl}");
        }
    }

    #[test]
    fn what_is_merged_is_no_wider_than_any_part() {
        let hints = |ttl_ms, scope| Hints { ttl_ms, scope };
        let (long, short) = (hints(9, CacheScope::Public), hints(4, CacheScope::Public));
        assert_eq!(Hints::merged([long, short]), short);
        let private = hints(9, CacheScope::Private);
        assert_eq!(
            Hints::merged([long, private, short]),
            hints(4, CacheScope::Private)
        );
        assert_eq!(Hints::merged([]), Hints::default());
    }
}
