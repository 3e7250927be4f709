//! Servers behind a WebSocket: the handshake, and what goes wrong on one.

use serde_json::{Value, json};

use crate::support::fake::websocket::{CLOSE, PING, PONG, TEXT, frame};
use crate::support::{Client, Fake, FakeServer, Gate, Mux, MuxTest, Reply, eventually, fake};

const BINARY: u8 = 0x2;

/// What `list servers --json` says of the one server `a`.
fn reported(fake: &FakeServer, keys: &Value) -> Value {
    let test = MuxTest::new().upstream_with("a", fake, keys);
    let ran = test.run(&["list", "servers", "--json"]);
    let servers: Value = serde_json::from_str(&ran.stdout).expect("JSON on stdout");
    servers[0].clone()
}

fn answering(status: &'static str) -> FakeServer {
    fake::legacy()
        .http_answering(move |_| Some(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")))
        .websocket()
}

/// A server whose tool `breaks` sends these bytes in the middle of a call, and a client of the mux before it.
fn breaking(bytes: Vec<u8>) -> (FakeServer, Mux, Client) {
    let fake = fake::legacy()
        .tool("echo")
        .tool_answering("breaks", move |call| {
            call.bytes(&bytes);
            Reply::Nothing
        })
        .websocket();
    let mux = MuxTest::new()
        .settings(&json!({"maxMessageSize": "64KiB"}))
        .upstream("a", &fake)
        .start();
    let client = mux.legacy();
    (fake, mux, client)
}

/// Waits until a second connection serves calls.
#[track_caller]
fn comes_back(fake: &FakeServer, client: &Client) {
    eventually("the server is there again", || {
        let answer = client.call("a__echo", &json!({}));
        answer.raw("error").is_none().then_some(())
    });
    assert_eq!(fake.links(), 2);
}

#[test]
fn the_handshake_carries_the_configured_headers_and_the_whole_url() {
    let fake = fake::modern().tool("echo").websocket();
    let url = format!("ws://{}/deep/er?key=qu3ry", fake.addr());
    let keys = json!({"url": url, "headers": {"X-Team": "blue"}, "auth": {"type": "bearer", "token": "s3cr3t"}});
    let mux = MuxTest::new()
        .env("MCPMUX_LOG", "trace")
        .upstream_with("a", &fake, &keys)
        .start();
    assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
    let head = fake.heads().remove(0);
    assert_eq!(head.start, "GET /deep/er?key=qu3ry HTTP/1.1");
    assert_eq!(head.header("x-team"), Some("blue"));
    assert_eq!(head.header("authorization"), Some("Bearer s3cr3t"));
    for secret in ["s3cr3t", "qu3ry"] {
        assert!(!mux.stderr().contains(secret), "{}", mux.stderr());
    }
}

#[test]
fn a_refused_handshake_says_nothing_of_the_era() {
    let login = answering("401 Unauthorized");
    assert_eq!(reported(&login, &json!({}))["state"], "needs-login");
    for status in ["404 Not Found", "500 Oops", "503 Busy", "200 OK"] {
        let fake = answering(status);
        let report = reported(&fake, &json!({}));
        let error = report["error"].as_str().expect("an error");
        let code = status.split(' ').next().expect("a code");
        let wanted = if code == "200" { "WebSocket" } else { code };
        assert!(error.contains(wanted), "{error}");
        assert_eq!(fake.seen().len(), 0);
    }
}

#[test]
fn an_answer_to_another_handshake_is_refused() {
    let switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";
    for (more, wanted) in [
        (
            "Upgrade: websocket\r\nSec-WebSocket-Accept: bm8=\r\n",
            "Sec-WebSocket-Accept",
        ),
        ("Upgrade: h2c\r\n", "another protocol"),
    ] {
        let fake = fake::legacy()
            .http_answering(move |_| Some(format!("{switching}{more}\r\n")))
            .websocket();
        let report = reported(&fake, &json!({}));
        let error = report["error"].as_str().expect("an error");
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn a_handshake_that_hangs_disturbs_nobody() {
    let hanging = fake::legacy().hanging().websocket();
    let good = fake::legacy().tool("echo").stdio();
    let mux = MuxTest::new()
        .upstream_with("a", &hanging, &json!({"startupTimeout": "300ms"}))
        .upstream("b", &good)
        .start();
    assert_eq!(mux.modern().call("b__echo", &json!({})).said(), "echo {}");
    mux.wait_stderr("did not start within 0.3s");
}

#[test]
fn a_close_in_the_middle_of_a_call_is_told_with_its_code() {
    // Going away, out of luck, coming back (RFC 6455, section 7.4; 1012 is registered beside it).
    for code in [1001u16, 1011, 1012] {
        let words = b"out of\x1b[1m luck";
        let close = frame(CLOSE, &[&code.to_be_bytes()[..], words].concat());
        let (fake, mux, client) = breaking(close);
        let error = client.call("a__breaks", &json!({})).error();
        assert_eq!(error["code"], -32015, "{error}");
        mux.wait_stderr(&format!("closed with code {code}: out of"));
        assert!(!mux.stderr().contains('\x1b'), "{}", mux.stderr());
        comes_back(&fake, &client);
    }
}

#[test]
fn a_link_that_is_cut_off_is_opened_anew() {
    let fake = fake::legacy().tool("echo").tool_answering("dies", |call| {
        call.sever();
        Reply::Nothing
    });
    let fake = fake.websocket();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.modern();
    assert_eq!(client.call("a__dies", &json!({})).code(), -32015);
    comes_back(&fake, &client);
}

#[test]
fn a_message_that_is_too_large_costs_its_call_and_nobody_else() {
    let fake = fake::legacy()
        .tool("echo")
        .tool_answering("large", |_| Reply::text(&"x".repeat(80 * 1024)))
        .websocket();
    let mux = MuxTest::new()
        .settings(&json!({"maxMessageSize": "64KiB"}))
        .upstream("a", &fake)
        .start();
    for client in [mux.legacy(), mux.modern()] {
        assert_eq!(client.call("a__large", &json!({})).code(), -32012);
        assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
    }
    assert_eq!(fake.links(), 1);
}

#[test]
fn a_message_of_absurd_length_is_refused_by_its_header() {
    let announced = [&[0x80 | TEXT, 127][..], &(1u64 << 40).to_be_bytes()].concat();
    let (fake, _mux, client) = breaking(announced);
    let error = client.call("a__breaks", &json!({})).error();
    assert_eq!(error["code"], -32012, "{error}");
    assert_eq!(fake.wait_frame(CLOSE)[..2], 1009u16.to_be_bytes());
    comes_back(&fake, &client);
}

#[test]
fn what_is_no_text_frame_ends_the_link() {
    for (bytes, code) in [
        (frame(BINARY, b"{}"), 1003u16),
        (frame(TEXT, b"\xff\xfe"), 1007),
        (frame(0x7, b""), 1002),
    ] {
        let (fake, mux, client) = breaking(bytes);
        assert_eq!(client.call("a__breaks", &json!({})).code(), -32015);
        assert_eq!(fake.wait_frame(CLOSE)[..2], code.to_be_bytes());
        mux.wait_stderr("the WebSocket is broken");
        comes_back(&fake, &client);
    }
}

#[test]
fn texts_that_are_no_messages_are_passed_over() {
    let fake = fake::legacy().tool("echo").websocket();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    for text in [
        "hello",
        "",
        "{\"half\":",
        "[]",
        "7",
        "{}",
        r#"{"jsonrpc":"2.0","id":99,"result":{}}"#,
    ] {
        fake.bytes(&frame(TEXT, text.as_bytes()));
    }
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
    assert_eq!(fake.links(), 1);
}

#[test]
fn a_message_in_pieces_arrives_whole_with_a_ping_between_them() {
    let fake = Fake::tool_answering(fake::legacy(), "pieces", |call| {
        let id = call.msg.id().expect("an id");
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"whole"}}]}}}}"#
        );
        let (first, rest) = text.as_bytes().split_at(20);
        let mut begun = frame(TEXT, first);
        begun[0] = TEXT;
        call.bytes(&[begun, frame(PING, b"alive?"), frame(0, rest)].concat());
        Reply::Nothing
    });
    let fake = fake.websocket();
    let mux = MuxTest::new().upstream("a", &fake).start();
    assert_eq!(mux.modern().call("a__pieces", &json!({})).said(), "whole");
    assert_eq!(fake.wait_frame(PONG), b"alive?");
}

#[test]
fn a_server_that_ends_at_the_probe_gets_a_handshake_alone() {
    let fake = fake::legacy()
        .tool("echo")
        .once("server/discover", |call| {
            call.sever();
            Reply::Nothing
        })
        .websocket();
    let mux = MuxTest::new().upstream("a", &fake).start();
    assert_eq!(mux.modern().call("a__echo", &json!({})).said(), "echo {}");
    assert_eq!((fake.links(), fake.count("initialize")), (2, 1));
}

#[test]
fn the_mux_closes_in_good_order_after_telling_what_it_gives_up() {
    let given_up = Gate::new();
    let heard = given_up.clone();
    let fake = fake::legacy()
        .tool_answering("slow", move |call| {
            call.wait_cancelled();
            heard.open();
            Reply::Nothing
        })
        .websocket();
    let mut mux = MuxTest::new()
        .settings(&json!({"shutdownGrace": "200ms"}))
        .upstream("a", &fake)
        .start();
    let client = mux.modern();
    let call = client.start_call("a__slow", &json!({}));
    fake.wait_seen("tools/call", 1);
    assert_eq!(mux.stop(), 143);
    given_up.wait("the server hears that nobody waits");
    assert_eq!(fake.wait_frame(CLOSE)[..2], 1000u16.to_be_bytes());
    drop(call);
}
