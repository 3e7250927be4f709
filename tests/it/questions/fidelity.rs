//! What of a question and its answer must stay as it is.

use serde_json::json;

use super::{PIPES, able};
use crate::support::{Era, MuxTest, Reply, fake};

#[test]
fn between_modern_peers_only_the_signature_and_the_state_differ() {
    let question = |message: &str, signature: &str, state: &str| {
        format!(
            r#"{{"resultType":"input_required","x":1e400,"requestState":{state},"inputRequests":{{"k":{{"method":"elicitation/create","params":{{"mode":"form","message":"{message}","requestedSchema":{{"type":"object"}},"x":1e400{signature}}}}}}}}}"#
        )
    };
    let responses = r#"{"k":{"action":"accept","content":{"n":1e400}}}"#;
    for front in PIPES {
        for back in PIPES {
            let asked = question("m", "", r#""s\u0041""#);
            let fake = fake::modern()
                .tool_answering("asks", move |call| {
                    match call.msg.raw("params/inputResponses") {
                        Some(_) => Reply::text("thank you"),
                        None => Reply::raw(asked.clone()),
                    }
                })
                .over(back);
            let mux = MuxTest::new().upstream("a", &fake).over(front);
            let client = mux.connect(able(Era::Modern));
            let answer = client.ask_call("a__asks").answer();
            let state = answer.raw("result/requestState").expect("a state");
            let signature = r#","_meta":{"mcpmux/server":"a"}"#;
            let wanted = question("[a] m", signature, &state);
            assert_eq!(answer.raw("result"), Some(wanted));
            let again = client
                .ask_call("a__asks")
                .member("inputResponses", responses);
            let answer = again.member("requestState", &state).answer();
            assert_eq!(answer.said(), "thank you");
            let retry = &fake.seen_of("tools/call")[1].msg;
            assert_eq!(
                retry.raw("params/inputResponses").as_deref(),
                Some(responses)
            );
            assert_eq!(
                retry.raw("params/requestState").as_deref(),
                Some(r#""s\u0041""#)
            );
        }
    }
}

#[test]
fn a_question_without_a_state_stays_without() {
    let fake = fake::modern()
        .tool_answering("asks", |call| match call.msg.raw("params/inputResponses") {
            Some(answers) => Reply::text(&answers),
            None => Reply::raw(
                r#"{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}}}"#,
            ),
        })
        .http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.connect(able(Era::Modern));
    let answer = client.ask_call("a__asks").answer();
    assert_eq!(answer.raw("result/requestState"), None);
    let again = client
        .ask_call("a__asks")
        .member("inputResponses", r#"{"k":{"roots":[]}}"#);
    assert_eq!(again.answer().said(), r#"{"k":{"roots":[]}}"#);
}

#[test]
fn what_a_modern_client_adds_to_its_retry_stays_away_from_old_servers() {
    let fake = fake::legacy().tool("t").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let call = mux.modern();
    let call = call.ask_call("a__t").member("inputResponses", "{}");
    call.member("arguments", r#"{"inputResponses":1}"#)
        .answer()
        .result_text();
    let seen = &fake.seen_of("tools/call")[0].msg;
    assert_eq!(
        seen.raw("params").as_deref(),
        Some(r#"{"name":"t","arguments":{"inputResponses":1}}"#)
    );
}

/// A server wants a URL visited before the call: an error for old clients, a question for new ones.
#[test]
fn a_required_visit_is_a_question_for_modern_clients() {
    let data = json!({"elicitations": [{"mode": "url", "message": "log in", "url": "https://e.com/x", "elicitationId": "7"}]});
    let error = json!({"code": -32042, "message": "visit first", "data": data}).to_string();
    let visited = std::sync::atomic::AtomicBool::new(false);
    let reply = error.clone();
    let fake = fake::legacy()
        .tool_answering("t", move |_| {
            if visited.swap(true, std::sync::atomic::Ordering::SeqCst) {
                return Reply::text("in");
            }
            Reply::Error(reply.clone())
        })
        .http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let modern = mux.connect(able(Era::Modern));
    let (asked, answer) =
        super::call_and_answer(&modern, "a__t", |_| r#"{"action":"accept"}"#.into());
    assert_eq!(asked[0].params["url"], "https://e.com/x");
    assert_eq!(asked[0].params["message"], "[a] log in");
    assert_eq!(answer.said(), "in");
}

/// The server says that the visit is made: the client hears it whose visit it was, and no other.
#[test]
fn the_end_of_a_visit_is_told_to_whom_it_concerns() {
    let error = r#"{"code":-32042,"message":"visit first","data":{"elicitations":[{"mode":"url","message":"m","url":"https://e.com","elicitationId":"7"}]}}"#;
    for pipe in PIPES {
        let fake = fake::legacy()
            .tool_answering("t", move |_| Reply::Error(error.to_owned()))
            .over(pipe);
        let mux = MuxTest::new().upstream("a", &fake).start();
        let (one, two) = (
            mux.connect(able(Era::Legacy)),
            mux.connect(able(Era::Legacy)),
        );
        let (mut heard, mut nothing) = (one.feed(), two.feed());
        assert_eq!(one.ask_call("a__t").answer().code(), -32042);
        fake.wait_stream();
        fake.notify(
            "notifications/elicitation/complete",
            &json!({"elicitationId": "7", "x": {"b": 1, "a": 2}}),
        );
        let done = heard.next();
        assert_eq!(done.method(), "notifications/elicitation/complete");
        assert_eq!(
            done.raw("params").as_deref(),
            Some(r#"{"elicitationId":"7","x":{"b":1,"a":2}}"#)
        );
        // What comes next for the other is something else.
        fake.add_tool("u");
        fake.list_changed("tools");
        assert_eq!(nothing.next().method(), "notifications/tools/list_changed");
    }
}

#[test]
fn a_required_visit_stays_an_error_for_legacy_clients_and_names_what_others_lack() {
    let error = r#"{"code":-32042,"message":"visit first","data":{"elicitations":[{"mode":"url","message":"m","url":"https://e.com","elicitationId":"7"}]}}"#;
    let fake = fake::legacy()
        .tool_answering("t", move |_| Reply::Error(error.to_owned()))
        .http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let answer = mux.legacy().ask_call("a__t").answer();
    assert_eq!(answer.raw("error").as_deref(), Some(error));
    let answer = mux.modern().ask_call("a__t").answer();
    assert_eq!(answer.code(), -32021);
    let required = answer.get("error/data/requiredCapabilities");
    assert_eq!(required, json!({"elicitation": {"url": {}}}));
}
