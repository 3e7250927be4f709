//! The nearest name, for the error that says that a name is unknown.

use super::entry::Entry;

/// The longest wanted name, in bytes, that is compared: comparing costs the product of the lengths.
const MAX_WANTED: usize = 256;

/// The entry whose original name is just `wanted`, else the one whose name differs from it least and
/// in at most a third of its letters. The first of several.
pub(super) fn nearest<'a>(entries: &'a [Entry], wanted: &str) -> Option<&'a Entry> {
    if wanted.is_empty() || wanted.len() > MAX_WANTED {
        return None;
    }
    if let Some(entry) = entries
        .iter()
        .find(|entry| entry.route.original.as_str() == wanted)
    {
        return Some(entry);
    }
    let letters = Letters::of(wanted);
    let mut within = wanted.len().max(3) / 3;
    let mut best = None;
    for entry in entries {
        if letters.least_distance(entry.public.as_str()) > within {
            continue;
        }
        let distance = strsim::osa_distance(wanted, entry.public.as_str());
        if distance > within {
            continue;
        }
        best = Some(entry);
        match distance.checked_sub(1) {
            Some(nearer) => within = nearer,
            None => break,
        }
    }
    best
}

/// How often each letter occurs. Two names are at least as far apart as their letters, which are much
/// cheaper to compare: almost all names, and all very long ones, are passed over here.
struct Letters([i32; 32]);

impl Letters {
    fn of(name: &str) -> Self {
        let mut counts = [0; 32];
        for c in name.chars() {
            counts[c as usize % 32] += 1;
        }
        Self(counts)
    }

    fn least_distance(&self, name: &str) -> usize {
        let (mut more, mut fewer) = (0, 0);
        for (one, other) in self.0.iter().zip(Self::of(name).0) {
            let difference = one - other;
            more += difference.max(0);
            fewer += (-difference).max(0);
        }
        more.max(fewer).unsigned_abs() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::entry::Route;
    use crate::protocol::{OriginalName, PublicName, ServerName};
    use crate::wire::Json;
    use proptest::prelude::*;

    fn entries(names: &[&str]) -> Vec<Entry> {
        let entry = |name: &&str| Entry {
            public: PublicName::new(*name),
            route: Route {
                server: ServerName::new("s"),
                original: OriginalName::new(name.rsplit("__").next().unwrap_or(name)),
            },
            definition: Json::null(),
            harmless: false,
        };
        names.iter().map(entry).collect()
    }

    #[test]
    fn the_nearest_name_is_found_if_any_is_near() {
        let entries = entries(&["gh__create_issue", "gh__close_issue", "web__search", "x"]);
        for (wanted, expected) in [
            ("gh__craete_issue", Some("gh__create_issue")),
            ("gh__close_isue", Some("gh__close_issue")),
            ("gh_create_issue", Some("gh__create_issue")),
            ("create_issue", Some("gh__create_issue")),
            ("search", Some("web__search")),
            ("y", Some("x")),
            ("delete_everything", None),
            ("", None),
        ] {
            let found = nearest(&entries, wanted).map(|entry| entry.public.as_str());
            assert_eq!(found, expected, "{wanted}");
        }
    }

    #[test]
    fn very_long_names_are_not_compared() {
        let long = "x".repeat(MAX_WANTED);
        assert!(nearest(&entries(&[&long]), &format!("{long}y")).is_none());
        assert!(nearest(&entries(&[&long.repeat(100_000)]), &long[1..]).is_none());
    }

    proptest! {
        #[test]
        fn letters_are_never_farther_apart_than_names(one in "[a-c_ß]{0,12}", other in "[a-c_ß]{0,12}") {
            let least = Letters::of(&one).least_distance(&other);
            prop_assert!(least <= strsim::osa_distance(&one, &other));
        }
    }
}
