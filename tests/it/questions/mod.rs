//! Questions in the middle of a call: every client to every server, one at a time and many at once.

mod attribution;
mod bridge;
mod ends;
mod fidelity;
mod many;
mod states;

use serde_json::{Value, json};

use crate::support::client::{Answer, Connect};
use crate::support::fake::Fake;
use crate::support::{Ask, Client, Era, Msg, Pairing, Pipe, Reply};

/// The parameters of an elicitation.
fn form(message: &str) -> Value {
    json!({"mode": "form", "message": message, "requestedSchema": {"type": "object", "properties": {}}})
}

/// Everything that a client can be asked.
fn everything() -> Value {
    json!({"elicitation": {"form": {}, "url": {}}, "sampling": {"tools": {}}, "roots": {}})
}

/// A client of this era that can be asked everything.
fn able(era: Era) -> Connect {
    Connect::new(era).capable_of(everything())
}

/// What a tool asks: key, method and params of each question.
type Questions = Vec<(&'static str, &'static str, Value)>;

/// Adds a tool that asks these questions at once, in the way of its era, and says what came back: the answers'
/// `result`s in order, joined by a bar.
fn asking(pairing: Pairing, fake: Fake, tool: &str, questions: Questions) -> Fake {
    let tool_name = tool.to_owned();
    match pairing.server {
        Era::Legacy => fake.tool_answering(tool, move |call| {
            // No other question of this test has these ids.
            let call_id = call.msg.id().unwrap_or_default().replace('"', "");
            let id = |(key, ..): &(&str, &str, Value)| format!("\"{tool_name}-{call_id}-{key}\"");
            let ids: Vec<String> = questions.iter().map(id).collect();
            for (id, (_, method, params)) in ids.iter().zip(&questions) {
                call.ask_soon(id, method, params);
            }
            let answers: Vec<Msg> = ids.iter().map(|id| call.answer_to(id)).collect();
            Reply::text(&said(
                answers
                    .iter()
                    .map(|answer| answer.raw("result").or_else(|| answer.raw("error"))),
            ))
        }),
        Era::Modern => fake.tool_answering(tool, move |call| {
            if call.msg.raw("params/inputResponses").is_none() {
                return Reply::raw(input_required(&questions, "\"s\\u0041\""));
            }
            assert_eq!(
                call.msg.raw("params/requestState").as_deref(),
                Some("\"s\\u0041\"")
            );
            Reply::text(&said(questions.iter().map(|(key, ..)| {
                call.msg.raw(&format!("params/inputResponses/{key}"))
            })))
        }),
    }
}

fn said(answers: impl Iterator<Item = Option<String>>) -> String {
    let texts: Vec<String> = answers.map(Option::unwrap_or_default).collect();
    texts.join("|")
}

/// The result of a modern server that asks.
fn input_required(questions: &Questions, state: &str) -> String {
    let requests: serde_json::Map<String, Value> = questions
        .iter()
        .map(|(key, method, params)| {
            (
                (*key).to_owned(),
                json!({"method": method, "params": params}),
            )
        })
        .collect();
    let requests = Value::Object(requests);
    format!(
        r#"{{"resultType":"input_required","requestState":{state},"inputRequests":{requests}}}"#
    )
}

/// One question as a client sees it.
struct Seen {
    method: String,
    params: Value,
}

/// Makes a call and answers what is asked, whatever the client's era: `answer` gives the result for a question. All
/// questions that were asked, and the last answer.
#[track_caller]
fn call_and_answer(
    client: &Client,
    tool: &str,
    answer: impl Fn(&Seen) -> String,
) -> (Vec<Seen>, Answer) {
    match client.era() {
        Era::Legacy => legacy_answers(client, client.ask_call(tool), &answer),
        Era::Modern => modern_answers(client, || client.ask_call(tool), &answer),
    }
}

#[track_caller]
fn legacy_answers(
    client: &Client,
    ask: Ask<'_>,
    answer: &impl Fn(&Seen) -> String,
) -> (Vec<Seen>, Answer) {
    let mut exchange = ask.send();
    let mut asked = Vec::new();
    loop {
        let msg = exchange.next();
        if msg.is_response() {
            return (
                asked,
                Answer {
                    events: Vec::new(),
                    msg,
                },
            );
        }
        if msg.is_request() {
            let seen = Seen {
                method: msg.method().to_owned(),
                params: msg.get("params"),
            };
            client.respond(&msg, &answer(&seen));
            asked.push(seen);
        }
    }
}

#[track_caller]
fn modern_answers<'c>(
    _client: &Client,
    ask: impl Fn() -> Ask<'c>,
    answer: &impl Fn(&Seen) -> String,
) -> (Vec<Seen>, Answer) {
    let mut asked = Vec::new();
    let mut now = ask().answer();
    while now.raw("result/resultType").as_deref() == Some("\"input_required\"") {
        let mut responses = Vec::new();
        let requests = now.get("result/inputRequests");
        for (key, request) in requests.as_object().expect("questions") {
            let seen = Seen {
                method: request["method"].as_str().expect("a method").to_owned(),
                params: request["params"].clone(),
            };
            responses.push(format!("{}:{}", json!(key), answer(&seen)));
            asked.push(seen);
        }
        let mut again = ask().member("inputResponses", &format!("{{{}}}", responses.join(",")));
        if let Some(state) = now.raw("result/requestState") {
            again = again.member("requestState", &state);
        }
        now = again.answer();
    }
    (asked, now)
}

/// Both transports.
const PIPES: [Pipe; 2] = [Pipe::Stdio, Pipe::Http];
