//! A catalog that follows another one: what is the same is taken over, and what comes of it is as if it were built alone.

use std::slice::from_ref;
use std::sync::Arc;

use crate::catalog::tests::setup::{Server, server};
use crate::catalog::{Before, Built, Catalog, Naming, Source, build, rebuild};
use crate::config::{OnConflict, Settings};
use crate::protocol::Kind;

fn sources(servers: impl IntoIterator<Item = Server>) -> Vec<Source> {
    servers.into_iter().map(Server::source).collect()
}

/// Builds the second list of sources after the first one, and alone; both must come to the same.
fn follows(before: &[Source], sources: &[Source]) -> (Catalog, Catalog) {
    let settings = Settings {
        on_conflict: OnConflict::Suffix,
        ..Settings::default()
    };
    let naming = Naming::of(&settings);
    let old = build(before, &naming, 1).catalog;
    let older = Before {
        catalog: &old,
        sources: before,
    };
    let new = rebuild(Some(older), sources, &naming, 2);
    same(&new, &build(sources, &naming, 2));
    (old, new.catalog)
}

fn same(one: &Built, other: &Built) {
    assert!(one.catalog.is_like(&other.catalog));
    assert_eq!(one.conflicts, other.conflicts);
    assert_eq!(one.dead_rules, other.dead_rules);
    for kind in Kind::ALL {
        let (one, other) = (&one.catalog, &other.catalog);
        assert_eq!(one.page(kind, None), other.page(kind, None));
    }
}

/// Where the texts of the names that begin so are in memory.
fn places(catalog: &Catalog, kind: Kind, prefix: &str) -> Vec<*const u8> {
    let entries = catalog.entries(kind).iter();
    let names = entries.map(|entry| entry.public.as_str());
    let names = names.filter(|name| name.starts_with(prefix));
    names.map(str::as_ptr).collect()
}

#[test]
fn entries_of_the_others_are_taken_over() {
    let prompts = |server: Server| server.offers(Kind::Prompt, &["p"]);
    let first = sources(["a", "b", "c"].map(|name| prompts(server(name).tools(&["x", "y"]))));
    let mut second = first.clone();
    second[1] = prompts(server("b").tools(&["x", "z", "y"])).source();
    let (old, new) = follows(&first, &second);
    for kind in [Kind::Tool, Kind::Prompt] {
        for prefix in ["a", "c"] {
            let kept = places(&new, kind, prefix);
            assert!(!kept.is_empty());
            assert_eq!(kept, places(&old, kind, prefix));
        }
        assert_ne!(places(&new, kind, "b"), places(&old, kind, "b"));
    }
}

#[test]
fn other_rules_are_another_server() {
    let first = sources(["a", "b"].map(|name| server(name).tools(&["x"])));
    let mut second = first.clone();
    second[0].rules = Arc::new((*first[0].rules).clone());
    let (old, new) = follows(&first, &second);
    assert_ne!(places(&new, Kind::Tool, "a"), places(&old, Kind::Tool, "a"));
    assert_eq!(places(&new, Kind::Tool, "b"), places(&old, Kind::Tool, "b"));
}

#[test]
fn a_name_that_is_taken_now_is_not_taken_over() {
    let second = server("b").bare().tools(&["x", "y"]).source();
    let one = |tools: &[&str]| server("a").bare().tools(tools).source();
    let with = |tools| vec![one(tools), second.clone()];
    // Another has it, has it no more, and never had it.
    follows(&with(&["z"]), &with(&["y"]));
    follows(&with(&["y"]), &with(&["z"]));
    follows(from_ref(&second), &with(&["y"]));
    follows(&with(&["y"]), from_ref(&second));
}

#[test]
fn a_link_to_a_user_interface_goes_by_the_others() {
    let tool = r#"[{"name":"t","_meta":{"ui":{"resourceUri":"ui://x"}}}]"#;
    let linking = server("b").offers_json(Kind::Tool, &crate::wire::Json::from_static(tool));
    let second = linking.resources(&["ui://x"]).source();
    let first = server("a").tools(&["t"]).source();
    let other = server("a").tools(&["t"]).resources(&["ui://x"]).source();
    follows(
        &[first.clone(), second.clone()],
        &[other.clone(), second.clone()],
    );
    follows(&[other, second.clone()], &[first, second]);
}
