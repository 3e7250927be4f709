//! Whose question is it? Never a guess.

use serde_json::json;

use super::{able, form};
use crate::support::client::Connect;
use crate::support::fake::Fake;
use crate::support::{Client, Era, Gate, MuxTest, Pipe, Reply, fake};

/// A tool that asks and says what it heard, and one that waits for a gate.
fn asking_and_waiting(gate: &Gate) -> Fake {
    let gate = gate.clone();
    fake::legacy()
        .tool_answering("asks", |call| {
            let answer = call.ask_anew("elicitation/create", &form("m"));
            Reply::text(
                &answer
                    .raw("result")
                    .or(answer.raw("error"))
                    .unwrap_or_default(),
            )
        })
        .tool_answering("waits", move |_| {
            gate.wait("the test goes on");
            Reply::text("waited")
        })
}

#[track_caller]
fn asked_and_answered(client: &Client) -> String {
    let (asked, answer) =
        super::call_and_answer(client, "a__asks", |_| r#"{"action":"accept"}"#.into());
    assert!(asked.len() <= 1);
    answer.said()
}

/// On a shared pipe, a question that may be about either of two calls is refused. From then on the server is known to
/// ask, and its calls do not share.
#[test]
fn a_server_that_asks_gets_connections_for_its_calls_once_they_could_be_confused() {
    for era in [Era::Legacy, Era::Modern] {
        let gate = Gate::new();
        let fake = asking_and_waiting(&gate).stdio();
        let mux = MuxTest::new().upstream("a", &fake).start();
        let (one, two) = (mux.connect(able(era)), mux.connect(able(era)));
        let waits = one.start_call("a__waits", &json!({}));
        fake.wait_seen("tools/call", 1);
        let refused = asked_and_answered(&two);
        assert!(refused.contains("-32601"), "{refused}");
        assert_eq!(fake.starts(), 1);
        for _ in 0..3 {
            assert_eq!(asked_and_answered(&two), r#"{"action":"accept"}"#);
        }
        // One more process was enough for calls that came one after the other.
        assert_eq!(fake.starts(), 2);
        gate.open();
        assert_eq!(waits.answer().said(), "waited");
    }
}

/// One call at a time needs no second process.
#[test]
fn a_server_that_asks_one_client_at_a_time_stays_one_process() {
    let fake = asking_and_waiting(&Gate::new()).stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    for era in [Era::Legacy, Era::Modern, Era::Legacy] {
        let client = mux.connect(able(era));
        assert_eq!(asked_and_answered(&client), r#"{"action":"accept"}"#);
    }
    assert_eq!(fake.starts(), 1);
}

/// A question that was left open blocks nobody: the next call gets another process.
#[test]
fn an_abandoned_question_stands_in_nobodys_way() {
    let fake = asking_and_waiting(&Gate::new()).stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.connect(able(Era::Modern));
    for _ in 0..5 {
        let answer = client.ask_call("a__asks").answer();
        assert!(
            answer.raw("result/requestState").is_some(),
            "{}",
            answer.text()
        );
    }
    assert_eq!(asked_and_answered(&client), r#"{"action":"accept"}"#);
}

/// What the mux learned is still known in its next life.
#[test]
fn an_asking_server_is_remembered() {
    let gate = Gate::new();
    let fake = asking_and_waiting(&gate).stdio();
    let test = MuxTest::new().upstream("a", &fake);
    let home = test.dir().to_owned();
    let mut mux = test.start();
    assert_eq!(
        asked_and_answered(&mux.connect(able(Era::Legacy))),
        r#"{"action":"accept"}"#
    );
    let kept = || {
        let cache = home.join("cache_home");
        let found = walk(&cache)
            .into_iter()
            .find(|text| text.contains("\"asks\""));
        found.map(drop)
    };
    crate::support::eventually("the manifest knows", kept);
    let dir = mux.dir();
    mux.stop();
    let mux = MuxTest::within(dir).upstream("a", &fake).start();
    let (one, two) = (
        mux.connect(able(Era::Legacy)),
        mux.connect(able(Era::Legacy)),
    );
    let waits = one.start_call("a__waits", &json!({}));
    fake.wait_seen("tools/call", 2);
    assert_eq!(asked_and_answered(&two), r#"{"action":"accept"}"#);
    gate.open();
    waits.answer().result_text();
}

/// All files below, as text.
fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            texts.extend(walk(&path));
        } else {
            texts.extend(std::fs::read_to_string(path));
        }
    }
    texts
}

#[test]
fn shared_stays_shared_whatever_is_asked() {
    let gate = Gate::new();
    let fake = asking_and_waiting(&gate).stdio();
    let keys = json!({"sharing": "shared"});
    let mux = MuxTest::new().upstream_with("a", &fake, &keys).start();
    let client = mux.connect(able(Era::Legacy));
    let waits = client.start_call("a__waits", &json!({}));
    fake.wait_seen("tools/call", 1);
    for _ in 0..2 {
        assert!(asked_and_answered(&client).contains("-32601"));
    }
    gate.open();
    waits.answer().result_text();
    assert_eq!(fake.starts(), 1);
}

#[test]
fn exclusive_calls_never_share() {
    let gate = Gate::new();
    let fake = asking_and_waiting(&gate).stdio();
    let keys = json!({"sharing": "exclusive"});
    let mux = MuxTest::new().upstream_with("a", &fake, &keys).start();
    let client = mux.connect(able(Era::Legacy));
    let waits = client.start_call("a__waits", &json!({}));
    fake.wait_seen("tools/call", 1);
    assert_eq!(asked_and_answered(&client), r#"{"action":"accept"}"#);
    gate.open();
    waits.answer().result_text();
    // One for the lists, and one for each of the two calls at once.
    assert_eq!(fake.starts(), 3);
}

/// Two calls of one client may be in flight on its own process: whatever is asked, it is this client.
#[test]
fn per_client_processes_ask_their_client() {
    let gate = Gate::new();
    let fake = asking_and_waiting(&gate).stdio();
    let keys = json!({"sharing": "per-client"});
    let mux = MuxTest::new().upstream_with("a", &fake, &keys).start();
    let (one, two) = (
        mux.connect(able(Era::Legacy)),
        mux.connect(able(Era::Legacy)),
    );
    let waits = one.start_call("a__waits", &json!({}));
    fake.wait_seen("tools/call", 1);
    for client in [&one, &two, &one] {
        assert_eq!(asked_and_answered(client), r#"{"action":"accept"}"#);
    }
    gate.open();
    waits.answer().result_text();
    assert_eq!(fake.starts(), 3);
}

/// A call that was taken back may still ask, and then it is not the other one that asks.
#[test]
fn a_cancelled_call_is_not_forgotten_at_once() {
    let (cancelled, asked) = (Gate::new(), Gate::new());
    let (seen, done) = (cancelled.clone(), asked.clone());
    let fake = fake::legacy()
        .tool_answering("stubborn", move |call| {
            call.wait_cancelled();
            seen.wait("the other call is in flight");
            let answer = call.ask("7", "elicitation/create", &form("m"));
            assert_eq!(answer.get("error/code"), json!(-32601));
            done.open();
            Reply::Nothing
        })
        .tool_answering("waits", {
            let asked = asked.clone();
            move |_| {
                asked.wait("the question was refused");
                Reply::text("waited")
            }
        })
        .stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.connect(able(Era::Legacy));
    let call = client.start_call("a__stubborn", &json!({}));
    fake.wait_seen("tools/call", 1);
    call.cancel();
    let waits = client.start_call("a__waits", &json!({}));
    fake.wait_seen("tools/call", 2);
    cancelled.open();
    let answer = waits.answer();
    assert_eq!(
        (answer.events.len(), answer.said()),
        (0, "waited".to_owned())
    );
}

/// What the client has not declared it is not asked; where that was the call's end, a modern client learns what to declare.
#[test]
fn a_client_that_cannot_be_asked_is_not_asked() {
    let params = json!({"messages": [], "maxTokens": 1});
    for pipe in Pipe::ALL {
        let params = params.clone();
        let fake = fake::legacy()
            .tool_answering("asks", move |call| {
                let answer = call.ask("77", "sampling/createMessage", &params);
                Reply::Error(answer.raw("error").unwrap_or_default())
            })
            .over(pipe);
        let mux = MuxTest::new().upstream("a", &fake).start();
        let elicitation = json!({"elicitation": {}});
        let legacy = mux.connect(Connect::new(Era::Legacy).capable_of(elicitation.clone()));
        let answer = legacy.call("a__asks", &json!({}));
        assert_eq!((answer.events.len(), answer.code()), (0, -32601));
        let modern = mux.connect(Connect::new(Era::Modern).capable_of(elicitation));
        let answer = modern.call("a__asks", &json!({}));
        assert_eq!(answer.code(), -32021);
        let required = answer.get("error/data/requiredCapabilities");
        assert_eq!(required, json!({"sampling": {}}));
    }
}

/// What old servers ask right after the handshake is answered here.
#[test]
fn a_question_outside_any_call_is_answered_here() {
    for pipe in Pipe::ALL {
        let fake = fake::legacy().tool("t").over(pipe);
        let mux = MuxTest::new().upstream("a", &fake).start();
        fake.wait_stream();
        fake.say(r#"{"jsonrpc":"2.0","id":"r","method":"roots/list"}"#);
        fake.say(r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#);
        fake.say(
            r#"{"jsonrpc":"2.0","id":"e","method":"elicitation/create","params":{"message":"m"}}"#,
        );
        assert_eq!(
            fake.answer_to("\"r\"").raw("result").as_deref(),
            Some(r#"{"roots":[]}"#)
        );
        assert_eq!(fake.answer_to("\"p\"").raw("result").as_deref(), Some("{}"));
        assert_eq!(fake.answer_to("\"e\"").get("error/code"), json!(-32601));
        drop(mux);
    }
}

/// Processes with calls that wait for their clients end with the mux like all others.
#[test]
fn no_process_outlives_the_mux_though_its_call_waits() {
    let fake = asking_and_waiting(&Gate::new()).stdio();
    let mut mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.connect(able(Era::Modern));
    for _ in 0..3 {
        client.ask_call("a__asks").answer().result_text();
    }
    assert_eq!(fake.starts(), 3);
    assert_eq!(mux.stop(), 143);
    fake.lives().wait_for_none();
}
