use super::setup::{built, built_with, globs, listed, route, server, texts};
use crate::catalog::{BadCursor, Built};
use crate::config::OnConflict;
use crate::protocol::Kind;
use crate::wire::Json;

const NONE: [&str; 0] = [];

#[test]
fn names_are_filtered_renamed_prefixed_and_shortened_in_this_order() {
    let built = built_with(
        [server("my gh")
            .tools(&["create_issue", "list_issues", "delete_issue", "whoami"])
            .rules(|rules| {
                rules.tools.allow = Some(globs(&["*_issue*"]));
                rules.tools.deny = globs(&["delete_*"]);
                rules
                    .tools
                    .rename
                    .insert("create_issue".into(), "delete_nothing".into());
            })],
        |settings| settings.max_name_length = 18,
    );
    assert_eq!(
        listed(&built, Kind::Tool),
        [
            "my_gh__de_2n6asghw = my gh create_issue",
            "my_gh__list_issues = my gh list_issues"
        ]
    );
    assert_eq!(texts(&built.dead_rules), NONE);
}

#[test]
fn after_a_rename_the_old_name_is_unknown_and_suggested() {
    let servers = [server("gh").tools(&["create_issue"]).rules(|rules| {
        rules
            .tools
            .rename
            .insert("create_issue".into(), "brand_new".into());
    })];
    let catalog = built(servers).catalog;
    assert_eq!(catalog.route(Kind::Tool, "gh__create_issue"), None);
    for wanted in ["gh__create_issue", "create_issue", "gh__brand_mew"] {
        let suggested = catalog.suggest(Kind::Tool, wanted).map(ToString::to_string);
        assert_eq!(suggested.as_deref(), Some("gh__brand_new"), "{wanted}");
    }
    assert_eq!(catalog.suggest(Kind::Prompt, "gh__create_issue"), None);
}

#[test]
fn definitions_are_the_servers_own_bytes_but_for_what_the_rules_replace() {
    let list = r#"[{ "name":"a", "noSchema":1e400, "description":"old" },{"name":"b"}]"#;
    let list = Json::from_static(list);
    let definitions = |built: &Built| -> Vec<String> {
        built
            .catalog
            .entries(Kind::Tool)
            .iter()
            .map(|it| it.definition.to_string())
            .collect()
    };
    let bare = server("s").bare().offers_json(Kind::Tool, &list);
    assert_eq!(
        definitions(&built([bare])),
        [
            r#"{ "name":"a", "noSchema":1e400, "description":"old" }"#,
            r#"{"name":"b"}"#
        ]
    );
    let described = server("s").offers_json(Kind::Tool, &list).rules(|rules| {
        rules.tools.rename.insert("b".into(), "c".into());
        rules.tools.describe.insert("a".into(), "new".into());
        rules.tools.describe.insert("b".into(), "more".into());
    });
    assert_eq!(
        definitions(&built([described])),
        [
            r#"{ "name":"s__a", "noSchema":1e400, "description":"new" }"#,
            r#"{"name":"s__c","description":"more"}"#
        ]
    );
}

#[test]
fn the_first_server_keeps_a_name_that_two_want() {
    for on_conflict in [OnConflict::First, OnConflict::Error] {
        let servers = [
            server("a").bare().tools(&["x", "y"]),
            server("b").bare().tools(&["y", "z"]),
            server("c").bare().offers(Kind::Prompt, &["y"]),
        ];
        let built = built_with(servers, |settings| settings.on_conflict = on_conflict);
        assert_eq!(
            listed(&built, Kind::Tool),
            ["x = a x", "y = a y", "z = b z"]
        );
        assert_eq!(listed(&built, Kind::Prompt), ["y = c y"]);
        assert_eq!(
            texts(&built.conflicts),
            ["tool `y` of server `b` is not offered: `y` is tool `y` of server `a`"]
        );
    }
}

#[test]
fn a_suffix_is_the_first_free_number() {
    let servers = [
        server("a").bare().tools(&["x", "x_2"]),
        server("b").bare().tools(&["x"]),
        server("c").bare().tools(&["x", "x_3"]),
    ];
    let built = built_with(servers, |settings| {
        settings.on_conflict = OnConflict::Suffix;
    });
    assert_eq!(
        listed(&built, Kind::Tool),
        [
            "x = a x",
            "x_2 = a x_2",
            "x_3 = b x",
            "x_4 = c x",
            "x_3_2 = c x_3"
        ]
    );
    assert_eq!(
        texts(&built.conflicts),
        [
            "tool `x` of server `b` is offered as `x_3`: `x` is tool `x` of server `a`",
            "tool `x` of server `c` is offered as `x_4`: `x` is tool `x` of server `a`",
            "tool `x_3` of server `c` is offered as `x_3_2`: `x_3` is tool `x` of server `b`",
        ]
    );
}

#[test]
fn a_suffixed_name_is_not_too_long_and_tries_come_to_an_end() {
    let servers = || ["a", "b", "c"].map(|name| server(name).bare().tools(&["twelve_chars"]));
    let names = |limit| -> Vec<usize> {
        let built = built_with(servers(), |settings| {
            settings.max_name_length = limit;
            settings.on_conflict = OnConflict::Suffix;
        });
        let entries = built.catalog.entries(Kind::Tool).iter();
        entries.map(|entry| entry.public.as_str().len()).collect()
    };
    assert_eq!(names(14), [12, 14, 14]);
    assert_eq!(names(12), [12, 12, 12]);
    assert_eq!(names(10), [10, 10, 10]);
    assert_eq!(names(0), [0]);
}

#[test]
fn further_prefixes_are_callable_and_not_listed() {
    let servers = [
        server("files")
            .tools(&["read", "list"])
            .offers(Kind::Prompt, &["help"])
            .rules(|rules| {
                rules.aliases = vec!["fs".into(), "f s".into()];
                rules.tools.rename.insert("list".into(), "ls".into());
            }),
        server("fs").tools(&["read", "new"]),
    ];
    let built = built(servers);
    assert_eq!(
        listed(&built, Kind::Tool),
        [
            "files__read = files read",
            "files__ls = files list",
            "fs__new = fs new"
        ]
    );
    for (kind, name, expected) in [
        (Kind::Tool, "fs__read", Some("files read")),
        (Kind::Tool, "fs__ls", Some("files list")),
        (Kind::Tool, "f_s__ls", Some("files list")),
        (Kind::Tool, "fs__list", None),
        (Kind::Prompt, "fs__help", Some("files help")),
        (Kind::Tool, "fs__new", Some("fs new")),
    ] {
        assert_eq!(route(&built, kind, name).as_deref(), expected, "{name}");
    }
    assert_eq!(
        texts(&built.conflicts),
        ["tool `read` of server `fs` is not offered: `fs__read` is tool `read` of server `files`"]
    );
}

#[test]
fn an_alias_is_listed_in_the_place_of_the_long_name() {
    let servers = [
        server("web")
            .tools(&["a", "search_web", "z"])
            .offers(Kind::Prompt, &["search_web"]),
        server("other").bare().tools(&["tool"]),
    ];
    let built = built_with(servers, |settings| {
        settings
            .aliases
            .insert("search".into(), "web__search_web".into());
        settings
            .aliases
            .insert("find".into(), "web__search_web".into());
        settings
            .aliases
            .insert("lost".into(), "web__serach_web".into());
    });
    assert_eq!(
        listed(&built, Kind::Tool),
        [
            "web__a = web a",
            "search = web search_web",
            "web__z = web z",
            "tool = other tool"
        ]
    );
    assert_eq!(listed(&built, Kind::Prompt), ["search = web search_web"]);
    for name in ["search", "find", "web__search_web"] {
        assert_eq!(
            route(&built, Kind::Tool, name).as_deref(),
            Some("web search_web")
        );
    }
    let entry = built.catalog.entry(Kind::Tool, "web__search_web").unwrap();
    assert_eq!(entry.definition.to_string(), r#"{"name":"search"}"#);
    assert_eq!(
        texts(&built.dead_rules),
        ["alias `lost` leads to `web__serach_web`, which no tool or prompt is called"]
    );
    assert_eq!(texts(&built.conflicts), NONE);
}

#[test]
fn an_alias_that_is_a_name_already_is_a_conflict() {
    let servers = || {
        [
            server("a").bare().tools(&["x", "y"]),
            server("b").tools(&["z"]),
            server("c").bare().tools(&["later"]),
        ]
    };
    let of_alias = |alias: &str, target: &str| {
        let built = built_with(servers(), |settings| {
            settings.aliases.insert(alias.into(), target.into());
        });
        (listed(&built, Kind::Tool), texts(&built.conflicts))
    };
    let (names, conflicts) = of_alias("y", "b__z");
    assert_eq!(
        names,
        ["x = a x", "y = a y", "b__z = b z", "later = c later"]
    );
    assert_eq!(
        conflicts,
        ["alias `y` for tool `z` of server `b` is not offered: `y` is tool `y` of server `a`"]
    );
    // An entry's own name beats an alias of the same server, wherever it stands in its list.
    let (names, conflicts) = of_alias("y", "x");
    assert_eq!(
        names,
        ["x = a x", "y = a y", "b__z = b z", "later = c later"]
    );
    assert_eq!(conflicts.len(), 1);
    // A server further down cannot take a name away, not even from an alias.
    let (names, conflicts) = of_alias("later", "b__z");
    assert_eq!(names, ["x = a x", "y = a y", "later = b z"]);
    assert_eq!(
        conflicts,
        ["tool `later` of server `c` is not offered: `later` is tool `z` of server `b`"]
    );
    assert_eq!(of_alias("b__z", "b__z").1, NONE);
}

#[test]
fn rules_that_match_nothing_are_reported() {
    let servers = [server("s")
        .tools(&["a", "b"])
        .resources(&["a://x"])
        .rules(|rules| {
            rules.tools.allow = Some(globs(&["*", "a", "c*"]));
            rules.tools.deny = globs(&["b", "d"]);
            rules.tools.rename.insert("b".into(), "x".into());
            rules.tools.rename.insert("s__a".into(), "x".into());
            rules.tools.describe.insert("e".into(), "x".into());
            rules
                .resources
                .rename
                .insert("a://x".into(), "a://y".into());
            rules.prompts.deny = globs(&["*"]);
        })];
    let built = built(servers);
    assert_eq!(
        texts(&built.dead_rules),
        [
            "allow `c*` matches no tool of server `s`",
            "deny `d` matches no tool of server `s`",
            "rename `s__a` matches no tool of server `s`",
            "describe `e` matches no tool of server `s`",
            "rename `a://x` matches no resource of server `s`",
            "deny `*` matches no prompt of server `s`",
        ]
    );
    assert_eq!(listed(&built, Kind::Resource), ["a://x = s a://x"]);
}

#[test]
fn only_lists_that_clients_see_differently_have_changed() {
    let one = || server("a").tools(&["x"]).resources(&["a://x"]);
    let old = built([one()]).catalog;
    assert_eq!(built([one()]).catalog.changed_from(&old), []);
    let aliased = one().rules(|rules| rules.aliases.push("b".into()));
    assert_eq!(built([aliased]).catalog.changed_from(&old), []);
    let described = one().rules(|rules| {
        rules.tools.describe.insert("x".into(), "new".into());
    });
    assert_eq!(built([described]).catalog.changed_from(&old), [Kind::Tool]);
    let more = [
        one(),
        server("b")
            .offers(Kind::Prompt, &["p"])
            .templates(&["a://{x}"]),
    ];
    assert_eq!(
        built(more).catalog.changed_from(&old),
        [Kind::Template, Kind::Prompt]
    );
    assert_eq!(
        built([]).catalog.changed_from(&old),
        [Kind::Tool, Kind::Resource]
    );
}

#[test]
fn a_catalog_is_another_one_when_a_name_leads_elsewhere() {
    let old = built([server("a").bare().tools(&["x"])]).catalog;
    assert!(
        built([server("a").bare().tools(&["x"])])
            .catalog
            .is_like(&old)
    );
    let aliased = server("a")
        .bare()
        .tools(&["x"])
        .rules(|rules| rules.aliases.push("b".into()));
    let others = [
        vec![server("b").bare().tools(&["x"])],
        vec![aliased],
        vec![server("a").bare().tools(&["x", "y"])],
        vec![
            server("a")
                .bare()
                .tools(&["x"])
                .rules(|rules| rules.resources.deny = globs(&["*"])),
        ],
    ];
    for other in others {
        assert!(!built(other).catalog.is_like(&old));
    }
}

#[test]
fn the_same_source_is_known_again() {
    let source = server("a").tools(&["x"]).source();
    assert!(source.is_same_as(&source.clone()));
    assert!(!source.is_same_as(&server("a").tools(&["x"]).source()));
}

#[test]
fn a_page_is_served_from_the_catalog() {
    let catalog = built([server("a").tools(&["x"])]).catalog;
    let page = |kind| catalog.page(kind, None).map(|page| page.body.to_string());
    assert_eq!(
        page(Kind::Tool).as_deref(),
        Ok(r#"{"tools":[{"name":"a__x"}]}"#)
    );
    assert_eq!(
        page(Kind::Template).as_deref(),
        Ok(r#"{"resourceTemplates":[]}"#)
    );
    assert_eq!(catalog.page(Kind::Tool, Some("")), Err(BadCursor));
    assert_eq!(catalog.revision(), 1);
}
