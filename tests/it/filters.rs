//! What rules hide: not listed, not callable, not told from what does not exist.

use serde_json::{Value, json};

use crate::support::{Client, FakeServer, Mux, MuxTest, fake};

fn ruled(fake: &FakeServer, left: usize, keys: &Value) -> (Mux, Client) {
    let mux = MuxTest::new()
        .upstream_with("a", fake, keys)
        .listed(left)
        .start();
    let client = mux.legacy();
    (mux, client)
}

fn tools() -> FakeServer {
    fake::legacy()
        .tools(&["get_issue", "create_issue", "delete_issue", "search"])
        .http()
}

#[test]
fn allow_and_deny_speak_of_original_names_and_deny_wins() {
    let fake = tools();
    let keys = json!({"prefix": "gh", "tools": {"allow": ["*_issue"], "deny": ["delete_*"]}});
    let (_mux, client) = ruled(&fake, 2, &keys);
    assert_eq!(client.names("tools"), ["gh__get_issue", "gh__create_issue"]);
    for hidden in ["gh__delete_issue", "gh__search"] {
        let hidden = client.call(hidden, &json!({})).error();
        assert_eq!(
            (&hidden["code"], &hidden["data"]["mcpmux"]["kind"]),
            unknown()
        );
    }
    assert_eq!(fake.count("tools/call"), 0);
}

/// What the mux says of a tool that is nowhere.
fn unknown() -> (&'static Value, &'static Value) {
    use std::sync::OnceLock;

    static UNKNOWN: OnceLock<Value> = OnceLock::new();
    let error = UNKNOWN.get_or_init(|| {
        let fake = tools();
        let (_mux, client) = ruled(&fake, 4, &json!({}));
        client.call("there_is_no_such_tool", &json!({})).error()
    });
    (&error["code"], &error["data"]["mcpmux"]["kind"])
}

#[test]
fn an_array_is_a_list_of_what_is_allowed() {
    let fake = tools();
    let (_mux, client) = ruled(&fake, 1, &json!({"tools": ["search"]}));
    assert_eq!(client.names("tools"), ["a__search"]);
}

#[test]
fn an_empty_list_allows_nothing() {
    let fake = tools();
    let (_mux, client) = ruled(&fake, 0, &json!({"tools": {"allow": []}}));
    assert_eq!(client.list("tools"), [] as [Value; 0]);
}

#[test]
fn a_filter_comes_before_a_rename() {
    let fake = tools();
    let rules = json!({"tools": {"allow": ["search"], "rename": {"search": "delete_all"}, "deny": ["delete_*"]}});
    let (_mux, client) = ruled(&fake, 1, &rules);
    assert_eq!(client.names("tools"), ["a__delete_all"]);
    assert_eq!(client.call("a__delete_all", &json!({})).said(), "search {}");
}

#[test]
fn the_nearest_name_is_never_a_hidden_one() {
    let fake = tools();
    let (_mux, client) = ruled(&fake, 3, &json!({"tools": {"deny": ["delete_*"]}}));
    let error = client.call("a__delete_issu", &json!({})).error();
    assert!(!error.to_string().contains("delete_issue"), "{error}");
}

#[test]
fn resources_templates_and_prompts_have_filters_too() {
    let fake = fake::legacy()
        .resource("x://1")
        .resource("y://1")
        .template("x://{n}")
        .template("y://{n}")
        .prompt("p1")
        .prompt("q1")
        .http();
    let keys = json!({"resources": ["x://*"], "templates": {"deny": ["y://*"]}, "prompts": ["p*"]});
    let (_mux, client) = ruled(&fake, 3, &keys);
    assert_eq!(client.names("resources"), ["x://1"]);
    assert_eq!(client.names("resourceTemplates"), ["x://{n}"]);
    assert_eq!(client.names("prompts"), ["a__p1"]);
    assert_eq!(
        client
            .request("prompts/get", &json!({"name": "a__q1"}))
            .code(),
        -32602
    );
    client
        .request("resources/read", &json!({"uri": "y://1"}))
        .error();
    assert_eq!(
        (fake.count("prompts/get"), fake.count("resources/read")),
        (0, 0)
    );
}
