//! The merged lists: everything, in order, in every pairing.

use serde_json::{Value, json};

use crate::support::matrix::matrix;
use crate::support::{Era, MuxTest, Pairing, Reply, fake};

matrix! {
    everything_is_listed,
    every_page_is_fetched,
    entries_keep_what_they_say,
    a_cursor_that_was_never_given_is_refused,
}

fn everything_is_listed(p: Pairing) {
    let fake = p
        .fake()
        .tools(&["z", "b"])
        .resource("x://1")
        .template("x://{n}")
        .prompt("p");
    let t = p.start(fake);
    assert_eq!(t.client.names("tools"), ["a__z", "a__b"]);
    assert_eq!(t.client.names("resources"), ["x://1"]);
    assert_eq!(t.client.names("resourceTemplates"), ["x://{n}"]);
    assert_eq!(t.client.names("prompts"), ["a__p"]);
}

fn every_page_is_fetched(p: Pairing) {
    let names: Vec<String> = (0..23).map(|n| format!("t{n}")).collect();
    let fake = names
        .iter()
        .fold(p.fake().pages_of(3), |fake, name| fake.tool(name));
    let t = p.start(fake);
    let listed: Vec<String> = names.iter().map(|name| format!("a__{name}")).collect();
    assert_eq!(t.client.names("tools"), listed);
}

fn entries_keep_what_they_say(p: Pairing) {
    let t = p.start(p.fake().tool("echo").prompt("p"));
    let tool = json!({
        "name": "a__echo",
        "description": "The tool echo.",
        "inputSchema": {"type": "object"},
    });
    let prompt = json!({
        "name": "a__p",
        "description": "The prompt p.",
        "arguments": [{"name": "topic", "required": false}],
    });
    assert_eq!(t.client.list("tools"), [tool]);
    assert_eq!(t.client.list("prompts"), [prompt]);
}

#[test]
fn servers_stand_in_the_order_of_the_file() {
    let zebra = fake::legacy().tools(&["z", "a"]).http();
    let ant = fake::modern().tools(&["y", "b"]).http();
    let mux = MuxTest::new()
        .upstream("zebra", &zebra)
        .upstream("ant", &ant)
        .start();
    let listed = ["zebra__z", "zebra__a", "ant__y", "ant__b"];
    assert_eq!(mux.legacy().names("tools"), listed);
    assert_eq!(mux.modern().names("tools"), listed);
}

#[test]
fn lists_of_nothing_are_empty() {
    let mux = MuxTest::new().start();
    for era in [Era::Legacy, Era::Modern] {
        let client = mux.client(era);
        for list in ["tools", "resources", "resourceTemplates", "prompts"] {
            assert_eq!(client.list(list), [] as [Value; 0]);
        }
    }
}

#[test]
fn modern_lists_say_how_long_they_hold() {
    let fake = fake::modern().tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.modern();
    for method in [
        "tools/list",
        "resources/list",
        "resources/templates/list",
        "prompts/list",
    ] {
        let result = client.request(method, &json!({})).result();
        assert_eq!(result["resultType"], "complete", "{result}");
        assert!(result["cacheScope"].is_string(), "{result}");
        assert!(result["ttlMs"].is_u64(), "{result}");
    }
}

#[test]
fn a_long_list_comes_in_pages_that_hold_together() {
    let names: Vec<String> = (0..3000).map(|n| format!("tool{n:04}")).collect();
    let fake = names
        .iter()
        .fold(fake::legacy(), |fake, name| fake.tool(name))
        .http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let listed: Vec<String> = names.iter().map(|name| format!("a__{name}")).collect();
    assert_eq!(mux.legacy().names("tools"), listed);
}

/// The empty string is a cursor like any other, and here it is one that was never given.
fn a_cursor_that_was_never_given_is_refused(p: Pairing) {
    let t = p.start(p.fake().tool("echo").prompt("p").resource("x://1"));
    for list in ["tools", "prompts", "resources", "resources/templates"] {
        for cursor in [json!("no such"), json!(""), json!(7)] {
            let answer = t
                .client
                .request(&format!("{list}/list"), &json!({"cursor": cursor}));
            assert_eq!(answer.code(), -32602, "{}", answer.text());
        }
    }
    assert_eq!(t.client.names("tools"), ["a__echo"]);
}

#[test]
fn a_server_that_promises_a_list_and_has_none_is_no_trouble() {
    let fake = fake::legacy()
        .tool("echo")
        .capable_of(json!({"tools": {}, "prompts": {}, "resources": {}}))
        .on("prompts/list", |_| Reply::error(-32601, "Method not found"))
        .on("resources/list", |_| Reply::error(-32603, "broken"))
        .http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    assert_eq!(client.names("tools"), ["a__echo"]);
    assert_eq!(client.list("prompts"), [] as [Value; 0]);
}

#[test]
fn lists_do_not_depend_on_who_asks_and_when() {
    let fake = fake::dual().tools(&["c", "a", "b"]).http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let first = mux.modern().ask("tools/list").answer().raw("result/tools");
    for _ in 0..5 {
        assert_eq!(
            mux.modern().ask("tools/list").answer().raw("result/tools"),
            first
        );
        assert_eq!(
            mux.legacy().ask("tools/list").answer().raw("result/tools"),
            first
        );
    }
    assert_eq!(fake.count("tools/list"), 1);
}
