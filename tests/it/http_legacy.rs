//! Streamable HTTP for legacy clients: sessions, streams, status codes.

use serde_json::json;

use crate::support::client::Connect;
use crate::support::{
    Client, Era, FakeServer, Gate, Mux, MuxTest, Reply, Request, eventually, fake,
};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}"#;
const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

fn started() -> (Client, Mux, FakeServer) {
    let fake = fake::legacy().tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    (client, mux, fake)
}

#[test]
fn every_revision_is_agreed_to_and_others_get_the_newest() {
    let mux = MuxTest::new().start();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let client = mux.connect(Connect::new(Era::Legacy).speaking(version));
        assert_eq!(client.version, version);
    }
    for version in ["1999-01-01", "2099-01-01", "2026-07-28", ""] {
        let client = mux.connect(Connect::new(Era::Legacy).speaking(version));
        assert_eq!(client.version, "2025-11-25");
    }
}

#[test]
fn the_mux_introduces_itself() {
    let mux = MuxTest::new().start();
    let hello = mux.legacy().handshake.expect("a handshake").result();
    assert_eq!(hello["serverInfo"]["name"], "mcpmux");
    assert_eq!(hello["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn sessions_have_ids_of_their_own() {
    let mux = MuxTest::new().start();
    let ids: Vec<String> = (0..50)
        .map(|_| mux.legacy().session().expect("a session").to_owned())
        .collect();
    let different: std::collections::HashSet<&String> = ids.iter().collect();
    assert_eq!(different.len(), ids.len());
    for id in &ids {
        assert!(
            id.len() >= 20 && id.bytes().all(|byte| byte.is_ascii_graphic()),
            "{id}"
        );
    }
}

#[test]
fn a_request_without_a_session_is_400_and_with_a_false_one_404() {
    let (client, mux, _fake) = started();
    let versioned = Request::post(PING).header("MCP-Protocol-Version", "2025-11-25");
    assert_eq!(versioned.send(mux.addr()).status(), 400);
    let false_one = versioned.header("Mcp-Session-Id", "no-such-session");
    assert_eq!(false_one.send(mux.addr()).status(), 404);
    assert_eq!(client.request("ping", &json!({})).result(), json!({}));
}

#[test]
fn a_deleted_session_is_gone() {
    let (client, mux, _fake) = started();
    let mut stream = client.get_stream();
    assert!((200..300).contains(&client.delete().status()));
    let told = std::iter::from_fn(|| stream.event()).filter(|event| !event.data.is_empty());
    assert_eq!(told.count(), 0);
    assert_eq!(
        client
            .dressed(Request::post(PING))
            .send(mux.addr())
            .status(),
        404
    );
    assert_eq!(client.get_stream().status(), 404);
    assert_eq!(client.delete().status(), 404);
}

/// A third session fits in as soon as the idle one has made room.
#[test]
fn an_idle_session_expires_and_a_busy_one_does_not() {
    let gate = Gate::new();
    let held = gate.clone();
    let fake = fake::legacy()
        .tool_answering("slow", move |_| {
            held.wait("the other session has gone");
            Reply::text("done")
        })
        .http();
    let settings = json!({"sessionIdleTimeout": "500ms", "maxSessions": 2});
    let mux = MuxTest::new()
        .settings(&settings)
        .upstream("a", &fake)
        .start();
    let (idle, busy) = (mux.legacy(), mux.legacy());
    let call = busy.start_call("a__slow", &json!({}));
    eventually("the idle session is gone", || {
        (Request::post(INITIALIZE).send(mux.addr()).status() == 200).then_some(())
    });
    assert_eq!(
        idle.dressed(Request::post(PING)).send(mux.addr()).status(),
        404
    );
    gate.open();
    assert_eq!(call.answer().said(), "done");
}

#[test]
fn notifications_and_answers_are_accepted_without_a_body() {
    let (client, mux, _fake) = started();
    for text in [
        r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#,
        r#"{"jsonrpc":"2.0","method":"vendor/unknown","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":"nobody's","result":{}}"#,
    ] {
        let answer = client.dressed(Request::post(text)).send(mux.addr());
        assert_eq!(answer.status(), 202, "for {text}");
        assert_eq!(answer.body(), b"", "for {text}");
    }
}

#[test]
fn an_unknown_revision_in_the_header_is_400() {
    let (client, mux, _fake) = started();
    let request = client.dressed(Request::post(PING));
    let odd = request.clone().header("MCP-Protocol-Version", "1999-01-01");
    assert_eq!(odd.send(mux.addr()).status(), 400);
    // Without the header, 2025-03-26 is to be assumed.
    assert_eq!(
        request
            .without("MCP-Protocol-Version")
            .send(mux.addr())
            .status(),
        200
    );
}

#[test]
fn malformed_bodies_have_their_codes() {
    let (client, mux, _fake) = started();
    let code = |body: &[u8]| {
        let answer = client.dressed(Request::post(body)).send(mux.addr());
        assert_eq!(
            answer.status(),
            400,
            "for {}",
            String::from_utf8_lossy(body)
        );
        answer.msg()
    };
    for body in [
        &b"{"[..],
        b"",
        b"nonsense",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}",
    ] {
        let answer = code(body);
        assert_eq!((answer.code(), answer.id()), (-32700, Some("null")));
    }
    for body in [
        r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#,
        r#"{"id":7,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":1}"#,
        r#"{"jsonrpc":"2.0","id":7}"#,
    ] {
        let answer = code(body.as_bytes());
        assert_eq!(
            (answer.code(), answer.id()),
            (-32600, Some("7")),
            "for {body}"
        );
    }
    for body in [
        "[]",
        "7",
        "null",
        r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
    ] {
        assert_eq!(code(body.as_bytes()).code(), -32600, "for {body}");
    }
    assert_eq!(client.request("ping", &json!({})).result(), json!({}));
}

#[test]
fn a_stream_that_broke_is_taken_up_again() {
    let gate = Gate::new();
    let held = gate.clone();
    let fake = fake::legacy()
        .tool_answering("slow", move |call| {
            call.progress(1);
            held.wait("the client has gone");
            call.progress(2);
            Reply::text("done")
        })
        .http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let mut stream = client
        .ask_call("a__slow")
        .id("\"r\"")
        .token("1")
        .send()
        .response();
    let mut last = None;
    let first = loop {
        let event = stream.event().expect("progress");
        last = event.id.clone().or(last);
        if !event.data.is_empty() {
            break event.data;
        }
    };
    assert!(first.contains(r#""progress":1"#), "{first}");
    drop(stream);
    gate.open();
    let last = last.expect("events have ids");
    let request = client
        .dressed(Request::get())
        .header("Last-Event-ID", &last);
    let mut stream = request.send(mux.addr());
    assert_eq!(stream.status(), 200);
    let data: Vec<String> = std::iter::from_fn(|| stream.event().map(|event| event.data))
        .filter(|data| !data.is_empty())
        .take(2)
        .collect();
    assert!(data[0].contains(r#""progress":2"#), "{data:?}");
    assert!(
        data[1].contains(r#""id":"r""#) && data[1].contains("done"),
        "{data:?}"
    );
    assert_eq!(fake.count("notifications/cancelled"), 0);
}

#[test]
fn a_stream_of_another_session_is_not_given_out() {
    let (client, mux, fake) = started();
    let call = client
        .ask_call("a__echo")
        .token("1")
        .member("arguments", r#""secret""#);
    let mut stream = call.send().response();
    let id = if stream.is_stream() {
        stream
            .event()
            .and_then(|event| event.id)
            .expect("events have ids")
    } else {
        "1".to_owned()
    };
    let stranger = mux.legacy();
    let request = stranger
        .dressed(Request::get())
        .header("Last-Event-ID", &id);
    let mut answer = request.send(mux.addr());
    if answer.is_stream() {
        stranger.delete();
        while let Some(event) = answer.event() {
            assert!(!event.data.contains("secret"), "{event:?}");
        }
    }
    assert_eq!(fake.count("tools/call"), 1);
}

#[test]
fn batches_are_for_the_revision_that_has_them() {
    let fake = fake::legacy().tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/x"},7,{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":"a__echo"}}]"#;
    let old = mux.connect(Connect::new(Era::Legacy).speaking("2025-03-26"));
    let answer = old.dressed(Request::post(batch)).send(mux.addr());
    assert_eq!(answer.status(), 200);
    let text = String::from_utf8(answer.body()).expect("UTF-8");
    for part in [r#""id":1,"#, r#""id":"c","#, "echo -", "-32600"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let only = r#"[{"jsonrpc":"2.0","method":"notifications/x"}]"#;
    assert_eq!(
        old.dressed(Request::post(only)).send(mux.addr()).status(),
        202
    );
    let new = mux.legacy();
    let answer = new.dressed(Request::post(batch)).send(mux.addr());
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.msg().code(), -32600);
}

#[test]
fn initialize_in_a_session_does_not_begin_another() {
    let (client, mux, _fake) = started();
    let answer = client.dressed(Request::post(INITIALIZE)).send(mux.addr());
    let given = answer.header("mcp-session-id").map(str::to_owned);
    assert!(
        answer.status() == 400 || given.as_deref() != client.session(),
        "{given:?}"
    );
    assert_eq!(client.request("ping", &json!({})).result(), json!({}));
}

#[test]
fn there_are_never_more_sessions_than_allowed() {
    let mux = MuxTest::new().settings(&json!({"maxSessions": 3})).start();
    let clients: Vec<Client> = (0..3).map(|_| mux.legacy()).collect();
    let refused = Request::post(INITIALIZE).send(mux.addr());
    assert_eq!(refused.status(), 503);
    clients[0].delete();
    assert_eq!(Request::post(INITIALIZE).send(mux.addr()).status(), 200);
}
