//! Questions in the middle of a call, where both sides are of one era.

use serde_json::json;

use crate::support::client::Connect;
use crate::support::{Era, MuxTest, Pipe, Reply, fake};

const PIPES: [Pipe; 2] = [Pipe::Stdio, Pipe::Http];

#[test]
fn a_modern_question_and_its_answer_pass_as_they_are() {
    let question = r#"{"resultType":"input_required","requestState":"s\u0041","inputRequests":{"k":{"method":"elicitation/create","params":{"mode":"form","message":"m","requestedSchema":{"type":"object"},"x":1e400}}}}"#;
    let responses = r#"{"k":{"action":"accept","content":{"n":1e400}}}"#;
    for (front, back) in [
        (PIPES[0], PIPES[1]),
        (PIPES[1], PIPES[0]),
        (PIPES[1], PIPES[1]),
    ] {
        let fake = fake::modern()
            .tool_answering("asks", move |call| {
                match call.msg.raw("params/inputResponses") {
                    Some(_) => Reply::text("thank you"),
                    None => Reply::raw(question),
                }
            })
            .over(back);
        let mux = MuxTest::new().upstream("a", &fake).over(front);
        let connect = Connect::new(Era::Modern).capable_of(json!({"elicitation": {"form": {}}}));
        let client = mux.connect(connect);
        let answer = client.ask_call("a__asks").answer();
        assert_eq!(answer.raw("result").as_deref(), Some(question));
        let again = client
            .ask_call("a__asks")
            .member("inputResponses", responses);
        assert_eq!(
            again.member("requestState", r#""s\u0041""#).answer().said(),
            "thank you"
        );
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

#[test]
fn a_legacy_question_reaches_the_client_whose_call_caused_it() {
    for (front, back) in [
        (PIPES[0], PIPES[1]),
        (PIPES[1], PIPES[1]),
        (PIPES[1], PIPES[0]),
    ] {
        let fake = fake::legacy()
            .tool_answering("asks", |call| {
                let params = json!({"message": "who?", "requestedSchema": {"type": "object"}});
                let answer = call.ask("77", "elicitation/create", &params);
                Reply::text(&answer.str("result/content/name"))
            })
            .over(back);
        let mux = MuxTest::new().upstream("a", &fake).over(front);
        let connect = Connect::new(Era::Legacy).capable_of(json!({"elicitation": {}}));
        let client = mux.connect(connect);
        let mut call = client.start_call("a__asks", &json!({}));
        let question = call.next();
        assert_eq!(question.method(), "elicitation/create");
        assert!(
            question.str("params/message").contains("who?"),
            "{}",
            question.text()
        );
        client.respond(&question, r#"{"action":"accept","content":{"name":"Ada"}}"#);
        assert_eq!(call.answer().said(), "Ada");
    }
}

#[test]
fn a_client_that_cannot_be_asked_is_not_asked() {
    let fake = fake::legacy()
        .tool_answering("asks", |call| {
            let answer = call.ask("77", "elicitation/create", &json!({"message": "who?"}));
            Reply::text(if answer.raw("error").is_some() {
                "refused"
            } else {
                "answered"
            })
        })
        .http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let answer = mux.legacy().call("a__asks", &json!({}));
    assert_eq!(
        (answer.events.len(), answer.said()),
        (0, "refused".to_owned())
    );
}
