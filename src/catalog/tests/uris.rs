use super::setup::{built, built_with, globs, listed, route, server, texts};
use crate::catalog::Built;
use crate::config::OnConflict;
use crate::protocol::{Kind, ServerName};
use crate::wire::Json;

fn public(built: &Built, server: &str, uri: &str) -> Option<String> {
    let rewrites = built.catalog.uri_rewrites(&ServerName::new(server))?;
    rewrites.public(uri).map(std::borrow::Cow::into_owned)
}

/// A tool whose user interface is at `uri`.
fn tool_with_ui(uri: &str) -> Json {
    Json::parse(format!(
        r#"[{{"name":"t","_meta":{{"ui":{{"resourceUri":"{uri}"}}}}}}]"#
    ))
    .unwrap()
}

fn ui_of(built: &Built, tool: &str) -> String {
    let definition = &built.catalog.entry(Kind::Tool, tool).unwrap().definition;
    let meta = definition
        .get("_meta")
        .and_then(|meta| meta.get("ui"))
        .unwrap();
    meta.get("resourceUri")
        .unwrap()
        .text()
        .unwrap()
        .into_owned()
}

#[test]
fn the_second_of_two_equal_uris_gets_the_prefix_as_a_scheme() {
    let built = built([
        server("a")
            .resources(&["file:///x", "file:///y"])
            .templates(&["file:///{p}"]),
        server("My_B")
            .resources(&["file:///x", "file:///z"])
            .templates(&["file:///{p}"]),
        server("9c").bare().resources(&["file:///x"]),
    ]);
    assert_eq!(
        listed(&built, Kind::Resource),
        [
            "file:///x = a file:///x",
            "file:///y = a file:///y",
            "my-b+file:///x = My_B file:///x",
            "file:///z = My_B file:///z",
            "x9c+file:///x = 9c file:///x",
        ]
    );
    assert_eq!(
        listed(&built, Kind::Template),
        [
            "file:///{p} = a file:///{p}",
            "my-b+file:///{p} = My_B file:///{p}"
        ]
    );
    let definitions = built
        .catalog
        .entries(Kind::Template)
        .iter()
        .map(|it| it.definition.to_string());
    assert_eq!(
        definitions.collect::<Vec<_>>(),
        [
            r#"{"uriTemplate":"file:///{p}"}"#,
            r#"{"uriTemplate":"my-b+file:///{p}"}"#
        ]
    );
    assert_eq!(
        texts(&built.conflicts)[0],
        "resource `file:///x` of server `My_B` is offered as `my-b+file:///x`: \
         `file:///x` is resource `file:///x` of server `a`"
    );
}

#[test]
fn rewrites_say_what_became_of_a_servers_uris() {
    let built = built([
        server("a")
            .resources(&["file:///x"])
            .templates(&["file:///{p}"]),
        server("b")
            .resources(&["file:///x", "file:///z"])
            .templates(&["file:///{p}"]),
        server("c").resources(&["c://x"]),
    ]);
    for (server, uri, expected) in [
        ("b", "file:///x", Some("b+file:///x")),
        ("b", "file:///z", None),
        ("b", "file:///other", Some("b+file:///other")),
        ("b", "http://x", None),
        ("a", "file:///x", None),
        ("c", "c://x", None),
    ] {
        assert_eq!(
            public(&built, server, uri).as_deref(),
            expected,
            "{uri} of {server}"
        );
    }
    assert!(built.catalog.uri_rewrites(&ServerName::new("a")).is_none());
    let rewrites = built.catalog.uri_rewrites(&ServerName::new("b")).unwrap();
    let exact: Vec<String> = rewrites
        .iter()
        .map(|(from, to)| format!("{from} {to}"))
        .collect();
    assert_eq!(exact, ["file:///x b+file:///x"]);
}

#[test]
fn a_rewritten_uri_that_is_taken_too_is_a_conflict() {
    let servers = || {
        [
            server("a").resources(&["x://1"]),
            server("b").resources(&["x://1", "b+x://1"]),
            server("B").resources(&["x://1"]),
        ]
    };
    let listed_under = |on_conflict| {
        let built = built_with(servers(), |settings| settings.on_conflict = on_conflict);
        listed(&built, Kind::Resource)
    };
    assert_eq!(
        listed_under(OnConflict::First),
        [
            "x://1 = a x://1",
            "b+x://1 = b x://1",
            "b+b+x://1 = b b+x://1"
        ]
    );
    assert_eq!(listed_under(OnConflict::Suffix)[3], "b-2+x://1 = B x://1");
}

#[test]
fn a_link_of_a_tool_follows_its_resource() {
    let built = built([
        server("a").resources(&["ui://x"]),
        server("b")
            .resources(&["ui://x"])
            .offers_json(Kind::Tool, &tool_with_ui("ui://x")),
        server("c")
            .resources(&["ui://z"])
            .offers_json(Kind::Tool, &tool_with_ui("ui://z")),
    ]);
    assert_eq!(ui_of(&built, "b__t"), "b+ui://x");
    assert_eq!(ui_of(&built, "c__t"), "ui://z");
}

#[test]
fn a_link_that_no_list_has_leads_to_its_server() {
    let with_ui = |name| server(name).offers_json(Kind::Tool, &tool_with_ui("ui://x"));
    let built = built([
        with_ui("a"),
        with_ui("b"),
        with_ui("c").rules(|rules| rules.resources.deny = globs(&["ui:*"])),
    ]);
    assert_eq!(ui_of(&built, "a__t"), "ui://x");
    assert_eq!(ui_of(&built, "b__t"), "b+ui://x");
    assert_eq!(ui_of(&built, "c__t"), "ui://x");
    assert_eq!(
        route(&built, Kind::Resource, "ui://x").as_deref(),
        Some("a ui://x")
    );
    assert_eq!(
        route(&built, Kind::Resource, "b+ui://x").as_deref(),
        Some("b ui://x")
    );
    assert_eq!(public(&built, "b", "ui://x").as_deref(), Some("b+ui://x"));
    assert_eq!(public(&built, "c", "ui://x"), None);
    assert_eq!(listed(&built, Kind::Resource), [""; 0]);
    assert_eq!(built.catalog.entry(Kind::Resource, "ui://x"), None);
}
