//! The roots of a client, outside any call: told to servers that have a connection for this client alone.

use serde_json::json;

use crate::support::client::Connect;
use crate::support::{Client, Era, FakeServer, Mux, MuxTest, Pipe, fake};

const PIPES: [Pipe; 2] = [Pipe::Stdio, Pipe::Http];
const CHANGED: &str = "notifications/roots/list_changed";
const QUESTION: &str = r#"{"jsonrpc":"2.0","id":"r","method":"roots/list"}"#;
const ROOTS: &str = r#"{"roots":[{"uri":"file:///home/u","name":"h","x":1}]}"#;

/// A legacy client with these capabilities that has called a server of its own.
fn on_its_own(
    front: Pipe,
    back: Pipe,
    capabilities: serde_json::Value,
) -> (Client, Mux, FakeServer) {
    let fake = fake::legacy().tool("t").over(back);
    let keys = json!({"sharing": "per-client"});
    let mux = MuxTest::new().upstream_with("a", &fake, &keys).over(front);
    let client = mux.connect(Connect::new(Era::Legacy).capable_of(capabilities));
    fake.wait_stream();
    client.call("a__t", &json!({})).result();
    (client, mux, fake)
}

#[test]
fn a_server_learns_the_roots_of_the_client_whose_connection_it_is() {
    for (front, back) in [
        (Pipe::Stdio, Pipe::Stdio),
        (Pipe::Stdio, Pipe::Http),
        (Pipe::Http, Pipe::Stdio),
        (Pipe::Http, Pipe::Http),
    ] {
        let (client, _mux, fake) = on_its_own(front, back, json!({"roots": {"listChanged": true}}));
        let mut feed = client.feed();
        client.notify(CHANGED, &json!({}));
        fake.wait_seen(CHANGED, 1);
        fake.say_on_newest(2, QUESTION);
        let asked = feed.next();
        assert_eq!((asked.method(), asked.raw("params")), ("roots/list", None));
        client.respond(&asked, ROOTS);
        assert_eq!(
            fake.answer_to("\"r\"").raw("result").as_deref(),
            Some(ROOTS)
        );
        // The connection that everybody shares heard nothing of it.
        assert_eq!(fake.count(CHANGED), 1);
    }
}

#[test]
fn a_client_without_roots_is_not_asked_for_them() {
    for pipe in PIPES {
        let (client, _mux, fake) = on_its_own(pipe, pipe, json!({}));
        let mut feed = client.feed();
        fake.say_on_newest(2, QUESTION);
        assert_eq!(
            fake.answer_to("\"r\"").raw("result").as_deref(),
            Some(r#"{"roots":[]}"#)
        );
        fake.add_tool("new");
        fake.list_changed("tools");
        assert_eq!(feed.next().method(), "notifications/tools/list_changed");
    }
}

/// A refusal is an answer like any other.
#[test]
fn the_server_hears_that_the_client_refused() {
    let (client, _mux, fake) = on_its_own(Pipe::Stdio, Pipe::Stdio, json!({"roots": {}}));
    fake.say_on_newest(2, QUESTION);
    let asked = client.feed().next();
    client.refuse(&asked, r#"{"code":-1,"message":"no","data":{"x":1}}"#);
    let error = fake.answer_to("\"r\"").raw("error");
    assert_eq!(
        error.as_deref(),
        Some(r#"{"code":-1,"message":"no","data":{"x":1}}"#)
    );
}

/// A server that asks without end is told so, and the client's patience is not tried.
#[test]
fn only_so_many_questions_are_open_at_once() {
    let (client, _mux, fake) = on_its_own(Pipe::Stdio, Pipe::Stdio, json!({"roots": {}}));
    for id in 0..9 {
        fake.say_on_newest(
            2,
            &format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"roots/list"}}"#),
        );
    }
    assert_eq!(fake.answer_to("8").get("error/code"), json!(-32013));
    for id in 0..8 {
        client.respond(&client.feed().next(), ROOTS);
        assert_eq!(
            fake.answer_to(&id.to_string()).raw("result").as_deref(),
            Some(ROOTS)
        );
    }
}

/// The mux has roots of each client only; what becomes of them is nothing to servers that are shared.
#[test]
fn changed_roots_of_a_client_reach_no_shared_server() {
    for pipe in PIPES {
        let fake = fake::legacy().tool("t").over(pipe);
        let mux = MuxTest::new().upstream("a", &fake).start();
        let client = mux.legacy();
        client.notify(CHANGED, &json!({}));
        client.call("a__t", &json!({})).result();
        assert_eq!(fake.count(CHANGED), 0);
    }
}
