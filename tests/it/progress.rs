//! Progress: whose it is, its order, its token.

use serde_json::{Value, json};

use crate::support::matrix::matrix;
use crate::support::{Gate, MuxTest, Pairing, Reply, fake};

matrix! {
    progress_comes_in_order_and_before_the_result,
    twenty_calls_with_two_hundred_steps_each,
    tokens_come_back_as_they_were,
    progress_that_nobody_asked_for_goes_nowhere,
}

fn progress_comes_in_order_and_before_the_result(p: Pairing) {
    let t = p.start(p.fake().tool_answering("slow", |call| {
        call.progress_with(r#""progress":1,"total":3,"message":"one","vendor":{"x":1e400}"#);
        (2..=3).for_each(|n| call.progress(n));
        Reply::text("done")
    }));
    let answer = t.client.ask_call("a__slow").token("\"mine\"").answer();
    let events: Vec<String> = answer
        .events
        .iter()
        .filter_map(|m| m.raw("params"))
        .collect();
    let first =
        r#"{"progressToken":"mine","progress":1,"total":3,"message":"one","vendor":{"x":1e400}}"#;
    let rest = |n| format!(r#"{{"progressToken":"mine","progress":{n}}}"#);
    assert_eq!(events, [first.to_owned(), rest(2), rest(3)]);
    assert_eq!(answer.said(), "done");
}

fn twenty_calls_with_two_hundred_steps_each(p: Pairing) {
    let t = p.start(p.fake().tool_answering("slow", |call| {
        (1..=200).for_each(|n| call.progress(n));
        Reply::text("done")
    }));
    let calls: Vec<_> = (0..20)
        .map(|n| {
            t.client
                .ask_call("a__slow")
                .token(&format!("\"t{n}\""))
                .send()
        })
        .collect();
    for call in calls {
        let answer = call.answer();
        let steps: Vec<Value> = answer
            .events
            .iter()
            .map(|m| m.get("params/progress"))
            .collect();
        assert_eq!(steps, (1..=200).map(|n| json!(n)).collect::<Vec<_>>());
        assert_eq!(answer.said(), "done");
    }
}

fn tokens_come_back_as_they_were(p: Pairing) {
    let t = p.start(p.fake().tool_answering("slow", |call| {
        call.progress(1);
        Reply::text("done")
    }));
    for token in [
        "0",
        "-3",
        "9007199254740993",
        "\"\"",
        "\"7\"",
        r#""\u00e9 \"""#,
    ] {
        let answer = t.client.ask_call("a__slow").token(token).answer();
        let tokens: Vec<_> = answer
            .events
            .iter()
            .filter_map(|m| m.raw("params/progressToken"))
            .collect();
        assert_eq!(tokens, [token]);
    }
}

/// The last call is a fence: what came before it on the link has been dealt with.
fn progress_that_nobody_asked_for_goes_nowhere(p: Pairing) {
    let params = |token: &str| json!({"progressToken": token, "progress": 1});
    let fake = p.fake().tool("echo").tool_answering("stray", move |call| {
        call.notify("notifications/progress", &params("nobody's"));
        Reply::text("done")
    });
    let t = p.start(fake);
    let answer = t.client.call("a__stray", &json!({}));
    assert_eq!((answer.events.len(), answer.said()), (0, "done".to_owned()));
    assert_eq!(t.client.call("a__echo", &json!({})).said(), "echo {}");
}

#[test]
fn two_clients_with_one_token_do_not_hear_each_other() {
    let gate = Gate::new();
    let held = gate.clone();
    let fake = fake::legacy()
        .tool_answering("slow", move |call| {
            held.wait("both calls are there");
            call.progress_with(&format!(
                r#""progress":1,"message":{}"#,
                call.argument("who")
            ));
            Reply::text("done")
        })
        .stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let clients = [mux.legacy(), mux.modern()];
    let calls: Vec<_> = ["first", "second"]
        .iter()
        .zip(&clients)
        .map(|(who, client)| {
            let ask = client.ask_call("a__slow").id("1").token("1");
            ask.member("arguments", &json!({"who": who}).to_string())
                .send()
        })
        .collect();
    fake.wait_seen("tools/call", 2);
    gate.open();
    for (who, call) in ["first", "second"].iter().zip(calls) {
        let answer = call.answer();
        let heard: Vec<_> = answer
            .events
            .iter()
            .map(|m| m.get("params/message"))
            .collect();
        assert_eq!(heard, [json!(who)]);
    }
}

#[test]
fn progress_after_the_answer_goes_nowhere() {
    let fake = fake::legacy()
        .tool("echo")
        .tool_answering("late", |call| {
            call.answer_early(r#"{"content":[{"type":"text","text":"done"}]}"#);
            call.progress(1);
            Reply::Nothing
        })
        .stdio();
    let mux = MuxTest::new().upstream("a", &fake).start_stdio();
    let client = mux.legacy();
    let answer = client.ask_call("a__late").token("5").answer();
    assert_eq!((answer.events.len(), answer.said()), (0, "done".to_owned()));
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
    let late = client
        .stdio()
        .take_all(|msg| msg.raw("params/progressToken").is_some());
    assert_eq!(late.len(), 0, "{late:?}");
}
