//! How questions end otherwise than by an answer.

use serde_json::json;

use super::{PIPES, able, form};
use crate::support::matrix::matrix;
use crate::support::{Era, Gate, MuxTest, Pairing, Reply, fake};

// A modern client has no call while it is asked: it just does not come back. A modern server has none either.
matrix!([legacy_to_legacy: Legacy Legacy,] a_cancelled_call_takes_its_question_along);
matrix!(
    [
        legacy_to_legacy: Legacy Legacy,
        modern_to_legacy: Modern Legacy,
    ]
    progress_goes_on_meanwhile
);

/// The client takes its call back while it is asked.
fn a_cancelled_call_takes_its_question_along(pairing: Pairing) {
    let fake = pairing.fake().tool_answering("asks", |call| {
        let answer = call.ask("7", "elicitation/create", &form("m"));
        assert_eq!(
            answer.raw("result").as_deref(),
            Some(r#"{"action":"cancel"}"#)
        );
        call.wait_cancelled();
        Reply::Nothing
    });
    let fake = fake.over(pairing.back);
    let mux = MuxTest::new().upstream("a", &fake).over(pairing.front);
    let client = mux.connect(able(pairing.client));
    let mut call = client.start_call("a__asks", &json!({}));
    call.next();
    call.cancel();
    fake.wait_seen("notifications/cancelled", 1);
}

/// Progress before, while and after the client is asked, each time with the client's own token.
fn progress_goes_on_meanwhile(pairing: Pairing) {
    let fake = pairing.fake().tool_answering("asks", |call| {
        call.progress(1);
        call.ask_soon("7", "elicitation/create", &form("m"));
        call.progress(2);
        call.answer_to("7");
        call.progress(3);
        Reply::text("done")
    });
    let fake = fake.over(pairing.back);
    let mux = MuxTest::new().upstream("a", &fake).over(pairing.front);
    let client = mux.connect(able(pairing.client));
    let mut seen = Vec::new();
    let mut call = client.ask_call("a__asks").token("\"t1\"").send();
    loop {
        let msg = call.next();
        if msg.is_request() {
            client.respond(&msg, r#"{"action":"decline"}"#);
        } else if msg.is_response() && msg.raw("result/requestState").is_some() {
            let state = msg.raw("result/requestState").expect("a state");
            let again = client.ask_call("a__asks").token("\"t1\"");
            let again = again.member("inputResponses", r#"{"q1":{"action":"decline"}}"#);
            call = again.member("requestState", &state).send();
        } else if msg.is_response() {
            assert_eq!(msg.str("result/content/0/text"), "done");
            break;
        } else {
            assert_eq!(msg.str("params/progressToken"), "t1");
            seen.push(msg.get("params/progress"));
        }
    }
    assert_eq!(seen, [json!(1), json!(2), json!(3)]);
}

#[test]
fn a_question_that_the_server_withdraws_is_withdrawn_from_the_client() {
    for front in PIPES {
        for back in PIPES {
            let fake = fake::legacy()
                .tool_answering("asks", |call| {
                    call.ask_soon("\"x7\"", "elicitation/create", &form("m"));
                    call.notify("notifications/cancelled", &json!({"requestId": "x7"}));
                    Reply::text("never mind")
                })
                .over(back);
            let mux = MuxTest::new().upstream("a", &fake).over(front);
            let client = mux.connect(able(Era::Legacy));
            let mut call = client.start_call("a__asks", &json!({}));
            let question = call.next();
            assert_eq!(question.method(), "elicitation/create");
            let id = question.id().expect("a request").to_owned();
            let answer = loop {
                let msg = call.next();
                if msg.is_response() {
                    break msg;
                }
                assert_eq!(msg.method(), "notifications/cancelled");
                assert_eq!(msg.raw("params/requestId"), Some(id.clone()));
            };
            assert_eq!(answer.str("result/content/0/text"), "never mind");
        }
    }
}

/// The client answers with an error: an old server hears it; a new one hears the nearest thing there is.
#[test]
fn a_refusal_reaches_the_server_in_its_own_words() {
    let error = r#"{"code":-1,"message":"no","data":{"x":1e400}}"#;
    for pipe in PIPES {
        let fake = fake::legacy()
            .tool_answering("asks", |call| {
                let answer = call.ask(
                    "7",
                    "sampling/createMessage",
                    &json!({"messages": [], "maxTokens": 1}),
                );
                Reply::text(&answer.raw("error").unwrap_or_default())
            })
            .over(pipe);
        let mux = MuxTest::new().upstream("a", &fake).start();
        let client = mux.connect(able(Era::Legacy));
        let mut call = client.start_call("a__asks", &json!({}));
        let question = call.next();
        client.refuse(&question, error);
        assert_eq!(call.answer().said(), error);
    }
}

#[test]
fn a_refusal_for_a_modern_server_is_a_cancelled_form_or_the_end() {
    let elicitation = vec![("k", "elicitation/create", form("m"))];
    let sampling = vec![(
        "k",
        "sampling/createMessage",
        json!({"messages": [], "maxTokens": 1}),
    )];
    let fake = fake::modern()
        .tool_answering("elicits", move |call| {
            match call.msg.raw("params/inputResponses/k") {
                Some(answer) => Reply::text(&answer),
                None => Reply::raw(super::input_required(&elicitation, "\"s\"")),
            }
        })
        .tool_answering("samples", move |_| {
            Reply::raw(super::input_required(&sampling, "\"s\""))
        })
        .http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.connect(able(Era::Legacy));
    let refused = |tool| {
        let mut call = client.start_call(tool, &json!({}));
        let question = call.next();
        client.refuse(&question, r#"{"code":-1,"message":"no"}"#);
        call.answer()
    };
    assert_eq!(refused("a__elicits").said(), r#"{"action":"cancel"}"#);
    let answer = refused("a__samples");
    assert_eq!(answer.code(), -32014);
    assert_eq!(answer.str("error/data/mcpmux/kind"), "inputRefused");
}

/// The call ends while its question is open: the client is told not to bother.
#[test]
fn a_client_that_does_not_answer_in_time_is_not_waited_for() {
    for era in [Era::Legacy, Era::Modern] {
        let question = vec![("k", "elicitation/create", form("m"))];
        let fake = match era {
            Era::Legacy => fake::legacy().tool_answering("asks", |call| {
                let answer = call.ask("7", "elicitation/create", &form("m"));
                assert_eq!(answer.str("result/action"), "cancel");
                Reply::Nothing
            }),
            Era::Modern => fake::modern().tool_answering("asks", move |_| {
                Reply::raw(super::input_required(&question, "\"s\""))
            }),
        };
        let fake = fake.http();
        let settings = json!({"inputTimeout": "50ms"});
        let mux = MuxTest::new()
            .settings(&settings)
            .upstream("a", &fake)
            .start();
        let client = mux.connect(able(Era::Legacy));
        let answer = client.call("a__asks", &json!({}));
        assert_eq!(answer.code(), -32011);
        assert_eq!(answer.str("error/data/mcpmux/kind"), "inputExpired");
        let methods: Vec<&str> = answer
            .events
            .iter()
            .map(crate::support::Msg::method)
            .collect();
        assert_eq!(methods, ["elicitation/create", "notifications/cancelled"]);
    }
}

/// A session that ends takes its open questions along.
#[test]
fn a_client_that_goes_away_leaves_no_question_behind() {
    let gate = Gate::new();
    let opened = gate.clone();
    let fake = fake::legacy()
        .tool_answering("asks", move |call| {
            let answer = call.ask("7", "elicitation/create", &form("m"));
            assert_eq!(answer.str("result/action"), "cancel");
            opened.open();
            Reply::Nothing
        })
        .http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.connect(able(Era::Legacy));
    let mut call = client.start_call("a__asks", &json!({}));
    call.next();
    assert_eq!(client.delete().status(), 204);
    gate.wait("the question is answered");
}

#[test]
fn a_modern_server_that_only_wants_to_be_called_again_is() {
    let fake = fake::modern()
        .tool_answering("slow", |call| {
            match call.msg.get("params/requestState").as_str() {
                Some("2") => Reply::text("done"),
                Some(_) => Reply::raw(r#"{"resultType":"input_required","requestState":"2"}"#),
                None => Reply::raw(r#"{"resultType":"input_required","requestState":"1"}"#),
            }
        })
        .http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    assert_eq!(mux.legacy().call("a__slow", &json!({})).said(), "done");
}
