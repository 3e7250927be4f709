//! The servers: one of each era over each transport, with the same tools.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::books::Books;
use super::clients::pause;
use crate::support::fake::{self, Call};
use crate::support::{Era, Fake, FakeServer, Pipe, Reply};

/// The servers' names, in the order of [`all`].
pub(super) const NAMES: [&str; 7] = [
    "old-pipe",
    "old-web",
    "old-socket",
    "old-events",
    "new-pipe",
    "new-web",
    "new-socket",
];
pub(super) const TOOLS: [&str; 4] = ["echo", "slow", "ask", "hang"];

/// How long a legacy server waits for an answer: longer than the mux lets a client wait.
const PATIENCE: Duration = Duration::from_secs(15);

/// All servers, without any state of their own but the books.
pub(super) fn all(books: &Arc<Books>) -> Vec<FakeServer> {
    let mut servers = Vec::new();
    for era in [Era::Legacy, Era::Modern] {
        for pipe in [Pipe::Stdio, Pipe::Http, Pipe::WebSocket, Pipe::Sse] {
            if (era, pipe) == (Era::Modern, Pipe::Sse) {
                continue;
            }
            let fake = match era {
                Era::Legacy => fake::legacy(),
                Era::Modern => fake::modern(),
            };
            servers.push(with_tools(fake, era, books).over(pipe));
        }
    }
    servers
}

fn with_tools(fake: Fake, era: Era, books: &Arc<Books>) -> Fake {
    let [echo, slow, ask, hang] = [(); 4].map(|()| Arc::clone(books));
    fake.tool_answering("echo", move |call| {
        echo.begin(&word(call));
        said("echo", &word(call), &[])
    })
    .tool_answering("slow", move |call| {
        slow.begin(&word(call));
        if call.msg.raw("params/_meta/progressToken").is_some() {
            call.progress(1);
        }
        pause(Duration::from_millis(
            call.argument("ms").as_u64().unwrap_or_default(),
        ));
        said("slow", &word(call), &[])
    })
    .tool_answering("ask", move |call| match era {
        Era::Legacy => ask_now(call, &ask),
        Era::Modern => ask_later(call, &ask),
    })
    .tool_answering("hang", move |call| {
        hang.begin(&word(call));
        Reply::Nothing
    })
}

fn word(call: &Call) -> String {
    call.argument("n").as_str().unwrap_or_default().to_owned()
}

fn said(tool: &str, word: &str, answers: &[String]) -> Reply {
    Reply::text(&text(tool, word, answers))
}

/// What a tool says to the call with this word, and after these answers.
pub(super) fn text(tool: &str, word: &str, answers: &[String]) -> String {
    format!("{tool} {word} {}", answers.join(","))
}

/// The question of one round: it says whose it is.
fn question(word: &str, round: usize) -> Value {
    let schema = json!({"type": "object", "properties": {"said": {"type": "string"}}});
    json!({"message": format!("{word}/{round}"), "requestedSchema": schema})
}

fn untold(word: &str) -> Reply {
    Reply::error(-32000, &format!("{word} got no answer"))
}

/// In the way of the handshake: by requests in the middle of the call.
fn ask_now(call: &Call, books: &Books) -> Reply {
    let word = word(call);
    books.begin(&word);
    let mut answers = Vec::new();
    for round in 0..rounds(call) {
        let id = Value::from(format!("{word}/{round}")).to_string();
        let asked = call.try_ask(&id, "elicitation/create", &question(&word, round), PATIENCE);
        match asked.map(|answer| answer.get("result/content/said")) {
            Some(Value::String(answer)) => answers.push(answer),
            Some(_) => return untold(&word),
            None => return Reply::Nothing,
        }
    }
    said("ask", &word, &answers)
}

/// In the new way: the call ends with a question and comes again with the answer.
fn ask_later(call: &Call, books: &Books) -> Reply {
    let word = word(call);
    let state = call.msg.str("params/requestState");
    let mut answers: Vec<String> = Vec::new();
    match state.split_once(' ') {
        None => books.begin(&word),
        Some((of, before)) => {
            if of != word {
                books.wrong(format!("the state of {of} came back with {word}"));
            }
            answers.extend(
                before
                    .split(',')
                    .filter(|it| !it.is_empty())
                    .map(str::to_owned),
            );
            match call.msg.get("params/inputResponses/k/content/said") {
                Value::String(answer) => answers.push(answer),
                _ => return untold(&word),
            }
        }
    }
    if answers.len() >= rounds(call) {
        return said("ask", &word, &answers);
    }
    let asked = json!({"method": "elicitation/create", "params": question(&word, answers.len())});
    Reply::from(json!({
        "resultType": "input_required",
        "inputRequests": {"k": asked},
        "requestState": format!("{word} {}", answers.join(",")),
    }))
}

fn rounds(call: &Call) -> usize {
    call.argument("rounds").as_u64().unwrap_or_default() as usize
}
