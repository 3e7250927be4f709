//! The mux on its own stdin and stdout.

use serde_json::json;

use crate::support::client::Connect;
use crate::support::{Client, Era, FakeServer, Msg, Mux, MuxTest, Request, fake};

fn started(settings: &serde_json::Value) -> (Client, Mux, FakeServer) {
    let fake = fake::legacy().tool("echo").stdio();
    let mux = MuxTest::new()
        .settings(settings)
        .upstream("a", &fake)
        .start_stdio();
    let client = mux.legacy();
    (client, mux, fake)
}

/// Writes a line and takes the next error that has no id, or this one.
fn error_for(client: &Client, line: &[u8], id: &str) -> i64 {
    client.stdio().write(line);
    client
        .stdio()
        .take("an error", |msg| msg.is_response() && msg.id() == Some(id))
        .code()
}

#[test]
fn malformed_lines_have_their_codes_and_the_link_survives() {
    let (client, _mux, _fake) = started(&json!({}));
    for line in [
        &b"{"[..],
        b"nonsense",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}",
    ] {
        assert_eq!(error_for(&client, line, "null"), -32700);
    }
    for line in [
        &b"[]"[..],
        b"7",
        br#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
    ] {
        assert_eq!(error_for(&client, line, "null"), -32600);
    }
    assert_eq!(
        error_for(
            &client,
            br#"{"jsonrpc":"1.0","id":"x","method":"ping"}"#,
            "\"x\""
        ),
        -32600
    );
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
}

#[test]
fn blank_lines_and_carriage_returns_are_no_trouble() {
    let (client, _mux, _fake) = started(&json!({}));
    let ping = |id: &str| {
        format!("\r\n\n  \n{{\"jsonrpc\":\"2.0\",\"id\":\"{id}\",\"method\":\"ping\"}}\r\n")
    };
    client
        .stdio()
        .write_bytes([ping("p"), ping("q")].concat().as_bytes());
    for id in ["\"p\"", "\"q\""] {
        client
            .stdio()
            .take("a pong", |msg| msg.id() == Some(id))
            .result();
    }
}

#[test]
fn a_message_may_come_in_pieces() {
    let (client, _mux, _fake) = started(&json!({}));
    for byte in b"{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n" {
        client.stdio().write_bytes(&[*byte]);
    }
    client
        .stdio()
        .take("a pong", |msg| msg.id() == Some("\"p\""))
        .result();
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_link_survives() {
    let (client, _mux, _fake) = started(&json!({"maxMessageSize": 100_000}));
    let long = format!(
        r#"{{"jsonrpc":"2.0","id":"l","method":"ping","params":{{"x":"{}"}}}}"#,
        "x".repeat(500_000)
    );
    let code = error_for(&client, long.as_bytes(), "null");
    assert!([-32600, -32700].contains(&code), "{code}");
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
}

#[test]
fn deep_nesting_is_no_trouble() {
    let (client, _mux, _fake) = started(&json!({}));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let line = format!(r#"{{"jsonrpc":"2.0","id":"d","method":"ping","params":{{"x":{deep}}}}}"#);
    client.stdio().write(line.as_bytes());
    client
        .stdio()
        .take("an answer", |msg| msg.id() == Some("\"d\""));
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
}

#[test]
fn a_batch_of_the_revision_that_has_them_is_answered() {
    let fake = fake::legacy().tool("echo").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start_stdio();
    let client = mux.connect(Connect::new(Era::Legacy).speaking("2025-03-26"));
    let call = r#"{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":"a__echo"}}"#;
    let batch = format!(r#"[{{"jsonrpc":"2.0","id":"p","method":"ping"}},{call}]"#);
    client.stdio().write(batch.as_bytes());
    let answer = client
        .stdio()
        .take_line("a batch", |line| line.starts_with('['));
    assert!(
        answer.contains(r#""id":"p""#) && answer.contains("echo -"),
        "{answer}"
    );
}

#[test]
fn stdout_carries_the_protocol_and_nothing_else() {
    let fake = fake::legacy()
        .tool("echo")
        .child(&["--stderr", "hello from the child"])
        .stdio();
    let mut mux = MuxTest::new()
        .env("RUST_LOG", "trace")
        .upstream("a", &fake)
        .start_stdio();
    let client = mux.legacy();
    client.call("a__echo", &json!({})).result();
    fake.kill();
    mux.stop();
    client.stdio().wait_end();
    for line in client.stdio().lines() {
        assert_eq!(
            Msg::parse(line.as_bytes()).raw("jsonrpc").as_deref(),
            Some("\"2.0\"")
        );
    }
}

#[test]
fn the_end_of_stdin_ends_the_mux() {
    let (client, mut mux, _fake) = started(&json!({}));
    client.stdio().close();
    assert_eq!(mux.process.wait(), 0);
}

#[test]
fn what_was_asked_before_the_end_of_stdin_is_answered() {
    let (client, mut mux, _fake) = started(&json!({}));
    client
        .stdio()
        .write(br#"{"jsonrpc":"2.0","id":"last","method":"tools/list"}"#);
    client.stdio().close();
    client
        .stdio()
        .take("the last answer", |msg| msg.id() == Some("\"last\""))
        .result();
    assert_eq!(mux.process.wait(), 0);
}

#[test]
fn with_http_beside_it_the_end_of_stdin_ends_only_the_link() {
    let fake = fake::legacy().tool("echo").stdio();
    let mux = MuxTest::new()
        .upstream("a", &fake)
        .start_with(&["--stdio", "--http", "127.0.0.1:0"]);
    let http = mux.legacy();
    let stdio = Connect::new(Era::Modern).stdio(mux.stdio());
    assert_eq!(
        stdio.call("a__echo", &json!({"n": 1})).said(),
        r#"echo {"n":1}"#
    );
    stdio.stdio().close();
    assert_eq!(
        http.call("a__echo", &json!({"n": 2})).said(),
        r#"echo {"n":2}"#
    );
    assert_eq!(Request::post("{}").send(mux.addr()).status(), 400);
}

#[test]
fn without_flags_the_file_decides_and_else_stdio() {
    let fake = fake::legacy().tool("echo").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start_with(&[]);
    assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
    let fake = fake::legacy().tool("echo").stdio();
    let test = MuxTest::new()
        .settings(&json!({"listen": "127.0.0.1:0"}))
        .upstream("a", &fake);
    let mux = test.start_listening(&[]);
    assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
}

#[test]
fn a_request_before_the_handshake_is_refused() {
    let mux = MuxTest::new().start_stdio();
    mux.stdio()
        .write(br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    let answer = mux.stdio().take("an answer", |msg| msg.id() == Some("1"));
    assert!(answer.code() < 0, "{}", answer.text());
    Connect::new(Era::Legacy).stdio(mux.stdio());
}

#[test]
fn a_revision_that_is_not_served_is_refused() {
    let mux = MuxTest::new().unready().start_stdio();
    let client = mux.connect(Connect::new(Era::Modern).speaking("2027-01-01"));
    let error = client.ask("tools/list").answer().error();
    assert_eq!(
        (&error["code"], &error["data"]["requested"]),
        (&json!(-32022), &json!("2027-01-01"))
    );
}
