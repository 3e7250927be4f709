use super::setup::{Server, built, globs, server};
use crate::catalog::UriRoute;
use crate::catalog::templates::MAX_URI;
use crate::protocol::ServerName;

/// Who is asked for a URI, in words.
fn asked(servers: impl IntoIterator<Item = Server>, uri: &str) -> String {
    let built = built(servers);
    match built.catalog.resolve_uri(uri) {
        UriRoute::Exact(route) => format!("exact {} {}", route.server, route.original),
        UriRoute::Template(route) => format!("template {} {}", route.server, route.original),
        UriRoute::Owners(owners) => {
            let owners: Vec<&str> = owners.iter().map(ServerName::as_str).collect();
            format!("owners {}", owners.join(" "))
        }
        UriRoute::Denied => "denied".to_owned(),
    }
}

#[test]
fn exact_comes_before_template_before_scheme_before_everybody() {
    let servers = || {
        [
            server("a")
                .resources(&["file:///x"])
                .templates(&["file:///t/{p}", "bad://{"]),
            server("b")
                .resources(&["FILE:///y", "mem://m"])
                .templates(&["file:///t/{p}"]),
            server("c").tools(&["t"]),
            server("d").templates(&["{+any}://never/{x}"]),
        ]
    };
    for (uri, expected) in [
        ("file:///x", "exact a file:///x"),
        ("file:///t/1", "template a file:///t/1"),
        ("b+file:///t/1", "template b file:///t/1"),
        ("b+file:///t/1/2", "owners a b d"),
        ("file:///unlisted", "owners a b"),
        ("mem://other", "owners b"),
        ("bad://x", "owners a"),
        ("http://example.com", "owners a b d"),
        ("no uri", "owners a b d"),
        ("", "owners a b d"),
    ] {
        assert_eq!(asked(servers(), uri), expected, "{uri}");
    }
    assert_eq!(asked([server("c").tools(&["t"])], "x://y"), "owners ");
}

#[test]
fn the_first_server_with_a_matching_template_is_asked() {
    let servers = || {
        [
            server("a").templates(&["x://{+all}"]),
            server("b").templates(&["x://b/{p}"]),
        ]
    };
    assert_eq!(asked(servers(), "x://b/1"), "template a x://b/1");
}

#[test]
fn what_a_filter_denies_is_asked_of_nobody() {
    let filtered = |name: &str, allow: Option<&[&str]>, deny: &[&str]| {
        let offering = server(name).resources(&["file:///pub/a", "file:///key"]);
        offering.rules(|rules| {
            rules.resources.allow = allow.map(globs);
            rules.resources.deny = globs(deny);
        })
    };
    let denying = || filtered("a", None, &["*key*"]);
    let allowing = || filtered("a", Some(&["file:///pub/*"]), &[]);
    let other = || server("b").resources(&["file:///b", "mem://b"]);
    for (servers, uri, expected) in [
        (vec![denying()], "file:///key", "denied"),
        (vec![denying()], "file:///keys/1", "denied"),
        (vec![denying(), other()], "file:///keys/1", "denied"),
        (vec![denying(), other()], "file:///open", "owners a b"),
        (vec![allowing()], "file:///other", "denied"),
        (vec![allowing()], "file:///pub/b", "owners a"),
        (vec![allowing(), other()], "file:///key", "denied"),
        (vec![allowing(), other()], "file:///other", "owners b"),
        (vec![allowing(), other()], "http://x", "owners b"),
        (
            vec![denying(), server("b").resources(&["file:///key"])],
            "file:///key",
            "exact b file:///key",
        ),
    ] {
        assert_eq!(asked(servers, uri), expected, "{uri}");
    }
}

#[test]
fn filters_hold_for_reads_by_template_too() {
    let deny = |server: Server| server.rules(|rules| rules.resources.deny = globs(&["*/etc/*"]));
    let hide = |server: Server| server.rules(|rules| rules.templates.deny = globs(&["file:*"]));
    let only = |server: Server| {
        server.rules(|rules| rules.resources.allow = Some(globs(&["file:///pub/*"])))
    };
    let files = || {
        server("a")
            .templates(&["file:///{+path}"])
            .resources(&["file:///pub/x"])
    };
    for (server, uri, expected) in [
        (deny(files()), "file:///etc/passwd", "denied"),
        (
            deny(files()),
            "file:///home/me",
            "template a file:///home/me",
        ),
        (hide(files()), "file:///home/me", "denied"),
        (hide(files()), "mem://x", "owners a"),
        (only(files()), "file:///home/me", "denied"),
        (only(files()), "file:///pub/y", "template a file:///pub/y"),
        (only(hide(files())), "file:///pub/y", "owners a"),
    ] {
        assert_eq!(asked([server], uri), expected, "{uri}");
    }
}

#[test]
fn a_link_is_read_from_its_server_only_where_the_filter_lets_it() {
    let catalog = built([
        server("a").resources(&["file:///key"]).rules(|rules| {
            rules.resources.deny = globs(&["*key*"]);
        }),
        server("b").tools(&["t"]),
    ])
    .catalog;
    let may = |server: &str, uri| catalog.may_read(&ServerName::new(server), uri);
    assert!(may("a", "file:///open"));
    assert!(!may("a", "file:///keys"));
    assert!(may("b", "file:///keys"));
    assert!(!may("b", "file:///key"));
    assert!(!may("nobody", "file:///open"));
}

#[test]
fn a_very_long_uri_matches_no_template() {
    let files = || [server("a").templates(&["file:///{+path}", "{+all}"])];
    let fits = format!("file:///{}", "x".repeat(MAX_URI - 8));
    assert_eq!(asked(files(), &fits), format!("template a {fits}"));
    assert_eq!(asked(files(), &format!("{fits}x")), "owners a");
}

#[test]
fn hostile_templates_of_one_server_do_not_hide_those_of_another() {
    let hostile: Vec<String> = (0..50)
        .map(|at| format!("{}{at}", "{+x}".repeat(200)))
        .collect();
    let hostile: Vec<&str> = hostile.iter().map(String::as_str).collect();
    let servers = [
        server("a").templates(&hostile),
        server("b").templates(&["file:///{+path}"]),
    ];
    let uri = format!("file:///{}", "x".repeat(MAX_URI - 8));
    assert_eq!(asked(servers, &uri), format!("template b {uri}"));
}
