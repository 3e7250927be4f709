//! What holds for every set of servers and rules.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;
use proptest::prelude::*;

use super::setup::{Server, globs, server};
use crate::catalog::{
    Before, Built, Entry, Naming, Resolution, Route, Source, build, rebuild, section, verdict,
};
use crate::config::OnConflict;
use crate::protocol::{Kind, ServerName};

const KEYS: [(Kind, [&str; 5]); 4] = [
    (Kind::Tool, ["a", "b", "c", "a_2", "s1__b"]),
    (
        Kind::Resource,
        ["x://a", "x://b", "x://c", "s1+x://a", "x://d"],
    ),
    (
        Kind::Template,
        ["x://{a}", "x://{b}", "x://a/{+c}", "s0+x://{a}", "y://{a}"],
    ),
    (Kind::Prompt, ["a", "b", "c", "s0__a", "d"]),
];

#[derive(Clone, Debug)]
struct Setup {
    sources: Vec<Source>,
    on_conflict: OnConflict,
    max_name_length: usize,
    aliases: IndexMap<String, String>,
}

impl Setup {
    fn naming(&self) -> Naming<'_> {
        Naming {
            separator: "__",
            max_name_length: self.max_name_length,
            on_conflict: self.on_conflict,
            aliases: &self.aliases,
        }
    }

    fn build(&self, servers: usize) -> Built {
        build(&self.sources[..servers], &self.naming(), 1)
    }

    fn all(&self) -> Built {
        self.build(self.sources.len())
    }
}

fn a_server(number: usize) -> impl Strategy<Value = Source> {
    let picks =
        proptest::collection::vec(proptest::sample::subsequence(vec![0, 1, 2, 3, 4], 0..5), 4);
    let rename = proptest::option::of((0_usize..5, "[a-d]{1,9}"));
    (picks, any::<bool>(), any::<bool>(), any::<bool>(), rename).prop_map(
        move |(picks, bare, alias, deny, rename)| {
            let name = format!("s{}", number % 3);
            let offer =
                |server: Server, ((kind, keys), picks): (&(Kind, [&str; 5]), &Vec<usize>)| {
                    server.offers(
                        *kind,
                        &picks.iter().map(|pick| keys[*pick]).collect::<Vec<_>>(),
                    )
                };
            let offering = KEYS
                .iter()
                .zip(&picks)
                .fold(server(&name), offer)
                .rules(|rules| {
                    rules.prefix = (!bare).then_some(name);
                    rules.aliases.extend(alias.then(|| "s1".to_owned()));
                    rules.resources.deny = globs(if deny { &["*c"] } else { &[] });
                    if let Some((key, to)) = rename {
                        rules.tools.rename.insert(KEYS[0].1[key].to_owned(), to);
                    }
                });
            Source {
                server: ServerName::new(format!("n{number}")),
                ..offering.source()
            }
        },
    )
}

fn a_setup() -> impl Strategy<Value = Setup> {
    let servers: Vec<_> = (0..5).map(a_server).collect();
    let policy = prop_oneof![
        Just(OnConflict::First),
        Just(OnConflict::Error),
        Just(OnConflict::Suffix)
    ];
    let alias = ("[a-d]", prop_oneof!["[a-d]", "s[0-2]__[a-d]"]);
    let aliases = proptest::collection::vec(alias, 0..3);
    (servers, policy, 10_usize..20, aliases).prop_map(
        |(sources, on_conflict, max_name_length, aliases)| Setup {
            sources,
            on_conflict,
            max_name_length,
            aliases: aliases.into_iter().collect(),
        },
    )
}

fn shown(entry: &Entry) -> (String, String, String, String) {
    let Entry {
        public,
        route,
        definition,
        harmless: _,
    } = entry;
    (
        public.to_string(),
        route.server.to_string(),
        route.original.to_string(),
        definition.to_string(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn public_names_and_originals_belong_to_each_other(setup in a_setup()) {
        let built = setup.all();
        for kind in Kind::ALL {
            let mut routes = HashSet::new();
            let mut names = HashSet::new();
            for entry in built.catalog.entries(kind) {
                let public = entry.public.as_str();
                prop_assert!(names.insert(public), "two are called {}", public);
                prop_assert!(routes.insert(entry.route.clone()), "{} is listed twice", public);
                prop_assert_eq!(built.catalog.route(kind, public), Some(&entry.route));
                prop_assert_eq!(built.catalog.entry(kind, public), Some(entry));
                let written = entry.definition.get(kind.key_member()).unwrap();
                prop_assert_eq!(written.text().unwrap(), public);
            }
        }
    }

    #[test]
    fn every_entry_is_listed_refused_or_reported(setup in a_setup()) {
        let built = setup.all();
        for kind in Kind::ALL {
            let listed: HashSet<_> = built.catalog.entries(kind).iter().map(|it| &it.route).collect();
            for source in &setup.sources {
                let rules = section(&source.rules, kind);
                for raw in source.inventory.entries(kind) {
                    let is_it = |route: &Route| route.server == source.server && route.original == raw.key;
                    let lost = built.conflicts.iter().any(|conflict| {
                        conflict.kind == kind && is_it(&conflict.loser) && conflict.resolution == Resolution::Dropped
                    });
                    let offered = verdict(rules, raw.key.as_str()).is_offered();
                    let there = listed.iter().any(|route| is_it(route));
                    let accounted = (there && offered) || (!there && (lost || !offered));
                    prop_assert!(accounted, "{} of {}", raw.key, source.server);
                }
            }
        }
    }

    #[test]
    fn a_server_at_the_end_renames_nothing(setup in a_setup()) {
        let all = setup.all();
        for servers in 0..setup.sources.len() {
            let fewer = setup.build(servers);
            for kind in Kind::ALL {
                let before: Vec<_> = fewer.catalog.entries(kind).iter().map(shown).collect();
                let after: Vec<_> = all.catalog.entries(kind).iter().take(before.len()).map(shown).collect();
                prop_assert_eq!(before, after);
            }
            prop_assert!(fewer.conflicts.iter().all(|conflict| all.conflicts.contains(conflict)));
        }
    }

    #[test]
    fn the_same_input_gives_the_same_catalog(setup in a_setup()) {
        let (one, other) = (setup.all(), setup.all());
        prop_assert_eq!(one.catalog.changed_from(&other.catalog), []);
        prop_assert_eq!(one.conflicts, other.conflicts);
        prop_assert_eq!(one.dead_rules, other.dead_rules);
    }

    #[test]
    fn what_came_before_changes_nothing(setup in a_setup(), other in a_server(0), at in 0_usize..9) {
        let mut before = setup.clone();
        if let Some(source) = before.sources.get_mut(at) {
            source.inventory = other.inventory;
        }
        let (old, alone) = (before.all().catalog, setup.all());
        let older = Before { catalog: &old, sources: &before.sources };
        let after = rebuild(Some(older), &setup.sources, &setup.naming(), 1);
        prop_assert!(after.catalog.is_like(&alone.catalog));
        prop_assert_eq!(after.catalog.changed_from(&alone.catalog), []);
        prop_assert_eq!(after.conflicts, alone.conflicts);
        prop_assert_eq!(after.dead_rules, alone.dead_rules);
    }

    #[test]
    fn names_are_legal_and_not_too_long(setup in a_setup()) {
        let built = setup.all();
        for entry in built.catalog.entries(Kind::Tool) {
            let public = entry.public.as_str();
            prop_assert!(public.len() <= setup.max_name_length || setup.aliases.contains_key(public));
            prop_assert!(public.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)));
        }
    }

    #[test]
    fn order_is_that_of_the_servers_and_then_their_own(setup in a_setup()) {
        let built = setup.all();
        for kind in Kind::ALL {
            let place = |entry: &Entry| {
                let server = setup.sources.iter().position(|it| it.server == entry.route.server).unwrap();
                let inventory = &Arc::clone(&setup.sources[server].inventory);
                (server, inventory.entries(kind).iter().position(|it| it.key == entry.route.original))
            };
            prop_assert!(built.catalog.entries(kind).iter().map(place).is_sorted());
        }
    }
}
