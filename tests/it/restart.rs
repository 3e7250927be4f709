//! Servers that die: they come back, and no call is made twice.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::matrix::matrix;
use crate::support::{Client, FakeServer, Gate, MuxTest, Pairing, Pipe, Reply, eventually, fake};

matrix! {
    a_server_that_dies_between_calls_comes_back,
    a_call_that_was_under_way_is_not_made_again,
}

fn break_link(fake: &FakeServer, pipe: Pipe) {
    match pipe {
        Pipe::Stdio => fake.kill(),
        Pipe::Http | Pipe::WebSocket | Pipe::Sse => fake.disconnect(),
    }
}

/// Calls until the server is there again; what fails meanwhile says that it is away, or that the
/// connection was lost under the call.
fn until_it_works(client: &Client) {
    eventually("the server is there again", || {
        let answer = client.call("a__echo", &json!({}));
        if answer.raw("error").is_some() {
            assert!(
                [-32010, -32015].contains(&answer.code()),
                "{}",
                answer.text()
            );
            return None;
        }
        Some(())
    });
}

fn a_server_that_dies_between_calls_comes_back(p: Pairing) {
    let t = p.start(p.fake().tool("echo"));
    t.client.call("a__echo", &json!({})).result();
    break_link(&t.fake, p.back);
    if p.back == Pipe::Stdio {
        t.fake
            .lives()
            .wait("a second process", |lives| lives.len() == 2);
    }
    until_it_works(&t.client);
    assert_eq!(t.client.names("tools"), ["a__echo"]);
}

fn a_call_that_was_under_way_is_not_made_again(p: Pairing) {
    let gate = Gate::new();
    let held = gate.clone();
    let t = p.start(p.fake().tool("echo").tool_answering("slow", move |_| {
        held.wait("the test is over");
        Reply::Nothing
    }));
    let call = t.client.start_call("a__slow", &json!({}));
    t.fake.wait_seen("tools/call", 1);
    break_link(&t.fake, p.back);
    let error = call.answer().error();
    assert_eq!(error["code"], -32015, "{error}");
    assert_eq!(error["data"]["mcpmux"]["server"], "a", "{error}");
    until_it_works(&t.client);
    gate.open();
    let slow = t
        .fake
        .seen_of("tools/call")
        .iter()
        .filter(|s| s.msg.str("params/name") == "slow")
        .count();
    assert_eq!(slow, 1);
}

#[test]
fn a_tool_that_may_be_called_twice_is_called_again() {
    for hint in ["readOnlyHint", "idempotentHint"] {
        let tool = json!({"name": "safe", "inputSchema": {}, "annotations": {hint: true}});
        let fake = fake::legacy()
            .tool_defined(&tool.to_string())
            .once("tools/call safe", |call| {
                call.sever();
                Reply::Nothing
            })
            .stdio();
        let mux = MuxTest::new().upstream("a", &fake).start();
        assert_eq!(mux.legacy().call("a__safe", &json!({})).said(), "safe {}");
        assert_eq!(fake.count("tools/call"), 2);
    }
}

#[test]
fn a_tool_that_promises_nothing_is_not_called_again() {
    let hints = json!({"readOnlyHint": false, "idempotentHint": "true", "destructiveHint": true});
    let tool = json!({"name": "risky", "inputSchema": {}, "annotations": hints});
    let fake = fake::legacy()
        .tool_defined(&tool.to_string())
        .once("tools/call risky", |call| {
            call.sever();
            Reply::Nothing
        })
        .stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    assert_eq!(mux.legacy().call("a__risky", &json!({})).code(), -32015);
    fake.wait_seen("tools/list", 2);
    assert_eq!(fake.count("tools/call"), 1);
}

#[test]
fn an_answer_that_breaks_off_is_an_unknown_outcome() {
    for pairing_fake in [fake::legacy(), fake::modern()] {
        let fake = pairing_fake
            .tool("echo")
            .tool_answering("torn", |call| {
                call.notify(
                    "notifications/message",
                    &json!({"level": "info", "data": 1}),
                );
                call.sever();
                Reply::Nothing
            })
            .http();
        let mux = MuxTest::new().upstream("a", &fake).start();
        let client = mux.legacy();
        assert_eq!(client.call("a__torn", &json!({})).code(), -32015);
        until_it_works(&client);
        let calls = fake.seen_of("tools/call");
        assert_eq!(
            calls
                .iter()
                .filter(|s| s.msg.str("params/name") == "torn")
                .count(),
            1
        );
    }
}

#[test]
fn a_lost_session_is_begun_anew_without_a_word() {
    let fake = fake::legacy().tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    client.call("a__echo", &json!({})).result();
    fake.lose_sessions();
    assert_eq!(
        client.call("a__echo", &json!({"n": 2})).said(),
        r#"echo {"n":2}"#
    );
    assert_eq!((fake.count("initialize"), fake.count("tools/call")), (2, 2));
}

#[test]
fn many_calls_on_a_lost_session_begin_one_new_session() {
    let fake = fake::legacy().tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    fake.lose_sessions();
    let calls: Vec<_> = (0..8)
        .map(|n| client.start_call("a__echo", &json!({"n": n})))
        .collect();
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.answer().said(), format!(r#"echo {{"n":{n}}}"#));
    }
    assert_eq!((fake.count("initialize"), fake.count("tools/call")), (2, 8));
}

/// An attempt may start the process twice, to probe for its era.
#[test]
fn a_server_that_ends_again_and_again_is_started_ever_more_slowly() {
    let fake = fake::legacy().tool("echo").refusing(usize::MAX).stdio();
    let begun = Instant::now();
    let mux = MuxTest::new().upstream("a", &fake).unready().start();
    fake.lives().wait("eight starts", |lives| lives.len() >= 8);
    assert!(
        begun.elapsed() > Duration::from_millis(500),
        "eight starts in {:?}",
        begun.elapsed()
    );
    assert_eq!(mux.legacy().names("tools"), [] as [&str; 0]);
}

#[test]
fn a_server_that_comes_late_is_welcome() {
    let fake = fake::legacy().tool("echo").refusing(2).stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
    assert_eq!(fake.starts(), 3);
}

#[test]
fn a_call_to_a_server_that_is_away_fails_at_once_and_says_so() {
    let fake = fake::legacy().tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    drop(fake);
    // The first may be lost with its connection; from then on the mux knows.
    let error = eventually("the call fails for the right reason", || {
        let error = client.call("a__echo", &json!({})).error();
        (error["code"] == -32010).then_some(error)
    });
    assert_eq!(error["data"]["mcpmux"]["server"], "a", "{error}");
    assert_eq!(client.names("tools"), ["a__echo"]);
}

/// The first process knows no `server/discover`, the second does.
#[test]
fn a_server_of_another_era_may_come_back() {
    let fake = fake::dual()
        .tool("echo")
        .once("server/discover", |_| {
            Reply::error(-32601, "Method not found")
        })
        .stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    client.call("a__echo", &json!({})).result();
    fake.kill();
    fake.wait_seen("tools/list", 2);
    until_it_works(&client);
    let calls = fake.seen_of("tools/call");
    let version = "params/_meta/io.modelcontextprotocol~1protocolVersion";
    let eras: Vec<bool> = calls
        .iter()
        .map(|seen| seen.msg.raw(version).is_some())
        .collect();
    assert_eq!((eras.first(), eras.last()), (Some(&false), Some(&true)));
}
