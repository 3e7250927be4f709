//! Cancelling: a call dropped on one side is dropped on the other.

use serde_json::json;

use crate::support::client::Connect;
use crate::support::matrix::matrix;
use crate::support::{Era, Fake, Gate, MuxTest, Pairing, Reply, fake};

matrix! { a_cancelled_call_is_cancelled_at_the_server, a_late_answer_goes_nowhere }

/// A tool that waits for its cancellation and then opens the gate.
fn waiting(fake: Fake, heard: &Gate) -> Fake {
    let heard = heard.clone();
    fake.tool("echo").tool_answering("slow", move |call| {
        call.wait_cancelled();
        heard.open();
        Reply::Nothing
    })
}

fn a_cancelled_call_is_cancelled_at_the_server(p: Pairing) {
    let heard = Gate::new();
    let t = p.start(waiting(p.fake(), &heard));
    let call = t.client.start_call("a__slow", &json!({}));
    t.fake.wait_seen("tools/call", 1);
    call.cancel();
    heard.wait("the server hears of it");
    assert_eq!(t.client.call("a__echo", &json!({})).said(), "echo {}");
}

fn a_late_answer_goes_nowhere(p: Pairing) {
    let t = p.start(p.fake().tool("echo").tool_answering("slow", |call| {
        call.wait_cancelled();
        Reply::text("too late")
    }));
    let call = t.client.start_call("a__slow", &json!({}));
    t.fake.wait_seen("tools/call", 1);
    call.cancel();
    for _ in 0..3 {
        assert_eq!(t.client.call("a__echo", &json!({})).said(), "echo {}");
    }
}

#[test]
fn a_cancelled_call_is_not_answered() {
    let heard = Gate::new();
    let fake = waiting(fake::legacy(), &heard).stdio();
    let mux = MuxTest::new().upstream("a", &fake).start_stdio();
    let client = mux.legacy();
    let call = client.ask_call("a__slow").id("\"gone\"").send();
    fake.wait_seen("tools/call", 1);
    call.cancel();
    heard.wait("the server hears of it");
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
    let answers = client.stdio().take_all(|msg| msg.id() == Some("\"gone\""));
    assert_eq!(answers.len(), 0, "{answers:?}");
}

#[test]
fn a_cancellation_names_the_servers_id_and_gives_the_reason() {
    let heard = Gate::new();
    let fake = waiting(fake::legacy(), &heard).stdio();
    let mux = MuxTest::new().upstream("a", &fake).start_stdio();
    let client = mux.legacy();
    client.ask_call("a__slow").id("\"x\"").send();
    let call = &fake.wait_seen("tools/call", 1)[0].msg;
    client.notify(
        "notifications/cancelled",
        &json!({"requestId": "x", "reason": "enough"}),
    );
    heard.wait("the server hears of it");
    let told = &fake.wait_seen("notifications/cancelled", 1)[0].msg;
    assert_eq!(told.raw("params/requestId").as_deref(), call.id());
}

#[test]
fn cancelling_what_is_not_there_does_nothing() {
    let fake = fake::legacy().tool("echo").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start_stdio();
    let client = mux.legacy();
    client.call("a__echo", &json!({})).result();
    for id in [json!(1), json!("nobody's"), json!(null), json!({"x": 1})] {
        client.notify("notifications/cancelled", &json!({"requestId": id}));
    }
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
    assert_eq!(fake.count("notifications/cancelled"), 0);
}

#[test]
fn one_client_cannot_cancel_the_call_of_another() {
    let gate = Gate::new();
    let held = gate.clone();
    let fake = fake::legacy()
        .tool("echo")
        .tool_answering("slow", move |_| {
            held.wait("the other client has tried");
            Reply::text("done")
        })
        .stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let (mine, other) = (mux.legacy(), mux.legacy());
    let call = mine.ask_call("a__slow").id("1").send();
    fake.wait_seen("tools/call", 1);
    other.notify("notifications/cancelled", &json!({"requestId": 1}));
    other.call("a__echo", &json!({})).result();
    gate.open();
    assert_eq!(call.answer().said(), "done");
    assert_eq!(fake.count("notifications/cancelled"), 0);
}

#[test]
fn the_end_of_a_session_cancels_its_calls() {
    let heard = Gate::new();
    let fake = waiting(fake::legacy(), &heard).stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let _call = client.start_call("a__slow", &json!({}));
    fake.wait_seen("tools/call", 1);
    assert!((200..300).contains(&client.delete().status()));
    heard.wait("the server hears of it");
}

#[test]
fn the_end_of_stdin_cancels_what_is_under_way() {
    let heard = Gate::new();
    let fake = waiting(fake::modern(), &heard).http();
    let mut mux = MuxTest::new().upstream("a", &fake).start_stdio();
    let client = mux.connect(Connect::new(Era::Modern));
    let _call = client.start_call("a__slow", &json!({}));
    fake.wait_seen("tools/call", 1);
    client.stdio().close();
    heard.wait("the server hears of it");
    assert_eq!(mux.process.wait(), 0);
}
