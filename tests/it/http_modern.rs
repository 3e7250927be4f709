//! Streamable HTTP for modern clients: headers that must agree with the body, and no sessions.

use serde_json::{Value, json};

use crate::support::client::Connect;
use crate::support::{Ask, Client, Era, FakeServer, Mux, MuxTest, Request, fake};

fn started() -> (Client, Mux, FakeServer) {
    let fake = fake::legacy()
        .tool("echo")
        .resource("x://1")
        .prompt("p")
        .http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.modern();
    (client, mux, fake)
}

/// The status and the code with which a request is refused.
fn refused(ask: Ask<'_>) -> (u16, i64) {
    let answer = ask.send().response();
    (answer.status(), answer.msg().code())
}

#[test]
fn discover_tells_of_the_mux() {
    let (client, _mux, _fake) = started();
    let answer = client.request("server/discover", &json!({}));
    let found = answer.result();
    let versions = found["supportedVersions"].as_array().expect("revisions");
    assert!(versions.contains(&json!("2026-07-28")), "{found}");
    assert_eq!(found["resultType"], "complete");
    assert!(
        found["ttlMs"].is_u64() && found["cacheScope"].is_string(),
        "{found}"
    );
    assert_eq!(
        found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
        "mcpmux"
    );
}

#[test]
fn there_is_no_session() {
    let (client, mux, _fake) = started();
    let answer = client.ask("tools/list").send().response();
    assert_eq!(
        (answer.status(), answer.header("mcp-session-id")),
        (200, None)
    );
    let strange = client
        .ask("tools/list")
        .header("Mcp-Session-Id", "anything")
        .send()
        .response();
    assert_eq!(strange.status(), 200);
    assert_eq!(mux.modern().names("tools"), ["a__echo"]);
}

#[test]
fn headers_that_disagree_with_the_body_are_refused() {
    let (client, _mux, fake) = started();
    let call = || client.ask_call("a__echo");
    assert_eq!(
        refused(call().header("Mcp-Method", "tools/list")),
        (400, -32020)
    );
    assert_eq!(refused(call().without_header("Mcp-Method")), (400, -32020));
    assert_eq!(
        refused(call().header("Mcp-Name", "a__other")),
        (400, -32020)
    );
    assert_eq!(refused(call().without_header("Mcp-Name")), (400, -32020));
    let read = client.ask("resources/read").member("uri", "\"x://1\"");
    assert_eq!(refused(read.header("Mcp-Name", "x://2")), (400, -32020));
    let prompt = client.ask("prompts/get").member("name", "\"a__p\"");
    assert_eq!(refused(prompt.header("Mcp-Name", "p")), (400, -32020));
    let listed = client
        .ask("tools/list")
        .header("MCP-Protocol-Version", "2025-11-25");
    assert_eq!(refused(listed), (400, -32020));
    assert_eq!(fake.count("tools/call"), 0);
}

#[test]
fn a_header_may_be_written_in_base64() {
    let (client, _mux, fake) = started();
    let ask = client
        .ask_call("a__echo")
        .header("Mcp-Name", "=?base64?YV9fZWNobw==?=");
    assert_eq!(ask.answer().said(), "echo -");
    let ask = client
        .ask_call("a__echo")
        .header("Mcp-Name", "=?base64?YV9fb3RoZXI=?=");
    assert_eq!(refused(ask), (400, -32020));
    assert_eq!(fake.count("tools/call"), 1);
}

#[test]
fn a_revision_that_is_not_served_is_refused_with_those_that_are() {
    let mux = MuxTest::new().unready().start();
    let client = mux.connect(Connect::new(Era::Modern).speaking("2027-01-01"));
    let answer = client.ask("tools/list").send().response();
    assert_eq!(answer.status(), 400);
    let error = answer.msg().error();
    assert_eq!(error["code"], -32022);
    assert_eq!(error["data"]["requested"], "2027-01-01");
    let supported = error["data"]["supported"].as_array().expect("revisions");
    assert!(supported.contains(&json!("2026-07-28")), "{error}");
}

#[test]
fn metadata_that_is_missing_or_odd_is_refused() {
    let (client, _mux, fake) = started();
    let key = |name: &str| format!("io.modelcontextprotocol/{name}");
    let call = || client.ask_call("a__echo");
    assert_eq!(
        refused(call().without_meta(&key("clientCapabilities"))),
        (400, -32602)
    );
    assert_eq!(
        refused(call().meta(&key("clientCapabilities"), "7")),
        (400, -32602)
    );
    assert_eq!(
        refused(call().meta(&key("protocolVersion"), "7")),
        (400, -32602)
    );
    let status = refused(call().without_meta(&key("protocolVersion")));
    assert_eq!(status, (400, -32602));
    assert_eq!(
        call().without_meta(&key("clientInfo")).answer().said(),
        "echo -"
    );
    assert_eq!(fake.count("tools/call"), 1);
}

#[test]
fn an_unknown_method_is_404() {
    let (client, _mux, _fake) = started();
    assert_eq!(refused(client.ask("tools/destroy")), (404, -32601));
    for method in [
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "initialize",
    ] {
        assert_eq!(refused(client.ask(method)), (404, -32601), "{method}");
    }
}

#[test]
fn an_unknown_tool_is_an_ordinary_answer() {
    let (client, _mux, _fake) = started();
    let answer = client.ask_call("a__none").send().response();
    assert_eq!((answer.status(), answer.msg().code()), (200, -32602));
}

#[test]
fn there_is_no_get_and_no_delete() {
    let (client, mux, _fake) = started();
    for request in [Request::get(), Request::delete()] {
        let answer = client.dressed(request).send(mux.addr());
        assert_eq!(answer.status(), 405);
        assert!(
            answer
                .header("allow")
                .is_some_and(|allow| allow.contains("POST"))
        );
    }
}

#[test]
fn results_of_old_servers_say_what_they_are() {
    let (client, _mux, _fake) = started();
    let complete = |answer: Value| assert_eq!(answer["resultType"], "complete", "{answer}");
    complete(client.call("a__echo", &json!({})).result());
    complete(
        client
            .request("prompts/get", &json!({"name": "a__p"}))
            .result(),
    );
    let read = client
        .request("resources/read", &json!({"uri": "x://1"}))
        .result();
    assert!(
        read["ttlMs"].is_u64() && read["cacheScope"].is_string(),
        "{read}"
    );
    complete(read);
}

#[test]
fn a_result_of_unknown_type_is_a_broken_answer() {
    let fake = fake::modern()
        .tool_answering("odd", |_| {
            json!({"resultType": "vendor/odd", "content": []}).into()
        })
        .http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    assert_eq!(mux.modern().call("a__odd", &json!({})).code(), -32012);
}

#[test]
fn both_eras_are_served_at_once() {
    let (modern, mux, fake) = started();
    let legacy = mux.legacy();
    let calls = [
        modern.start_call("a__echo", &json!({"n": 1})),
        legacy.start_call("a__echo", &json!({"n": 2})),
        modern.start_call("a__echo", &json!({"n": 3})),
    ];
    for (n, call) in (1..).zip(calls) {
        assert_eq!(call.answer().said(), format!(r#"echo {{"n":{n}}}"#));
    }
    assert_eq!(fake.count("tools/call"), 3);
}

#[test]
fn the_name_goes_to_the_server_as_it_is_there() {
    let fake = fake::modern()
        .tool("echo")
        .tool("grüße")
        .resource("x://ü")
        .prompt("p")
        .http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    client.call("a__echo", &json!({})).result();
    client
        .request("resources/read", &json!({"uri": "x://ü"}))
        .result();
    client
        .request("prompts/get", &json!({"name": "a__p"}))
        .result();
    let name = |method: &str| {
        let head = fake.seen_of(method)[0].head.clone().expect("an HTTP head");
        head.header("mcp-name").map(str::to_owned)
    };
    assert_eq!(name("tools/call").as_deref(), Some("echo"));
    assert_eq!(
        name("resources/read").as_deref(),
        Some("=?base64?eDovL8O8?=")
    );
    assert_eq!(name("prompts/get").as_deref(), Some("p"));
}

#[test]
fn parameters_are_mirrored_as_the_schema_asks() {
    let tool = r#"{"name":"deploy","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"n":{"type":"integer","x-mcp-header":"Count"}}}}"#;
    for sharing in ["shared", "exclusive"] {
        let fake = fake::modern().tool_defined(tool).http();
        let mux = MuxTest::new().upstream_with("a", &fake, &json!({"sharing": sharing}));
        let mux = mux.start();
        mux.legacy()
            .call("a__deploy", &json!({"region": "eu-1", "n": 7}))
            .result();
        let head = fake.seen_of("tools/call")[0]
            .head
            .clone()
            .expect("an HTTP head");
        assert_eq!(head.header("mcp-param-region"), Some("eu-1"), "{sharing}");
        assert_eq!(head.header("mcp-param-count"), Some("7"), "{sharing}");
    }
}

#[test]
fn mirrored_parameters_must_agree_here_too() {
    let tool = r#"{"name":"deploy","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}}"#;
    let fake = fake::modern().tool_defined(tool).http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.modern();
    let call = || {
        client
            .ask_call("a__deploy")
            .member("arguments", r#"{"region":"eu-1"}"#)
    };
    assert_eq!(
        refused(call().header("Mcp-Param-Region", "us-1")),
        (400, -32020)
    );
    assert_eq!(
        call().header("Mcp-Param-Region", "eu-1").answer().said(),
        r#"deploy {"region":"eu-1"}"#
    );
}

#[test]
fn a_tool_whose_mirrored_parameters_make_no_sense_is_not_offered() {
    let broken = r#"{"name":"broken","inputSchema":{"type":"object","properties":{"x":{"type":"object","x-mcp-header":"Not A Token"}}}}"#;
    let fake = fake::modern().tool_defined(broken).tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).listed(1).start();
    assert_eq!(mux.legacy().names("tools"), ["a__echo"]);
}
