//! Public names: prefix, separator, rename, describe, shortening.

use serde_json::{Value, json};

use crate::support::{Fake, MuxTest, fake};

/// The tools that one server with these keys offers under the name `my server`.
fn named(fake: Fake, settings: &Value, keys: &Value) -> Vec<String> {
    let fake = fake.http();
    let mux = MuxTest::new()
        .settings(settings)
        .upstream_with("my server", &fake, keys)
        .start();
    mux.legacy().names("tools")
}

fn echo() -> Fake {
    fake::legacy().tool("echo")
}

#[test]
fn the_prefix_is_the_servers_key_made_fit_for_a_name() {
    assert_eq!(named(echo(), &json!({}), &json!({})), ["my_server__echo"]);
}

#[test]
fn the_prefix_can_be_another_or_none() {
    assert_eq!(
        named(echo(), &json!({}), &json!({"prefix": "p"})),
        ["p__echo"]
    );
    assert_eq!(
        named(echo(), &json!({}), &json!({"prefix": "ü/p"})),
        ["__p__echo"]
    );
    assert_eq!(
        named(echo(), &json!({}), &json!({"prefix": null})),
        ["echo"]
    );
    assert_eq!(named(echo(), &json!({}), &json!({"prefix": ""})), ["echo"]);
}

#[test]
fn the_separator_can_be_another() {
    let settings = json!({"separator": "."});
    assert_eq!(
        named(echo(), &settings, &json!({"prefix": "p"})),
        ["p.echo"]
    );
}

#[test]
fn a_renamed_tool_is_called_by_its_new_name_only() {
    let fake = fake::legacy().tools(&["create_issue", "other"]).http();
    let keys = json!({"tools": {
        "rename": {"create_issue": "new_issue"},
        "describe": {"create_issue": "Open an issue."},
    }});
    let mux = MuxTest::new().upstream_with("gh", &fake, &keys).start();
    let client = mux.legacy();
    let tools = client.list("tools");
    let shown = json!({
        "name": "gh__new_issue",
        "description": "Open an issue.",
        "inputSchema": {"type": "object"},
    });
    assert_eq!(tools[0], shown);
    assert_eq!(
        client.call("gh__new_issue", &json!({})).said(),
        "create_issue {}"
    );
    let error = client.call("gh__create_issue", &json!({})).error();
    assert_eq!(error["code"], -32602);
    assert!(
        error["message"]
            .as_str()
            .unwrap_or_default()
            .contains("gh__new_issue"),
        "{error}"
    );
}

#[test]
fn prompts_are_named_like_tools() {
    let fake = fake::legacy().prompt("greet").http();
    let keys = json!({"prefix": "p", "prompts": {
        "rename": {"greet": "hello"},
        "describe": {"greet": "Say hello."},
    }});
    let mux = MuxTest::new().upstream_with("a", &fake, &keys).start();
    let client = mux.legacy();
    let prompts = client.list("prompts");
    assert_eq!(
        (&prompts[0]["name"], &prompts[0]["description"]),
        (&json!("p__hello"), &json!("Say hello."))
    );
    let answer = client.request("prompts/get", &json!({"name": "p__hello"}));
    assert_eq!(answer.str("result/messages/0/content/text"), "greet -");
}

#[test]
fn a_name_that_is_too_long_is_shortened_for_good() {
    let long = "x".repeat(100);
    let twin = format!("{}y", "x".repeat(99));
    let fake = fake::legacy().tool(&long).tool(&twin).http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let alone = client.names("tools");
    assert!(
        alone
            .iter()
            .all(|name| name.len() <= 64 && name.starts_with("a__xxx")),
        "{alone:?}"
    );
    assert_ne!(alone[0], alone[1]);
    assert_eq!(
        client.call(&alone[0], &json!({})).said(),
        format!("{long} {{}}")
    );
    assert_eq!(
        client.call(&alone[1], &json!({})).said(),
        format!("{twin} {{}}")
    );

    let other = fake::legacy().tool(&long).http();
    let mux = MuxTest::new()
        .upstream("b", &other)
        .upstream("a", &fake)
        .start();
    assert_eq!(mux.legacy().names("tools")[1..], alone);
}

#[test]
fn the_limit_of_names_can_be_another() {
    let fake = fake::legacy().tool("a_rather_long_name_for_a_tool").http();
    let settings = json!({"maxNameLength": 24});
    let mux = MuxTest::new()
        .settings(&settings)
        .upstream("a", &fake)
        .start();
    let client = mux.legacy();
    let names = client.names("tools");
    assert_eq!(names[0].len(), 24, "{names:?}");
    client.call(&names[0], &json!({})).result();
}

#[test]
fn a_name_that_looks_like_another_servers_is_looked_up_not_cut() {
    let plain = fake::legacy().tool("b__echo").http();
    let other = fake::legacy().tool("rest__echo").http();
    let mux = MuxTest::new()
        .upstream("a", &plain)
        .upstream("a__b", &other)
        .start();
    let client = mux.legacy();
    assert_eq!(client.names("tools"), ["a__b__echo", "a__b__rest__echo"]);
    assert_eq!(client.call("a__b__echo", &json!({})).said(), "b__echo {}");
    assert_eq!(
        client.call("a__b__rest__echo", &json!({})).said(),
        "rest__echo {}"
    );
}
