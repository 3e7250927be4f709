//! Further names: of a server, and of one entry.

use serde_json::json;

use crate::support::{MuxTest, fake};

#[test]
fn a_servers_alias_may_be_called_and_is_not_listed() {
    let fake = fake::legacy().tool("read").prompt("p").http();
    let keys = json!({"aliases": ["fs", "disk"]});
    let mux = MuxTest::new().upstream_with("files", &fake, &keys).start();
    let client = mux.legacy();
    assert_eq!(client.names("tools"), ["files__read"]);
    for name in ["files__read", "fs__read", "disk__read"] {
        assert_eq!(client.call(name, &json!({})).said(), "read {}");
    }
    let answer = client.request("prompts/get", &json!({"name": "fs__p"}));
    assert_eq!(answer.str("result/messages/0/content/text"), "p -");
}

#[test]
fn an_entrys_alias_is_listed_in_place_of_the_long_name() {
    let fake = fake::legacy()
        .tools(&["search_web", "other"])
        .prompt("greet")
        .http();
    let settings = json!({"aliases": {"search": "web__search_web", "hi": "web__greet"}});
    let mux = MuxTest::new()
        .settings(&settings)
        .upstream("web", &fake)
        .start();
    let client = mux.legacy();
    assert_eq!(client.names("tools"), ["search", "web__other"]);
    assert_eq!(client.names("prompts"), ["hi"]);
    for name in ["search", "web__search_web"] {
        assert_eq!(client.call(name, &json!({})).said(), "search_web {}");
    }
    for name in ["hi", "web__greet"] {
        let answer = client.request("prompts/get", &json!({"name": name}));
        assert_eq!(answer.str("result/messages/0/content/text"), "greet -");
    }
}

#[test]
fn an_alias_does_not_open_what_a_filter_closed() {
    let fake = fake::legacy().tools(&["open", "secret"]).http();
    let keys = json!({"aliases": ["x"], "tools": {"deny": ["secret"]}});
    let settings = json!({"aliases": {"s": "a__secret"}});
    let test = MuxTest::new()
        .settings(&settings)
        .upstream_with("a", &fake, &keys);
    let mux = test.listed(1).start();
    let client = mux.legacy();
    for name in ["x__secret", "s", "a__secret"] {
        assert_eq!(client.call(name, &json!({})).code(), -32602);
    }
    assert_eq!(fake.count("tools/call"), 0);
}
