//! Every kind of question, from every server to every client.

use serde_json::{Value, json};

use super::{able, asking, call_and_answer, form};
use crate::support::matrix::matrix;
use crate::support::{MuxTest, Pairing, Reply};

matrix!(
    an_elicitation_is_answered,
    a_sampling_with_tools_is_answered,
    roots_are_listed,
    a_url_is_visited,
    three_questions_at_once,
    three_rounds_one_after_the_other,
    the_question_names_its_server,
    a_prompt_and_a_resource_may_ask,
);

/// One question through the mux: what the client saw of it, and what the tool made of the answer.
fn one_question(
    pairing: Pairing,
    method: &'static str,
    params: Value,
    result: &str,
) -> (Value, String) {
    let fake = asking(pairing, pairing.fake(), "asks", vec![("k", method, params)]);
    let fake = fake.over(pairing.back);
    let mux = MuxTest::new().upstream("a", &fake).over(pairing.front);
    let client = mux.connect(able(pairing.client));
    let (asked, answer) = call_and_answer(&client, "a__asks", |_| result.to_owned());
    assert_eq!(asked.len(), 1, "{}", answer.text());
    assert_eq!(asked[0].method, method);
    (asked[0].params.clone(), answer.said())
}

fn an_elicitation_is_answered(pairing: Pairing) {
    let result = r#"{"action":"accept","content":{"n":1e400,"t":"\u0041"}}"#;
    let mut params = form("who?");
    params["requestedSchema"]["properties"] = json!({"n": {"type": "number", "default": 1}});
    let wanted = params["requestedSchema"].clone();
    let (seen, said) = one_question(pairing, "elicitation/create", params, result);
    assert_eq!(seen["requestedSchema"], wanted);
    assert_eq!(said, result);
}

fn a_sampling_with_tools_is_answered(pairing: Pairing) {
    let params = json!({"messages": [{"role": "user", "content": {"type": "text", "text": "hi"}}], "maxTokens": 10,
        "tools": [{"name": "t", "inputSchema": {"type": "object"}}], "toolChoice": {"mode": "auto"}});
    let result = r#"{"role":"assistant","content":{"type":"text","text":"yes"},"model":"m","x":1}"#;
    let (mut seen, said) = one_question(pairing, "sampling/createMessage", params.clone(), result);
    seen.as_object_mut().expect("params").remove("_meta");
    assert_eq!((seen, said), (params, result.to_owned()));
}

fn roots_are_listed(pairing: Pairing) {
    let result = r#"{"roots":[{"uri":"file:///home","name":"h","x":1}]}"#;
    let (_, said) = one_question(pairing, "roots/list", json!({}), result);
    assert_eq!(said, result);
}

fn a_url_is_visited(pairing: Pairing) {
    let params = json!({"mode": "url", "message": "log in", "url": "https://example.com/in", "elicitationId": "e1"});
    let result = r#"{"action":"accept"}"#;
    let (seen, said) = one_question(pairing, "elicitation/create", params, result);
    assert_eq!(seen["url"], "https://example.com/in");
    assert!(seen["elicitationId"].is_string(), "{seen}");
    assert_eq!(said, result);
}

fn three_questions_at_once(pairing: Pairing) {
    let sampling = json!({"messages": [], "maxTokens": 1});
    let questions = vec![
        ("one", "elicitation/create", form("first")),
        ("two", "sampling/createMessage", sampling),
        ("three", "roots/list", json!({})),
    ];
    let fake = asking(pairing, pairing.fake(), "asks", questions).over(pairing.back);
    let mux = MuxTest::new().upstream("a", &fake).over(pairing.front);
    let client = mux.connect(able(pairing.client));
    let (asked, answer) = call_and_answer(&client, "a__asks", |seen| {
        format!(r#"{{"to":"{}"}}"#, seen.method)
    });
    let mut methods: Vec<&str> = asked.iter().map(|seen| seen.method.as_str()).collect();
    methods.sort_unstable();
    assert_eq!(
        methods,
        ["elicitation/create", "roots/list", "sampling/createMessage"]
    );
    let each = ["elicitation/create", "sampling/createMessage", "roots/list"];
    let wanted = each
        .map(|method| format!(r#"{{"to":"{method}"}}"#))
        .join("|");
    assert_eq!(answer.said(), wanted);
}

fn three_rounds_one_after_the_other(pairing: Pairing) {
    let fake = pairing.fake().tool_answering("asks", move |call| {
        let mut heard = String::new();
        if pairing.server == crate::support::Era::Legacy {
            for round in 1..=3 {
                let answer = call.ask(&round.to_string(), "elicitation/create", &form("next"));
                heard += &answer.str("result/content/t");
            }
            return Reply::text(&heard);
        }
        if let Some(before) = call.msg.get("params/requestState").as_str() {
            heard = before.to_owned() + &call.msg.str("params/inputResponses/k/content/t");
        }
        if heard.len() == 3 {
            return Reply::text(&heard);
        }
        let question = vec![("k", "elicitation/create", form("next"))];
        Reply::raw(super::input_required(&question, &json!(heard).to_string()))
    });
    let fake = fake.over(pairing.back);
    let mux = MuxTest::new().upstream("a", &fake).over(pairing.front);
    let client = mux.connect(able(pairing.client));
    let letters = std::cell::Cell::new('a');
    let (asked, answer) = call_and_answer(&client, "a__asks", |_| {
        let letter = letters.get();
        letters.set((letter as u8 + 1).into());
        format!(r#"{{"action":"accept","content":{{"t":"{letter}"}}}}"#)
    });
    assert_eq!((asked.len(), answer.said()), (3, "abc".to_owned()));
}

fn the_question_names_its_server(pairing: Pairing) {
    let result = r#"{"action":"decline"}"#;
    let (seen, _) = one_question(pairing, "elicitation/create", form("who?"), result);
    assert_eq!(seen["message"], "[a] who?");
    assert_eq!(seen["_meta"]["mcpmux/server"], "a");
}

fn a_prompt_and_a_resource_may_ask(pairing: Pairing) {
    use crate::support::Era;
    let ask = move |call: &crate::support::fake::Call, result: &str| {
        if pairing.server == Era::Legacy {
            let answer = call.ask("1", "elicitation/create", &form("may I?"));
            assert_eq!(answer.str("result/action"), "accept");
        } else if call.msg.raw("params/inputResponses").is_none() {
            let question = vec![("k", "elicitation/create", form("may I?"))];
            return Reply::raw(super::input_required(&question, "\"s\""));
        }
        Reply::raw(result)
    };
    let prompt = r#"{"messages":[],"description":"d"}"#;
    let resource = r#"{"contents":[{"uri":"x://y","text":"t"}]}"#;
    let fake = pairing
        .fake()
        .prompt("p")
        .resource("x://y")
        .on("prompts/get", move |call| ask(call, prompt))
        .on("resources/read", move |call| ask(call, resource))
        .over(pairing.back);
    let mux = MuxTest::new().upstream("a", &fake).over(pairing.front);
    let client = mux.connect(able(pairing.client));
    for (method, member, value, path, wanted) in [
        ("prompts/get", "name", "\"a__p\"", "result/description", "d"),
        (
            "resources/read",
            "uri",
            "\"x://y\"",
            "result/contents/0/text",
            "t",
        ),
    ] {
        let request = || client.ask(method).member(member, value);
        let accept = |_: &super::Seen| r#"{"action":"accept","content":{}}"#.to_owned();
        let (asked, answer) = match pairing.client {
            Era::Legacy => super::legacy_answers(&client, request(), &accept),
            Era::Modern => super::modern_answers(&client, request, &accept),
        };
        assert_eq!((asked.len(), answer.str(path)), (1, wanted.to_owned()));
    }
}
