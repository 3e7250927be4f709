//! Servers of the HTTP+SSE transport of 2024-11-05: the endpoint, the fallback to it, and what goes wrong.

use serde_json::{Value, json};

use crate::support::{FakeServer, Gate, MuxTest, Reply, eventually, fake};

/// What `list servers --json` says of the one server `a`.
fn reported(test: &MuxTest) -> Value {
    let ran = test.run(&["list", "servers", "--json"]);
    let servers: Value = serde_json::from_str(&ran.stdout).expect("JSON on stdout");
    servers[0].clone()
}

/// The error of a server that answers a GET with a stream of these bytes.
fn error_of(stream: String) -> String {
    let fake = fake::legacy()
        .http_answering(move |head| {
            let of = if head.word(0) == "GET" {
                "200 OK\r\nContent-Type: text/event-stream"
            } else {
                "405 No\r\nContent-Length: 0"
            };
            let body = if head.word(0) == "GET" { &stream } else { "" };
            Some(format!("HTTP/1.1 {of}\r\n\r\n{body}"))
        })
        .sse();
    let keys = json!({"startupTimeout": "1s"});
    let report = reported(&MuxTest::new().upstream_with("a", &fake, &keys));
    report["error"].as_str().expect("an error").to_owned()
}

fn refusing(status: u16, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} No\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn url_of(fake: &FakeServer) -> String {
    format!("http://{}/sse", fake.addr())
}

#[test]
fn headers_go_with_the_stream_and_with_every_message() {
    let fake = fake::legacy().tool("echo").sse();
    let keys =
        json!({"headers": {"X-Team": "blue"}, "auth": {"type": "bearer", "token": "s3cr3t"}});
    let mux = MuxTest::new()
        .env("MCPMUX_LOG", "trace")
        .upstream_with("a", &fake, &keys)
        .start();
    assert_eq!(mux.modern().call("a__echo", &json!({})).said(), "echo {}");
    let posts = fake.seen().into_iter().filter_map(|seen| seen.head);
    for head in posts.chain(fake.heads()) {
        assert_eq!(head.header("x-team"), Some("blue"), "{head:?}");
        assert_eq!(head.header("authorization"), Some("Bearer s3cr3t"));
    }
    assert_eq!(fake.count("server/discover"), 0);
    assert!(!mux.stderr().contains("s3cr3t"), "{}", mux.stderr());
}

#[test]
fn a_url_without_a_type_falls_back_when_the_handshake_is_refused() {
    let fake = fake::legacy().tool("echo").sse();
    let entry = json!({"url": url_of(&fake)});
    let mux = MuxTest::new().entry("a", entry).listed(1).start();
    assert_eq!(mux.modern().call("a__echo", &json!({})).said(), "echo {}");
    assert_eq!(fake.heads().len(), 1);
    drop(mux);
    for status in [400, 405] {
        let fake = fake::legacy()
            .tool("echo")
            .http_answering(move |head| {
                let here = head.start.starts_with("POST /sse");
                here.then(|| format!("HTTP/1.1 {status} No\r\nContent-Length: 2\r\n\r\nno"))
            })
            .sse();
        let entry = json!({"type": "http", "url": url_of(&fake)});
        let report = reported(&MuxTest::new().entry("a", entry));
        assert_eq!(
            (&report["state"], &report["tools"]),
            (&json!("ready"), &json!(1))
        );
    }
}

#[test]
fn a_body_that_answers_no_request_does_not_hold_the_fallback_up() {
    // What express, Starlette and the SDKs' own examples say at a path that takes no POST.
    for body in [
        r#"{"detail":"Method Not Allowed"}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Method not allowed."},"id":null}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"No."}}"#,
        r#"{"jsonrpc":"2.0","result":{},"id":77}"#,
    ] {
        let fake = fake::legacy()
            .tool("echo")
            .http_answering(move |head| {
                let here = head.start.starts_with("POST /sse");
                here.then(|| refusing(405, body))
            })
            .sse();
        let entry = json!({"url": url_of(&fake)});
        let report = reported(&MuxTest::new().entry("a", entry));
        assert_eq!(report["state"], "ready", "{body}: {report}");
    }
}

#[test]
fn an_error_about_the_handshake_itself_comes_from_a_server_that_takes_posts() {
    // The probe has the id 1 and the handshake the id 2; the last ones are about nothing, but no old server says that.
    for (body, said) in [
        (
            r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"modern only"},"id":2}"#,
            "modern only",
        ),
        (
            r#"{"jsonrpc":"2.0","error":{"code":-32022,"message":"no","data":{"supported":["2031-01-01"]}},"id":null}"#,
            "2031-01-01",
        ),
        (
            r#"{"jsonrpc":"2.0","error":{"code":-32020,"message":"headers"},"id":null}"#,
            "headers",
        ),
    ] {
        let fake = fake::legacy()
            .tool("echo")
            .http_answering(move |head| {
                let here = head.start.starts_with("POST /sse");
                here.then(|| refusing(400, body))
            })
            .sse();
        let entry = json!({"url": url_of(&fake)});
        let report = reported(&MuxTest::new().entry("a", entry));
        assert_eq!(report["state"], "unavailable", "{body}: {report}");
        let error = report["error"].as_str().expect("an error");
        assert!(error.contains(said), "{error}");
        assert!(fake.heads().iter().all(|head| head.word(0) == "POST"));
    }
}

#[test]
fn what_a_server_that_speaks_neither_has_said_is_shown() {
    let body = r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"which tenant?"},"id":null}"#;
    let fake = fake::legacy()
        .http_answering(move |_| Some(refusing(400, body)))
        .http();
    let report = reported(&MuxTest::new().upstream("a", &fake));
    let error = report["error"].as_str().expect("an error");
    assert!(error.contains("which tenant?"), "{error}");
}

#[test]
fn other_refusals_are_no_reason_to_fall_back() {
    for (status, state) in [
        (401, "needs-login"),
        (403, "needs-login"),
        (500, "unavailable"),
        (406, "unavailable"),
    ] {
        let fake = fake::legacy()
            .tool("echo")
            .http_answering(move |head| {
                let here = head.start.starts_with("POST /sse");
                here.then(|| format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n"))
            })
            .sse();
        let entry = json!({"url": url_of(&fake)});
        let report = reported(&MuxTest::new().entry("a", entry));
        assert_eq!(report["state"], state, "{report}");
        assert!(fake.heads().iter().all(|head| head.word(0) == "POST"));
    }
}

#[test]
fn a_server_that_speaks_neither_is_reported_by_what_it_said_first() {
    let fake = fake::legacy()
        .http_answering(|head| {
            let status = if head.word(0) == "GET" { 410 } else { 404 };
            Some(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n"))
        })
        .http();
    let report = reported(&MuxTest::new().upstream("a", &fake));
    assert_eq!(report["error"], "the server answered HTTP status 404");
    assert!(fake.heads().iter().any(|head| head.word(0) == "GET"));
}

#[test]
fn an_endpoint_on_another_origin_is_refused() {
    let other = fake::legacy().tool("echo").sse();
    let port = other.addr().port();
    for url in [
        format!("http://127.0.0.1:{port}/messages?link=1"),
        "//example.com/m".into(),
    ] {
        let error = error_of(format!("event: endpoint\ndata: {url}\n\n"));
        assert!(error.contains("is not at `http://127.0.0.1"), "{error}");
    }
    assert_eq!(other.links(), 0);
}

#[test]
fn a_stream_without_an_endpoint_is_given_up() {
    let error = error_of("event: message\ndata: {}\n\n: still here\n\n".into());
    assert!(error.contains("named no endpoint within"), "{error}");
}

#[test]
fn a_stream_that_ends_takes_its_calls_along_and_is_opened_anew() {
    let gate = Gate::new();
    let held = gate.clone();
    let fake = fake::legacy()
        .tool("echo")
        .tool_answering("dies", |call| {
            call.sever();
            Reply::Nothing
        })
        .tool_answering("waits", move |_| {
            held.wait("the test is over");
            Reply::Nothing
        })
        .sse();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let waiting = client.start_call("a__waits", &json!({}));
    fake.wait_seen("tools/call", 1);
    assert_eq!(client.call("a__dies", &json!({})).code(), -32015);
    assert_eq!(waiting.answer().code(), -32015);
    eventually("the server is there again", || {
        let answer = client.call("a__echo", &json!({}));
        answer.raw("error").is_none().then_some(())
    });
    gate.open();
}

#[test]
fn what_is_too_large_or_garbage_on_the_stream_costs_nobody_else() {
    let fake = fake::legacy()
        .tool("echo")
        .tool_answering("large", |_| Reply::text(&"x".repeat(80 * 1024)))
        .sse();
    let mux = MuxTest::new()
        .settings(&json!({"maxMessageSize": "64KiB"}))
        .upstream("a", &fake)
        .start();
    let client = mux.legacy();
    assert_eq!(client.call("a__large", &json!({})).code(), -32012);
    fake.bytes(b"event: ping\ndata: {}\n\ngarbage\n\ndata: {\"half\":\n\nevent: endpoint\ndata: http://x/\n\n");
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
    assert_eq!(fake.heads().len(), 1);
}

#[test]
fn a_message_that_is_refused_is_its_calls_end() {
    let refuse = Gate::new();
    let now = refuse.clone();
    let fake = fake::legacy()
        .tool("echo")
        .http_answering(move |head| {
            let refused = now.is_open() && head.word(0) == "POST";
            refused.then(|| "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n".to_owned())
        })
        .sse();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.modern();
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
    refuse.open();
    let error = client.call("a__echo", &json!({})).error();
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("422")),
        "{error}"
    );
}

#[test]
fn a_server_that_has_forgotten_the_stream_is_connected_to_anew() {
    let forget = Gate::new();
    let forgotten = forget.clone();
    let fake = fake::legacy()
        .tool("echo")
        .http_answering(move |head| {
            let lost = forgotten.is_open() && head.word(1) == "/messages?link=1";
            lost.then(|| "HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n".to_owned())
        })
        .sse();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.modern();
    forget.open();
    eventually("a new stream", || {
        let answer = client.call("a__echo", &json!({}));
        answer.raw("error").is_none().then_some(())
    });
    assert_eq!(
        fake.heads()
            .iter()
            .filter(|head| head.word(0) == "GET")
            .count(),
        2
    );
}

#[test]
fn a_server_may_hold_its_answer_to_a_message_until_all_is_done() {
    let fake = fake::legacy()
        .tool("echo")
        .tool_answering("asks", |call| {
            Reply::text(call.ask_anew("ping", &json!({})).text())
        })
        .holding_posts()
        .sse();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    assert!(
        client
            .call("a__asks", &json!({}))
            .said()
            .contains(r#""result":{}"#)
    );
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
}
