//! Faults of servers and clients over WebSocket and HTTP with SSE: they cost whoever makes them, and nobody else.

use std::fs;
use std::net::{Shutdown, TcpStream};

use serde_json::json;

use crate::support::client::sse::Sse;
use crate::support::client::websocket::{TEXT, WebSocket};
use crate::support::{FakeServer, Front, Mux, MuxTest, Pipe, Reply, eventually, fake};

const BOTH: [Pipe; 2] = [Pipe::WebSocket, Pipe::Sse];
/// How often a client comes and goes.
const VISITS: usize = 500;
/// Descriptors that may come and go with something else.
const FEW: usize = 8;

fn beside(bad: &FakeServer, good: &FakeServer) -> Mux {
    let mux = MuxTest::new().upstream("good", good).upstream("bad", bad);
    mux.start()
}

/// The healthy server serves both eras.
fn works(mux: &Mux) {
    for client in [mux.legacy(), mux.modern()] {
        assert_eq!(client.call("good__echo", &json!({})).said(), "echo {}");
    }
}

#[test]
fn a_server_that_dies_in_a_call_takes_its_calls_along_and_comes_back() {
    for pipe in BOTH {
        let bad = fake::legacy().tool("echo").tool_answering("dies", |call| {
            call.sever();
            Reply::Nothing
        });
        let (bad, good) = (bad.over(pipe), fake::legacy().tool("echo").stdio());
        let mux = beside(&bad, &good);
        let client = mux.legacy();
        for _ in 0..3 {
            assert_eq!(
                client.call("bad__dies", &json!({})).code(),
                -32015,
                "{pipe:?}"
            );
            works(&mux);
            eventually("the server is there again", || {
                let answer = client.call("bad__echo", &json!({}));
                answer.raw("error").is_none().then_some(())
            });
        }
    }
}

#[test]
fn a_server_that_stops_answering_costs_its_callers_their_time() {
    for pipe in BOTH {
        let bad = fake::legacy()
            .tool("echo")
            .tool_answering("hangs", |_| Reply::Nothing);
        let (bad, good) = (bad.over(pipe), fake::legacy().tool("echo").stdio());
        let mux = MuxTest::new()
            .upstream("good", &good)
            .upstream_with("bad", &bad, &json!({"callTimeout": "300ms"}))
            .start();
        let client = mux.modern();
        for _ in 0..3 {
            assert_eq!(
                client.call("bad__hangs", &json!({})).code(),
                -32011,
                "{pipe:?}"
            );
        }
        works(&mux);
        assert_eq!(client.call("bad__echo", &json!({})).said(), "echo {}");
        eventually("the server hears of each", || {
            (bad.count("notifications/cancelled") == 3).then_some(())
        });
    }
}

fn descriptors(mux: &Mux) -> usize {
    let folder = format!("/proc/{}/fd", mux.process.id());
    fs::read_dir(folder).expect("the process").count()
}

/// Clients come and go in every way: before and after the handshake, in order and not.
fn come_and_go(front: Front, visit: impl Fn(&Mux, usize)) {
    let fake = fake::legacy().tool("echo").stdio();
    let mux = MuxTest::new().upstream("a", &fake).over(front);
    mux.wait_ready();
    let before = descriptors(&mux);
    (0..VISITS).for_each(|round| visit(&mux, round));
    eventually("all of it is gone", || {
        (descriptors(&mux) <= before + FEW).then_some(())
    });
    assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
}

const HELLO: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}"#;

#[test]
fn nothing_is_left_of_websockets_that_have_gone() {
    come_and_go(Front::WebSocket, |mux, round| match round % 3 {
        0 => drop(WebSocket::open(mux.addr())),
        1 => {
            let mut socket = WebSocket::open(mux.addr());
            socket.send(TEXT, HELLO.as_bytes());
            assert!(socket.next().is_some());
        }
        _ => {
            let raw = TcpStream::connect(mux.addr()).expect("a connection");
            drop(raw.shutdown(Shutdown::Write));
        }
    });
}

#[test]
fn nothing_is_left_of_streams_that_have_gone() {
    come_and_go(Front::Sse, |mux, round| {
        let mut sse = Sse::open(mux.addr());
        if round % 2 == 0 {
            assert_eq!(sse.post(HELLO).status(), 202);
            assert!(sse.stream.event().is_some());
        }
    });
}
