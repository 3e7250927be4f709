use super::{Budget, Template, symbols};
use proptest::prelude::*;

fn matches(template: &str, uri: &str) -> bool {
    Template::parse(template).is_some_and(|template| {
        template.matches(&symbols(uri), &mut Budget::new(Budget::PER_SERVER))
    })
}

#[test]
fn the_whole_uri_must_match() {
    for (template, uri, expected) in [
        ("db://tables", "db://tables", true),
        ("db://tables", "db://tables/x", false),
        ("db://{table}", "db://users", true),
        ("db://{table}", "xdb://users", false),
        ("db://{table}", "db://", false),
        ("db://{table}", "db://a/b", false),
        ("db://{table}/rows", "db://users/rows", true),
        ("db://{table}/rows", "db://users/rowsx", false),
        ("db://{a}-{b}", "db://x-y-z", true),
        ("db://{a,b}", "db://1,2", true),
        ("db://{a:3}", "db://abc", true),
        ("db://{id}", "db://a@b:c", true),
        ("db://{id}", "db://a?x", false),
        ("", "", true),
        ("", "x", false),
    ] {
        assert_eq!(matches(template, uri), expected, "{template} on {uri}");
    }
}

#[test]
fn each_operator_takes_what_it_expands_to() {
    for (template, uri, expected) in [
        ("file:///{+path}", "file:///a/b/c.txt?x#y", true),
        ("file:///{+path}", "file:///", false),
        ("a://x{#part}", "a://x#p/q", true),
        ("a://x{#part}", "a://x", true),
        ("a://x{.ext}", "a://x.tar.gz", true),
        ("a://x{.ext}", "a://x.tar/gz", false),
        ("a://x{/one,two}", "a://x/1/2", true),
        ("a://x{/one,two}", "a://x/1", true),
        ("a://x{/one,two}", "a://x/1/2/3", false),
        ("a://x{/all*}", "a://x/1/2/3", true),
        ("a://x{/all*}", "a://x", true),
        ("a://x{/all*}/end", "a://x/1/end", true),
        ("a://x{;p,q}", "a://x;p=1;q", true),
        ("a://x{;p}", "a://x;r=1", false),
        ("a://x{;p*}", "a://x;k=1;l=2", true),
    ] {
        assert_eq!(matches(template, uri), expected, "{template} on {uri}");
    }
}

#[test]
fn query_parameters_come_in_any_order_under_their_names() {
    for (uri, expected) in [
        ("a://x", true),
        ("a://x?q=1", true),
        ("a://x?limit=2&q=1", true),
        ("a://x?q=&limit", true),
        ("a://x?other=1", false),
        ("a://x?q=1&other=1", false),
        ("a://x?qq=1", false),
        ("a://x?", false),
        ("a://x&q=1", false),
    ] {
        assert_eq!(matches("a://x{?q,limit}", uri), expected, "{uri}");
    }
    assert!(matches("a://x?fixed=1{&q}", "a://x?fixed=1&q=2"));
    assert!(matches("a://x{?q*}", "a://x?any=1&name=2"));
}

#[test]
fn literals_are_compared_with_their_encoding_removed() {
    assert!(matches("a://my dir/{x}/%7E", "a://my%20dir/1/~"));
    assert!(matches("a://{x}/end", "a://1%2F2/end"));
    assert!(!matches("a://b%2Fc", "a://b/c"));
}

#[test]
fn a_broken_template_matches_nothing() {
    assert!(Template::parse("a://{x").is_none());
}

#[test]
fn the_budget_ends_a_hostile_match() {
    let template = Template::parse(&"{+a}".repeat(2_000)).unwrap();
    let uri = symbols(&"x".repeat(10_000));
    let mut budget = Budget::new(Budget::PER_SERVER);
    assert!(!template.matches(&uri, &mut budget));
    assert!(budget.left() < 4_000, "{} steps are left", budget.left());
}

proptest! {
    #[test]
    fn an_expansion_matches_its_template(
        values in proptest::collection::vec("[A-Za-z0-9~%20]{1,8}", 3),
        path in proptest::collection::vec("[a-z]{1,4}", 0..4),
    ) {
        let [one, two, three] = values.as_slice() else { unreachable!() };
        let path = [vec![String::new()], path].concat().join("/");
        let uri = format!("s://{one}/x-{two}{path}/end.{three}?a={one}&b={three}#{two}");
        for (template, expected) in [
            ("s://{one}/x-{two}{/path*}/end{.ext}{?a,b}{#f}", true),
            ("s://{+all}", true),
            ("t://{+all}", false),
        ] {
            prop_assert_eq!(matches(template, &uri), expected);
        }
    }

    #[test]
    fn parsing_and_matching_never_fail(template in "[a{}+#./;?&*,:%=]{0,24}", uri in "[a+#./;?&=%2]{0,24}") {
        let _ = matches(&template, &uri);
    }
}
