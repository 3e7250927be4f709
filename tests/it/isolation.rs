//! One bad server, or one bad client, hurts nobody else.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Era, Fake, FakeServer, Gate, Mux, MuxTest, Pipe, Reply, eventually, fake};

/// A healthy server `good` beside a bad one, and a mux that lists what the healthy one has.
fn beside(bad: &FakeServer, good: &FakeServer, settings: &serde_json::Value) -> Mux {
    MuxTest::new()
        .settings(settings)
        .upstream("good", good)
        .upstream("bad", bad)
        .start()
}

fn good() -> FakeServer {
    fake::legacy().tool("echo").stdio()
}

/// A healthy server's call, and that it takes no longer than it should.
fn works(mux: &Mux) {
    for era in [Era::Legacy, Era::Modern] {
        let begun = Instant::now();
        assert_eq!(
            mux.client(era).call("good__echo", &json!({})).said(),
            "echo {}"
        );
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "it took {:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn a_server_that_hangs_at_the_start() {
    for pipe in [Pipe::Stdio, Pipe::Http, Pipe::Sse, Pipe::WebSocket] {
        let (bad, good) = (fake::legacy().hanging().over(pipe), good());
        works(&beside(&bad, &good, &json!({})));
    }
}

#[test]
fn a_server_that_never_reads() {
    let bad = fake::legacy().child(&["--deaf"]).stdio();
    let good = good();
    works(&beside(&bad, &good, &json!({})));
}

#[test]
fn a_command_that_does_not_exist() {
    let good = good();
    let mux = MuxTest::new()
        .upstream("good", &good)
        .entry("bad", json!({"command": "there-is-no-such-command"}))
        .entry("worse", json!({"url": "http://127.0.0.1:1/mcp"}))
        .start();
    works(&mux);
    mux.wait_stderr("there-is-no-such-command");
}

#[test]
fn garbage_on_stdout_is_passed_over() {
    let bad = fake::legacy().tool("echo").stdio();
    let good = good();
    let mux = beside(&bad, &good, &json!({}));
    let client = mux.legacy();
    bad.bytes(b"hello, I am a log line\n\n\xff\xfe\x00\n{\"half\":\n[]\n7\n{}\n");
    bad.bytes(br#"{"jsonrpc":"2.0","id":999999,"result":{}}"#);
    bad.bytes(b"\n");
    assert_eq!(client.call("bad__echo", &json!({})).said(), "echo {}");
    works(&mux);
    assert_eq!(bad.starts(), 1);
}

#[test]
fn an_answer_that_comes_twice_is_given_once() {
    let answer = r#"{"content":[{"type":"text","text":"first"}]}"#;
    let bad = fake::legacy()
        .tool("echo")
        .tool_answering("twice", move |call| {
            call.answer_early(answer);
            Reply::text("second")
        })
        .stdio();
    let mux = MuxTest::new().upstream("bad", &bad).start_stdio();
    let client = mux.legacy();
    for _ in 0..10 {
        let answer = client.ask_call("bad__twice").id("\"t\"").answer();
        assert_eq!(answer.said(), "first");
        assert_eq!(client.call("bad__echo", &json!({})).said(), "echo {}");
        assert_eq!(
            client
                .stdio()
                .take_all(|msg| msg.id() == Some("\"t\""))
                .len(),
            0
        );
    }
}

#[test]
fn half_a_frame_and_death() {
    let bad = fake::legacy()
        .tool_answering("torn", |call| {
            call.bytes(br#"{"jsonrpc":"2.0","id":"#);
            call.sever();
            Reply::Nothing
        })
        .stdio();
    let good = good();
    let mux = beside(&bad, &good, &json!({}));
    assert_eq!(mux.legacy().call("bad__torn", &json!({})).code(), -32015);
    works(&mux);
}

/// Floods until the gate is open.
fn flooding(fake: Fake, gate: &Gate, line: Vec<u8>) -> Fake {
    let done = gate.clone();
    fake.tool("echo").tool_answering("flood", move |call| {
        while !done.is_open() {
            call.bytes(&line);
        }
        Reply::text("done")
    })
}

#[test]
fn a_flood_on_stdout() {
    let notification = b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":1}}\n";
    let change = b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n";
    for line in [
        b"garbage\n".repeat(1000),
        notification.repeat(500),
        change.repeat(500),
    ] {
        let gate = Gate::new();
        let bad = flooding(fake::legacy(), &gate, line).stdio();
        let good = good();
        let mux = beside(&bad, &good, &json!({}));
        let client = mux.legacy();
        let flood = client.start_call("bad__flood", &json!({}));
        bad.wait_seen("tools/call", 1);
        works(&mux);
        gate.open();
        assert_eq!(flood.answer().said(), "done");
    }
}

#[test]
fn a_flood_on_stderr() {
    let bad = fake::legacy().tool("echo").stdio();
    let good = good();
    let mux = beside(&bad, &good, &json!({}));
    let client = mux.legacy();
    let line = "noise ".repeat(1000);
    for _ in 0..2000 {
        bad.stderr(&line);
    }
    assert_eq!(client.call("bad__echo", &json!({})).said(), "echo {}");
    works(&mux);
}

#[test]
fn a_frame_that_is_too_large_is_one_broken_answer() {
    for (fake, pipe) in [
        (fake::legacy(), Pipe::Stdio),
        (fake::modern(), Pipe::Http),
        (fake::legacy(), Pipe::Sse),
        (fake::modern(), Pipe::WebSocket),
    ] {
        let bad = fake
            .tool("echo")
            .tool_answering("huge", |_| Reply::text(&"x".repeat(1_000_000)))
            .over(pipe);
        let good = good();
        let settings = json!({"maxMessageSize": 200_000, "callTimeout": "5s"});
        let mux = beside(&bad, &good, &settings);
        let client = mux.legacy();
        let code = client.call("bad__huge", &json!({})).code();
        assert!([-32012, -32011].contains(&code), "{code} over {pipe:?}");
        assert_eq!(client.call("bad__echo", &json!({})).said(), "echo {}");
        works(&mux);
    }
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    let bad = fake::legacy()
        .tool_answering("chatty", |call| {
            (1..=20_000).for_each(|n| {
                call.progress_with(&format!(
                    r#""progress":{n},"message":"{}""#,
                    "x".repeat(1000)
                ));
            });
            Reply::text("done")
        })
        .stdio();
    let good = good();
    let mux = beside(&bad, &good, &json!({}));
    let client = mux.modern();
    let unread = client.ask_call("bad__chatty").token("1").send();
    bad.wait_seen("tools/call", 1);
    works(&mux);
    drop(unread);
}

#[test]
fn a_full_server_does_not_fill_the_others() {
    let gate = Gate::new();
    let held = gate.clone();
    let bad = fake::legacy()
        .tool_answering("slow", move |_| {
            held.wait("the others have been served");
            Reply::text("done")
        })
        .stdio();
    let good = good();
    let mux = beside(&bad, &good, &json!({"maxConcurrentCalls": 4}));
    let client = mux.legacy();
    let calls: Vec<_> = (0..12)
        .map(|_| client.start_call("bad__slow", &json!({})))
        .collect();
    bad.wait_seen("tools/call", 4);
    works(&mux);
    assert_eq!(bad.count("tools/call"), 4);
    gate.open();
    for call in calls {
        assert_eq!(call.answer().said(), "done");
    }
}

#[test]
fn an_answer_that_is_no_answer_is_a_broken_one() {
    for frame in [
        r#"{"jsonrpc":"2.0","id":ID}"#,
        r#"{"jsonrpc":"2.0","id":ID,"result":{},"error":{}}"#,
    ] {
        let bad = fake::legacy()
            .tool_answering("odd", |call| {
                Reply::Frame(
                    call.argument("frame")
                        .as_str()
                        .unwrap_or_default()
                        .replace("ID", call.msg.id().unwrap_or_default())
                        .into_bytes(),
                )
            })
            .stdio();
        let mux = MuxTest::new().upstream("bad", &bad).start();
        let code = mux
            .legacy()
            .call("bad__odd", &json!({"frame": frame}))
            .code();
        assert_eq!(code, -32012, "for {frame}");
    }
}

#[test]
fn http_errors_are_told_as_such() {
    for (status, text) in [
        (500, "Internal Server Error"),
        (401, "Unauthorized"),
        (200, "OK"),
    ] {
        let bad = fake::legacy()
            .http_answering(move |_| {
                Some(format!("HTTP/1.1 {status} {text}\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\noops"))
            })
            .http();
        let good = good();
        let mux = beside(&bad, &good, &json!({}));
        works(&mux);
        eventually("it was tried", || (!bad.heads().is_empty()).then_some(()));
    }
}
