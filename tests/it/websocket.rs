//! `/ws`: frames, refusals, ends.

use serde_json::{Value, json};

use crate::support::client::websocket::{self, BINARY, CLOSE, PING, PONG, TEXT, WebSocket};
use crate::support::{FakeServer, Front, Gate, Msg, Mux, MuxTest, Reply, Request, fake, patience};

const HELLO: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}"#;

fn started(settings: &Value) -> (Mux, FakeServer) {
    let fake = fake::legacy().tool("echo").stdio();
    let mux = MuxTest::new().settings(settings).upstream("a", &fake);
    let mux = mux.over(Front::WebSocket);
    mux.wait_ready();
    (mux, fake)
}

/// The next message, whatever frames come between.
#[track_caller]
fn message(socket: &mut WebSocket) -> Msg {
    loop {
        match socket.next() {
            Some((TEXT, text)) => return Msg::parse(&text),
            Some((CLOSE, _)) | None => panic!("the link ended"),
            Some(_) => {}
        }
    }
}

#[track_caller]
fn shaken(mux: &Mux) -> WebSocket {
    let mut socket = WebSocket::open(mux.addr());
    socket.send(TEXT, HELLO.as_bytes());
    message(&mut socket).result();
    socket
}

fn call(id: u64, tool: &str) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool}})
        .to_string()
}

#[test]
fn it_is_off_unless_it_is_switched_on() {
    let mux = MuxTest::new().start();
    assert_eq!(websocket::handshake().send(mux.addr()).status(), 404);
}

#[test]
fn only_a_handshake_opens_it() {
    let (mux, _fake) = started(&json!({}));
    let status = |request: Request| request.send(mux.addr()).status();
    let good = websocket::handshake;
    assert_eq!(status(Request::get().path("/ws")), 426);
    assert_eq!(status(good().without("Upgrade")), 426);
    assert_eq!(status(good().header("Connection", "close")), 426);
    assert_eq!(status(good().header("Sec-WebSocket-Version", "8")), 426);
    assert_eq!(status(good().without("Sec-WebSocket-Key")), 400);
    assert_eq!(status(good().header("Sec-WebSocket-Protocol", "chat")), 400);
    assert_eq!(status(Request::post("{}").path("/ws")), 405);
    let several = good()
        .header("Sec-WebSocket-Protocol", "chat, mcp")
        .send(mux.addr());
    assert_eq!(
        (several.status(), several.header("sec-websocket-protocol")),
        (101, Some("mcp"))
    );
    let none = good().without("Sec-WebSocket-Protocol").send(mux.addr());
    assert_eq!(
        (none.status(), none.header("sec-websocket-protocol")),
        (101, None)
    );
}

#[test]
fn a_page_from_elsewhere_is_refused() {
    let (mux, _fake) = started(&json!({"allowedOrigins": ["https://good.example"]}));
    let status = |name: &str, value: &str| {
        websocket::handshake()
            .header(name, value)
            .send(mux.addr())
            .status()
    };
    assert_eq!(status("Origin", "https://evil.example"), 403);
    assert_eq!(status("Origin", "null"), 403);
    assert_eq!(status("Host", "evil.example"), 403);
    assert_eq!(status("Origin", "https://good.example"), 101);
    assert_eq!(status("Origin", "http://localhost:3000"), 101);
}

#[test]
fn text_that_is_no_message_is_answered_and_the_link_survives() {
    let (mux, _fake) = started(&json!({}));
    let mut socket = shaken(&mux);
    for (garbage, code) in [("{", -32700), ("7", -32600), ("[]", -32600), ("", -32700)] {
        socket.send(TEXT, garbage.as_bytes());
        assert_eq!(message(&mut socket).code(), code, "{garbage}");
    }
    socket.send_part(TEXT, &call(1, "a__echo").as_bytes()[..20]);
    socket.send(PING, b"x");
    assert_eq!(socket.next(), Some((PONG, b"x".to_vec())));
    socket.send(0, &call(1, "a__echo").as_bytes()[20..]);
    assert_eq!(message(&mut socket).str("result/content/0/text"), "echo -");
}

#[test]
fn what_is_no_text_or_too_large_closes_the_link_with_its_code() {
    let (mux, _fake) = started(&json!({"maxMessageSize": "1MiB"}));
    let mut socket = shaken(&mux);
    socket.send(BINARY, HELLO.as_bytes());
    assert_eq!(socket.closed(), 1003);
    let mut socket = shaken(&mux);
    // A terabyte, announced.
    socket.send_bytes(&[0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
    assert_eq!(socket.closed(), 1009);
    let mut socket = shaken(&mux);
    (0..3).for_each(|n| socket.send_part(u8::from(n == 0), &vec![b' '; 400_000]));
    assert_eq!(socket.closed(), 1009);
    let mut socket = shaken(&mux);
    socket.send(TEXT, b"\xff");
    assert_eq!(socket.closed(), 1007);
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
    let mux = MuxTest::new().upstream("a", &fake).over(Front::WebSocket);
    mux.wait_ready();
    let socket = shaken(&mux);
    socket.send(TEXT, call(1, "a__slow").as_bytes());
    fake.wait_seen("tools/call", 1);
    drop(socket);
    heard.wait("it is cancelled");
}

#[test]
fn both_sides_can_close() {
    let (mut mux, _fake) = started(&json!({}));
    let mut socket = shaken(&mux);
    socket.send(CLOSE, &1000_u16.to_be_bytes());
    assert_eq!(socket.closed(), 1000);
    assert_eq!(socket.next(), None);
    let mut socket = shaken(&mux);
    assert_eq!(mux.stop(), 143);
    assert_eq!(socket.closed(), 1001);
}

#[test]
fn there_are_no_more_links_than_sessions() {
    let (mux, _fake) = started(&json!({"maxSessions": 1}));
    let mut first = shaken(&mux);
    let refused = websocket::handshake().send(mux.addr());
    assert_eq!(
        (refused.status(), refused.header("retry-after")),
        (503, Some("30"))
    );
    first.send(CLOSE, &1000_u16.to_be_bytes());
    first.closed();
    crate::support::eventually("there is room again", || {
        (websocket::handshake().send(mux.addr()).status() == 101).then_some(())
    });
}

#[test]
fn a_client_that_does_not_read_holds_nobody_up() {
    let large = "x".repeat(1 << 20);
    let fake = fake::legacy()
        .tool("echo")
        .tool_answering("large", move |_| Reply::text(&large));
    let fake = fake.stdio();
    let mux = MuxTest::new().upstream("a", &fake).over(Front::WebSocket);
    let other = mux.legacy();
    let lazy = shaken(&mux);
    (1..=40).for_each(|id| lazy.send(TEXT, call(id, "a__large").as_bytes()));
    let begun = std::time::Instant::now();
    (0..20).for_each(|_| drop(other.call("a__echo", &json!({})).said()));
    assert!(begun.elapsed() < patience(), "{:?}", begun.elapsed());
}
