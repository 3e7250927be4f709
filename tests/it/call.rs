//! `tools/call` in every pairing: arguments, results, errors, ids, metadata.

use serde_json::{Value, json};

use crate::support::matrix::matrix;
use crate::support::{Era, MuxTest, Pairing, Reply, fake};

matrix! {
    a_call_reaches_the_tool,
    a_call_is_one_request_on_a_connection_that_is_there,
    an_error_result_is_a_result,
    an_error_of_the_server_passes_verbatim,
    an_unknown_tool_is_refused_with_the_nearest_name,
    an_unknown_method_is_refused,
    metadata_passes,
    ids_come_back_as_they_were,
    many_calls_at_once_find_their_callers,
    pings_are_answered_here,
}

fn a_call_reaches_the_tool(p: Pairing) {
    let t = p.start(p.fake().tool("echo"));
    assert_eq!(
        t.client.call("a__echo", &json!({"x": [1, null]})).said(),
        r#"echo {"x":[1,null]}"#
    );
    assert_eq!(t.client.ask_call("a__echo").answer().said(), "echo -");
    assert_eq!(t.fake.count("tools/call"), 2);
}

fn a_call_is_one_request_on_a_connection_that_is_there(p: Pairing) {
    let t = p.start(p.fake().tool("echo"));
    t.fake.wait_stream();
    t.client.call("a__echo", &json!({}));
    let (seen, links) = (t.fake.seen().len(), t.fake.links());
    for _ in 0..10 {
        t.client.call("a__echo", &json!({}));
    }
    assert_eq!(
        t.fake.seen().len(),
        seen + 10,
        "requests, sessions included"
    );
    // The client may have an answer a moment before its connection is free again.
    let new = t.fake.links() - links;
    assert!(new <= 1, "{new} new connections");
}

fn an_error_result_is_a_result(p: Pairing) {
    let result = json!({"content": [{"type": "text", "text": "no"}], "isError": true});
    let t = p.start(
        p.fake()
            .tool_answering("fails", move |_| Reply::from(result.clone())),
    );
    let answer = t.client.call("a__fails", &json!({}));
    assert_eq!(
        (answer.get("result/isError"), answer.said()),
        (json!(true), "no".to_owned())
    );
}

fn an_error_of_the_server_passes_verbatim(p: Pairing) {
    let error = r#"{"code":-31999,"message":"n\u00f6","data":{"z":1e400,"a":[]},"vendor":true}"#;
    let t = p.start(
        p.fake()
            .tool_answering("fails", move |_| Reply::Error(error.to_owned())),
    );
    let answer = t.client.call("a__fails", &json!({}));
    assert_eq!(answer.raw("error").as_deref(), Some(error));
}

fn an_unknown_tool_is_refused_with_the_nearest_name(p: Pairing) {
    let t = p.start(p.fake().tool("create_issue"));
    let error = t.client.call("a__create_isue", &json!({})).error();
    assert_eq!(error["code"], -32602);
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("a__create_isue"), "{error}");
    assert!(message.contains("a__create_issue"), "{error}");
    assert_eq!(t.fake.count("tools/call"), 0);
}

fn an_unknown_method_is_refused(p: Pairing) {
    let t = p.start(p.fake().tool("echo"));
    assert_eq!(t.client.request("tools/destroy", &json!({})).code(), -32601);
    assert_eq!(t.client.call("a__echo", &json!({})).said(), "echo {}");
}

fn metadata_passes(p: Pairing) {
    let t = p.start(p.fake().tool("echo"));
    let ask = t
        .client
        .ask_call("a__echo")
        .meta("com.example/x", r#"{"b":1.50,"a":"\u0041"}"#);
    ask.meta("traceparent", "\"00-11-22-01\"").answer().result();
    let seen = &t.fake.seen_of("tools/call")[0].msg;
    let meta = |key: &str| seen.raw(&format!("params/_meta/{key}"));
    assert_eq!(
        meta("com.example~1x").as_deref(),
        Some(r#"{"b":1.50,"a":"\u0041"}"#)
    );
    assert_eq!(meta("traceparent").as_deref(), Some("\"00-11-22-01\""));
    let version = meta("io.modelcontextprotocol~1protocolVersion");
    assert_eq!(
        version.is_some(),
        p.server == Era::Modern,
        "{}",
        seen.text()
    );
}

fn ids_come_back_as_they_were(p: Pairing) {
    let t = p.start(p.fake().tool("echo"));
    for id in [
        "0",
        "-7",
        "9007199254740993",
        "\"\"",
        "\"7\"",
        r#""\u00e9 \"x\"""#,
        "\"a/b\"",
    ] {
        let answer = t.client.ask_call("a__echo").id(id).answer();
        assert_eq!(answer.id(), Some(id));
        assert_eq!(answer.said(), "echo -");
    }
}

fn many_calls_at_once_find_their_callers(p: Pairing) {
    let t = p.start(p.fake().tool("echo"));
    let calls: Vec<_> = (0..40)
        .map(|n| t.client.start_call("a__echo", &json!({"n": n})))
        .collect();
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.answer().said(), format!(r#"echo {{"n":{n}}}"#));
    }
}

fn pings_are_answered_here(p: Pairing) {
    let t = p.start(p.fake().tool("echo"));
    let answer = t.client.request("ping", &json!({}));
    match p.client {
        Era::Legacy => assert_eq!(answer.result(), json!({})),
        Era::Modern => assert_eq!(answer.code(), -32601),
    }
    assert_eq!(t.fake.count("ping"), 0);
}

#[test]
fn a_call_without_a_name_is_refused() {
    let fake = fake::legacy().tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    assert_eq!(
        client
            .request("tools/call", &json!({"arguments": {}}))
            .code(),
        -32602
    );
    assert_eq!(
        client.request("tools/call", &json!({"name": 7})).code(),
        -32602
    );
    assert_eq!(client.request("tools/call", &Value::Null).code(), -32602);
    assert_eq!(fake.count("tools/call"), 0);
}

#[test]
fn a_second_name_cannot_be_smuggled_past_the_mux() {
    let fake = fake::legacy().tools(&["open", "secret"]).http();
    let mux = MuxTest::new()
        .upstream_with("a", &fake, &json!({"tools": {"deny": ["secret"]}}))
        .listed(1)
        .start();
    let client = mux.legacy();
    for (first, second) in [("a__open", "secret"), ("secret", "a__open")] {
        let ask = client
            .ask("tools/call")
            .member("name", &json!(first).to_string());
        let answer = ask.member("name", &json!(second).to_string()).answer();
        assert!(!answer.text().contains("secret -"), "{}", answer.text());
    }
    for seen in fake.seen_of("tools/call") {
        assert_eq!(
            seen.msg.text().matches("\"name\"").count(),
            1,
            "{}",
            seen.msg.text()
        );
        assert_eq!(seen.msg.str("params/name"), "open");
    }
}

#[test]
fn an_escaped_name_is_the_same_name() {
    let fake = fake::legacy().tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let ask = mux.legacy();
    let answer = ask
        .ask("tools/call")
        .member("name", r#""a__ech\u006f""#)
        .answer();
    assert_eq!(answer.said(), "echo -");
}

#[test]
fn one_connection_carries_the_calls_of_all_clients() {
    let fake = fake::legacy().tool("echo").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let clients = [mux.legacy(), mux.modern(), mux.legacy(), mux.modern()];
    let calls: Vec<_> = clients
        .iter()
        .map(|client| client.ask_call("a__echo").id("1").send())
        .collect();
    for call in calls {
        assert_eq!(call.answer().said(), "echo -");
    }
    assert_eq!((fake.starts(), fake.count("initialize")), (1, 1));
}
