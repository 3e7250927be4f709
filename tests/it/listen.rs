//! `subscriptions/listen` of 2026-07-28.

use serde_json::{Value, json};

use crate::support::{Client, Exchange, FakeServer, Mux, MuxTest, Pipe, Reply, fake};

const ID: &str = "params/_meta/io.modelcontextprotocol~1subscriptionId";

fn started(front: Pipe) -> (Client, Mux, FakeServer) {
    let fake = fake::legacy()
        .tool("one")
        .prompt("p")
        .resource("x://1")
        .stdio();
    let mux = MuxTest::new().upstream("a", &fake).over(front);
    let client = mux.modern();
    fake.wait_stream();
    (client, mux, fake)
}

fn listen<'c>(client: &'c Client, id: &str, filter: &Value) -> Exchange<'c> {
    client
        .ask("subscriptions/listen")
        .id(id)
        .member("notifications", &filter.to_string())
        .send()
}

#[test]
fn the_acknowledgement_comes_first_and_says_what_is_granted() {
    for front in [Pipe::Stdio, Pipe::Http] {
        let (client, _mux, _fake) = started(front);
        let filter = json!({"toolsListChanged": true, "com.example/none": true});
        let first = listen(&client, "\"sub\"", &filter).next();
        assert_eq!(first.method(), "notifications/subscriptions/acknowledged");
        assert_eq!(first.raw(ID).as_deref(), Some("\"sub\""));
        assert_eq!(
            first.get("params/notifications"),
            json!({"toolsListChanged": true})
        );
    }
}

#[test]
fn notifications_carry_the_id_with_its_type() {
    for front in [Pipe::Stdio, Pipe::Http] {
        let (client, _mux, fake) = started(front);
        let all = json!({"toolsListChanged": true});
        let (mut number, mut text) = (listen(&client, "7", &all), listen(&client, "\"7\"", &all));
        number.next();
        text.next();
        fake.add_tool("two");
        fake.list_changed("tools");
        for (stream, id) in [(&mut number, "7"), (&mut text, "\"7\"")] {
            let told = stream.next();
            assert_eq!(told.method(), "notifications/tools/list_changed");
            assert_eq!(told.raw(ID).as_deref(), Some(id));
        }
    }
}

#[test]
fn what_was_not_asked_for_is_not_sent() {
    let (client, _mux, fake) = started(Pipe::Http);
    let mut stream = listen(&client, "1", &json!({"promptsListChanged": true}));
    stream.next();
    let mut other = listen(&client, "2", &json!({"toolsListChanged": true}));
    other.next();
    fake.add_tool("two");
    fake.list_changed("tools");
    assert_eq!(other.next().method(), "notifications/tools/list_changed");
    fake.add_prompt("q");
    fake.list_changed("prompts");
    assert_eq!(stream.next().method(), "notifications/prompts/list_changed");
}

#[test]
fn the_end_of_the_mux_is_the_answer() {
    for front in [Pipe::Stdio, Pipe::Http] {
        let (client, mut mux, _fake) = started(front);
        let mut stream = listen(&client, "\"x\"", &json!({"toolsListChanged": true}));
        stream.next();
        mux.process.terminate();
        let answer = stream.answer();
        assert_eq!(answer.str("result/resultType"), "complete");
        let id = answer.raw("result/_meta/io.modelcontextprotocol~1subscriptionId");
        assert_eq!(id.as_deref(), Some("\"x\""));
        assert_eq!(mux.process.wait(), 143);
    }
}

#[test]
fn a_cancelled_listen_is_quiet() {
    let (client, _mux, fake) = started(Pipe::Stdio);
    let mut first = listen(&client, "\"first\"", &json!({"toolsListChanged": true}));
    let mut second = listen(&client, "\"second\"", &json!({"toolsListChanged": true}));
    first.next();
    second.next();
    first.cancel();
    client.request("tools/list", &json!({})).result();
    fake.add_tool("two");
    fake.list_changed("tools");
    second.next();
    let strays = client
        .stdio()
        .take_all(|msg| msg.raw(ID).as_deref() == Some("\"first\""));
    assert_eq!(strays.len(), 0, "{strays:?}");
}

#[test]
fn a_listen_without_a_filter_is_refused() {
    let (client, _mux, _fake) = started(Pipe::Http);
    assert_eq!(client.ask("subscriptions/listen").answer().code(), -32602);
}

#[test]
fn calls_go_on_beside_a_listen() {
    let (client, _mux, _fake) = started(Pipe::Stdio);
    let mut stream = listen(&client, "1000", &json!({"toolsListChanged": true}));
    stream.next();
    assert_eq!(client.call("a__one", &json!({})).said(), "one {}");
}

#[test]
fn legacy_clients_have_no_listen() {
    let fake = fake::legacy().tool("one").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    assert_eq!(
        mux.legacy()
            .request("subscriptions/listen", &json!({}))
            .code(),
        -32601
    );
}

/// A server that never says whether it will tell of its resource holds up nobody: what the others tell comes.
#[test]
fn a_server_that_hangs_does_not_hold_up_the_acknowledgement() {
    let hanging = fake::legacy()
        .resource("h://1")
        .on("resources/subscribe", |_| Reply::Nothing)
        .http();
    let well = fake::legacy().resource("w://1").http();
    let mux = MuxTest::new()
        .upstream("h", &hanging)
        .upstream("w", &well)
        .start();
    let client = mux.modern();
    let filter = json!({"resourceSubscriptions": ["h://1", "w://1"]});
    let mut stream = listen(&client, "1", &filter);
    let granted = stream.next().get("params/notifications");
    assert_eq!(granted, json!({"resourceSubscriptions": ["w://1"]}));
    well.wait_stream();
    well.notify("notifications/resources/updated", &json!({"uri": "w://1"}));
    assert_eq!(stream.next().str("params/uri"), "w://1");
}
