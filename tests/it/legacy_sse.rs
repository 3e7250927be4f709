//! `/sse`: the stream, its message endpoint, refusals, ends.

use serde_json::{Value, json};

use crate::support::client::sse::Sse;
use crate::support::{FakeServer, Front, Gate, Msg, Mux, MuxTest, Reply, Request, fake, patience};

const HELLO: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}"#;

fn started(settings: &Value) -> (Mux, FakeServer) {
    let fake = fake::legacy().tool("echo").stdio();
    let mux = MuxTest::new().settings(settings).upstream("a", &fake);
    let mux = mux.over(Front::Sse);
    mux.wait_ready();
    (mux, fake)
}

#[track_caller]
fn message(sse: &mut Sse) -> Msg {
    let event = sse.stream.event().expect("a message");
    assert_eq!((event.name.as_deref(), event.id), (Some("message"), None));
    Msg::parse(event.data.as_bytes())
}

#[track_caller]
fn shaken(mux: &Mux) -> Sse {
    let mut sse = Sse::open(mux.addr());
    assert_eq!(sse.post(HELLO).status(), 202);
    assert_eq!(
        message(&mut sse).str("result/protocolVersion"),
        "2024-11-05"
    );
    sse
}

fn call(id: u64, tool: &str) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool}})
        .to_string()
}

#[test]
fn it_is_off_unless_it_is_switched_on() {
    let mux = MuxTest::new().start();
    assert_eq!(Request::get().path("/sse").send(mux.addr()).status(), 404);
    let post = Request::post(HELLO).path("/sse/messages?sessionId=x");
    assert_eq!(post.send(mux.addr()).status(), 404);
}

#[test]
fn answers_come_on_the_stream_and_posts_are_only_accepted() {
    let (mux, _fake) = started(&json!({}));
    let mut sse = shaken(&mux);
    let accepted = sse.post(&call(1, "a__echo"));
    assert_eq!((accepted.status(), accepted.body().len()), (202, 0));
    assert_eq!(message(&mut sse).str("result/content/0/text"), "echo -");
}

#[test]
fn other_requests_are_refused() {
    let (mux, _fake) = started(&json!({"maxMessageSize": "1MiB"}));
    let sse = shaken(&mux);
    let status = |request: Request| request.send(mux.addr()).status();
    // What newer clients try first must tell them that this is the old transport.
    assert_eq!(status(Request::post(HELLO).path("/sse")), 405);
    assert_eq!(
        status(
            Request::get()
                .path("/sse")
                .header("Accept", "application/json")
        ),
        406
    );
    assert_eq!(status(Request::get().path(&sse.endpoint)), 405);
    let text = Request::post(HELLO)
        .path(&sse.endpoint)
        .header("Content-Type", "text/plain");
    assert_eq!(status(text), 415);
    assert_eq!(sse.post("{").msg().code(), -32700);
    assert_eq!(sse.post("{").status(), 400);
    assert_eq!(sse.post(&" ".repeat(2 << 20)).status(), 413);
}

#[test]
fn a_session_belongs_to_its_stream() {
    let (mux, _fake) = started(&json!({}));
    let post = |path: &str| Request::post(HELLO).path(path).send(mux.addr()).status();
    assert_eq!(post("/sse/messages"), 400);
    assert_eq!(post("/sse/messages?sessionId="), 400);
    assert_eq!(post("/sse/messages?sessionId=x"), 404);
    let streamable = mux.legacy_http();
    let foreign = streamable.session().expect("a session");
    assert_eq!(post(&format!("/sse/messages?sessionId={foreign}")), 404);
    let (one, two) = (shaken(&mux), shaken(&mux));
    assert_ne!(one.endpoint, two.endpoint);
    let id = one.endpoint.rsplit('=').next().expect("an id").to_owned();
    assert_eq!(id.len(), 32, "192 bits");
    let stolen = Request::post(call(1, "a__echo")).header("Mcp-Session-Id", &id);
    assert_eq!(stolen.send(mux.addr()).status(), 404);
    let endpoint = one.endpoint.clone();
    drop(one);
    crate::support::eventually("the session is forgotten", || {
        (post(&endpoint) == 404).then_some(())
    });
    assert_eq!(two.post(&call(1, "a__echo")).status(), 202);
}

#[test]
fn a_page_from_elsewhere_is_refused() {
    let (mux, _fake) = started(&json!({}));
    let sse = shaken(&mux);
    let stream = Request::get()
        .path("/sse")
        .header("Origin", "https://evil.example");
    assert_eq!(stream.send(mux.addr()).status(), 403);
    let post = Request::post(call(1, "a__echo")).path(&sse.endpoint);
    assert_eq!(
        post.clone()
            .header("Origin", "null")
            .send(mux.addr())
            .status(),
        403
    );
    assert_eq!(
        post.header("Host", "evil.example")
            .send(mux.addr())
            .status(),
        403
    );
}

#[test]
fn a_modern_request_is_told_to_shake_hands() {
    let (mux, _fake) = started(&json!({}));
    let mut sse = Sse::open(mux.addr());
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let discover =
        json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": meta}});
    assert_eq!(sse.post(&discover.to_string()).status(), 202);
    assert_eq!(message(&mut sse).code(), -32602);
    assert_eq!(sse.post(HELLO).status(), 202);
    message(&mut sse).result();
    assert_eq!(sse.post(&discover.to_string()).status(), 202);
    assert_eq!(message(&mut sse).code(), -32601);
}

#[test]
fn a_client_that_goes_cancels_its_calls() {
    let heard = Gate::new();
    let opened = heard.clone();
    let fake = fake::legacy().tool_answering("slow", move |call| {
        call.wait_cancelled();
        opened.open();
        Reply::Nothing
    });
    let fake = fake.stdio();
    let mux = MuxTest::new().upstream("a", &fake).over(Front::Sse);
    mux.wait_ready();
    let sse = shaken(&mux);
    assert_eq!(sse.post(&call(1, "a__slow")).status(), 202);
    fake.wait_seen("tools/call", 1);
    drop(sse);
    heard.wait("it is cancelled");
}

#[test]
fn streams_end_when_the_mux_does_and_are_as_many_as_sessions() {
    let (mut mux, _fake) = started(&json!({"maxSessions": 1}));
    let mut sse = shaken(&mux);
    assert_eq!(Request::get().path("/sse").send(mux.addr()).status(), 503);
    assert_eq!(mux.stop(), 143);
    assert_eq!(sse.stream.event(), None);
}

#[test]
fn a_client_that_does_not_read_holds_nobody_up() {
    let large = "x".repeat(1 << 20);
    let fake = fake::legacy()
        .tool("echo")
        .tool_answering("large", move |_| Reply::text(&large));
    let fake = fake.stdio();
    let mux = MuxTest::new().upstream("a", &fake).over(Front::Sse);
    let other = mux.legacy();
    let lazy = shaken(&mux);
    (1..=40).for_each(|id| assert_eq!(lazy.post(&call(id, "a__large")).status(), 202));
    let begun = std::time::Instant::now();
    (0..20).for_each(|_| drop(other.call("a__echo", &json!({})).said()));
    assert!(begun.elapsed() < patience(), "{:?}", begun.elapsed());
}
