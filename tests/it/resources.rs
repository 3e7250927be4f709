//! `resources/read`: by URI, by template, by scheme, and where URIs collide.

use serde_json::json;

use crate::support::matrix::matrix;
use crate::support::{Client, Era, MuxTest, Pairing, Reply, fake};

matrix! {
    a_listed_resource_is_read,
    a_template_leads_to_its_server,
    a_scheme_of_one_server_leads_there,
    a_server_that_has_it_not_says_so,
}

fn read(client: &Client, uri: &str) -> String {
    let answer = client.request("resources/read", &json!({"uri": uri}));
    answer.result();
    answer.str("result/contents/0/text")
}

fn a_listed_resource_is_read(p: Pairing) {
    let t = p.start(p.fake().resource("x://1").resource("file:///ü b"));
    assert_eq!(read(&t.client, "x://1"), "content of x://1");
    assert_eq!(read(&t.client, "file:///ü b"), "content of file:///ü b");
}

fn a_template_leads_to_its_server(p: Pairing) {
    let t = p.start(p.fake().template("issue://{owner}/{number}"));
    assert_eq!(read(&t.client, "issue://me/7"), "content of issue://me/7");
}

fn a_scheme_of_one_server_leads_there(p: Pairing) {
    let fake = p.fake().resource("x://listed").on("resources/read", |call| {
        let uri = call.msg.str("params/uri");
        Reply::raw(format!(
            r#"{{"ttlMs":1,"cacheScope":"private","contents":[{{"uri":"{uri}","text":"found"}}]}}"#
        ))
    });
    let t = p.start(fake);
    assert_eq!(read(&t.client, "x://not/listed"), "found");
}

fn a_server_that_has_it_not_says_so(p: Pairing) {
    let t = p.start(p.fake().resource("x://1"));
    let code = t
        .client
        .request("resources/read", &json!({"uri": "x://2"}))
        .code();
    match (p.client, p.server) {
        (Era::Legacy, Era::Legacy) => assert_eq!(code, -32002),
        (Era::Legacy, Era::Modern) => assert!([-32002, -32602].contains(&code), "{code}"),
        (Era::Modern, _) => assert_eq!(code, -32602),
    }
}

#[test]
fn a_uri_of_nobody_is_refused() {
    let fake = fake::legacy().tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let error = mux
        .modern()
        .request("resources/read", &json!({"uri": "x://2"}))
        .error();
    assert_eq!(error["code"], -32602);
    assert!(
        error["message"]
            .as_str()
            .unwrap_or_default()
            .contains("x://2"),
        "{error}"
    );
}

#[test]
fn the_second_of_two_equal_uris_gets_its_servers_name() {
    let first = fake::legacy().resource("x://1").http();
    let second = fake::legacy()
        .resource("x://1")
        .tool_answering("link", |_| {
            let link = json!({"type": "resource_link", "uri": "x://1", "name": "l"});
            let embedded = json!({"type": "resource", "resource": {"uri": "x://1", "text": "t"}});
            Reply::from(json!({"content": [link, embedded]}))
        })
        .http();
    let mux = MuxTest::new()
        .upstream("a", &first)
        .upstream("b", &second)
        .start();
    let client = mux.legacy();
    assert_eq!(client.names("resources"), ["x://1", "b+x://1"]);
    let answer = client.request("resources/read", &json!({"uri": "b+x://1"}));
    let contents = json!([
        {"uri": "b+x://1", "mimeType": "text/plain", "text": "content of x://1"},
    ]);
    assert_eq!(answer.result()["contents"], contents);
    client
        .request("resources/read", &json!({"uri": "x://1"}))
        .result();
    assert_eq!(
        (
            first.count("resources/read"),
            second.count("resources/read")
        ),
        (1, 1)
    );
    let answer = client.call("b__link", &json!({}));
    assert_eq!(answer.str("result/content/0/uri"), "b+x://1");
    assert_eq!(answer.str("result/content/1/resource/uri"), "b+x://1");
}

#[test]
fn the_second_of_two_equal_templates_gets_its_servers_name() {
    let first = fake::legacy().template("x://{n}").http();
    let second = fake::legacy().template("x://{n}").http();
    let mux = MuxTest::new()
        .upstream("a", &first)
        .upstream_with("b", &second, &json!({"prefix": "My_B"}))
        .start();
    let client = mux.legacy();
    assert_eq!(
        client.names("resourceTemplates"),
        ["x://{n}", "my-b+x://{n}"]
    );
    assert_eq!(read(&client, "my-b+x://7"), "content of x://7");
    assert_eq!(read(&client, "x://7"), "content of x://7");
    assert_eq!(
        (
            first.count("resources/read"),
            second.count("resources/read")
        ),
        (1, 1)
    );
}

#[test]
fn two_owners_of_a_scheme_are_both_asked() {
    let first = fake::legacy().resource("x://1").http();
    let second = fake::legacy()
        .resource("x://2")
        .on("resources/read x://3", |_| {
            Reply::from(json!({"contents": [{"uri": "x://3", "text": "from the second"}]}))
        })
        .http();
    let mux = MuxTest::new()
        .upstream("a", &first)
        .upstream("b", &second)
        .start();
    assert_eq!(read(&mux.legacy(), "x://3"), "from the second");
    assert_eq!(second.count("resources/read"), 1);
}

#[test]
fn a_denied_uri_is_asked_of_nobody() {
    let fake = fake::legacy()
        .resource("x://open")
        .resource("x://secret")
        .http();
    let mux = MuxTest::new()
        .upstream_with("a", &fake, &json!({"resources": {"deny": ["x://secret*"]}}))
        .listed(1)
        .start();
    let client = mux.legacy();
    assert_eq!(client.names("resources"), ["x://open"]);
    for uri in ["x://secret", "x://secret/unlisted"] {
        client
            .request("resources/read", &json!({"uri": uri}))
            .error();
    }
    assert_eq!(fake.count("resources/read"), 0);
}

#[test]
fn a_link_given_out_in_a_result_leads_back_to_its_server() {
    let other = fake::legacy().resource("y://1").http();
    let fake = fake::legacy()
        .capable_of(json!({"tools": {}, "resources": {}}))
        .tool_answering("link", |_| {
            let link = json!({"type": "resource_link", "uri": "z://9", "name": "l"});
            Reply::from(json!({"content": [link]}))
        })
        .on("resources/read z://9", |_| {
            Reply::from(json!({"contents": [{"uri": "z://9", "text": "linked"}]}))
        })
        .http();
    let mux = MuxTest::new()
        .upstream("other", &other)
        .upstream("a", &fake)
        .start();
    let client = mux.legacy();
    client.call("a__link", &json!({})).result();
    assert_eq!(read(&client, "z://9"), "linked");
}
