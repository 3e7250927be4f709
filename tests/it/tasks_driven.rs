//! Tools that only work as tasks, called by clients that know nothing of tasks: the mux follows the task to its end.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::support::client::Connect;
use crate::support::matrix::matrix;
use crate::support::{Era, Fake, Front, Gate, MuxTest, Pairing, Pipe, Reply, eventually};

matrix!(an_ordinary_result_comes_of_a_task);

// A client of the modern era is refused by a modern server as it was without the mux.
matrix!(
    [
        legacy_to_legacy: Legacy Legacy,
        legacy_to_modern: Legacy Modern,
        modern_to_legacy: Modern Legacy,
    ]
    a_question_of_a_task_reaches_the_client,
    what_a_server_reports_of_its_task_is_told_as_it_is,
    a_cancelled_call_cancels_its_task,
    a_task_that_takes_too_long_is_cancelled,
    the_error_of_a_task_is_the_error_of_the_call,
);

const TASKS: &str = "io.modelcontextprotocol/tasks";
const RELATED: &str = "io.modelcontextprotocol/related-task";

/// A fake whose tool `job` only works as a task; `tasks/get` is left to the test.
fn fake(pairing: Pairing) -> Fake {
    match pairing.server {
        Era::Legacy => {
            let tool = r#"{"name":"job","inputSchema":{"type":"object"},"execution":{"taskSupport":"required"}}"#;
            let tasks = json!({"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}});
            let fake = pairing.fake().tool_defined(tool);
            fake.capable_of(json!({"tools": {}, "tasks": tasks}))
                .on("tools/call job", |call| {
                    match call.msg.raw("params/task").as_deref() {
                        Some("{}") => Reply::from(json!({"task": task("working", "begins")})),
                        _ => Reply::error(-32601, "only as a task"),
                    }
                })
        }
        Era::Modern => pairing
            .fake()
            .capable_of(json!({"tools": {}, "extensions": {TASKS: {}}}))
            .tool_answering("job", |call| {
                let meta = call.msg.get("params/_meta");
                let declared = &meta["io.modelcontextprotocol/clientCapabilities"];
                if declared["extensions"][TASKS].is_object() {
                    return Reply::from(with(task("working", "begins"), "resultType", "task"));
                }
                let required = json!({"requiredCapabilities": {"extensions": {TASKS: {}}}});
                let error = json!({"code": -32021, "message": "needs tasks", "data": required});
                Reply::Error(error.to_string())
            }),
    }
}

fn task(status: &str, message: &str) -> Value {
    json!({
        "taskId": "t1", "status": status, "statusMessage": message,
        "createdAt": "2026-11-21T00:00:00Z", "lastUpdatedAt": "2026-11-21T00:00:00Z",
        "ttl": 60_000, "pollInterval": 60, "ttlMs": 60_000, "pollIntervalMs": 60,
    })
}

fn with(mut object: Value, key: &str, value: impl Into<Value>) -> Value {
    object[key] = value.into();
    object
}

/// The end of a task, and where a legacy server keeps its outcome.
fn ending(fake: Fake, pairing: Pairing) -> Fake {
    let result = json!({"content": [{"type": "text", "text": "done"}]});
    let completed = with(task("completed", "over"), "result", result.clone());
    let related = with(result, "_meta", json!({RELATED: {"taskId": "t1"}}));
    let fake = fake.on("tasks/get", move |_| Reply::from(completed.clone()));
    match pairing.server {
        Era::Legacy => fake.on("tasks/result", move |_| Reply::from(related.clone())),
        Era::Modern => fake,
    }
}

fn an_ordinary_result_comes_of_a_task(pairing: Pairing) {
    let fake = ending(fake(pairing), pairing);
    if (pairing.client, pairing.server) == (Era::Modern, Era::Modern) {
        let answer = pairing.start(fake).client.call("a__job", &json!({}));
        assert_eq!(answer.get("error/code"), -32021);
        return;
    }
    let fake = fake
        .once("tasks/get", |_| Reply::from(task("working", "half way")))
        .once("tasks/get", |_| Reply::from(task("working", "half way")));
    let bench = pairing.start(fake);
    let answer = bench.client.ask_call("a__job").token("\"p\"").answer();
    assert_eq!(answer.said(), "done");
    assert_eq!(answer.raw("result/_meta"), None, "{}", answer.text());
    let told: Vec<_> = answer
        .events
        .iter()
        .map(|event| (event.raw("params/progress"), event.str("params/message")))
        .collect();
    assert_eq!(told[0], (Some("1".to_owned()), "half way".to_owned()));
    assert!(told.len() <= 2, "{told:?}");
    for poll in bench.fake.seen_of("tasks/get") {
        assert_eq!(poll.msg.str("params/taskId"), "t1");
    }
}

fn a_question_of_a_task_reaches_the_client(pairing: Pairing) {
    let question = json!({"message": "who?", "requestedSchema": {"type": "object"}});
    let asks = json!({"k": {"method": "elicitation/create", "params": question.clone()}});
    let waiting = with(task("input_required", "waits"), "inputRequests", asks);
    let told = Gate::new();
    let fake = ending(fake(pairing), pairing);
    let fake = match pairing.server {
        Era::Legacy => fake
            .once("tasks/get", move |_| Reply::from(waiting.clone()))
            .on("tasks/result", move |call| {
                let meta = json!({RELATED: {"taskId": "t1"}});
                let question = with(question.clone(), "_meta", meta);
                let answer = call.ask("77", "elicitation/create", &question);
                Reply::text(&answer.str("result/content/name"))
            })
            .on("tasks/get", |_| Reply::from(task("working", "goes on"))),
        Era::Modern => {
            let update = told.clone();
            fake.on("tasks/update", move |call| {
                let name = call.msg.str("params/inputResponses/k/content/name");
                assert_eq!(name, "Ada");
                update.open();
                Reply::raw("{}")
            })
            .on("tasks/get", move |_| {
                if told.is_open() {
                    let result = json!({"content": [{"type": "text", "text": "Ada"}]});
                    return Reply::from(with(task("completed", "over"), "result", result));
                }
                Reply::from(waiting.clone())
            })
        }
    };
    let fake = fake.over(pairing.back);
    let mux = MuxTest::new().upstream("a", &fake).over(pairing.front);
    let connect = Connect::new(pairing.client).capable_of(json!({"elicitation": {"form": {}}}));
    let client = mux.connect(connect);
    let accept = r#"{"action":"accept","content":{"name":"Ada"}}"#;
    let answer = if pairing.client == Era::Legacy {
        let mut call = client.start_call("a__job", &json!({}));
        let question = call.next();
        assert!(question.str("params/message").contains("who?"));
        let meta = question.get("params/_meta");
        assert_eq!(meta, json!({"mcpmux/server": "a"}), "{}", question.text());
        client.respond(&question, accept);
        call.answer()
    } else {
        let asked = client.call("a__job", &json!({}));
        assert_eq!(asked.str("result/resultType"), "input_required");
        let questions = asked.get("result/inputRequests");
        let key = questions.as_object().and_then(|all| all.keys().next());
        let state = asked.raw("result/requestState").expect("a state");
        let responses = format!("{{{}:{accept}}}", json!(key));
        let again = client.ask_call("a__job").member("arguments", "{}");
        let again = again.member("inputResponses", &responses);
        again.member("requestState", &state).answer()
    };
    assert_eq!(answer.said(), "Ada");
}

/// What a connection of the call's own knows of the tools, it knows from the one that fetched them.
#[test]
fn a_connection_of_its_own_knows_what_a_tool_wants() {
    for back in [Pipe::Stdio, Pipe::Http] {
        let pairing = Pairing {
            client: Era::Modern,
            server: Era::Legacy,
            front: Front::Http,
            back,
        };
        let fake = ending(fake(pairing), pairing).over(back);
        let alone = json!({"sharing": "exclusive"});
        let mux = MuxTest::new().upstream_with("a", &fake, &alone).start();
        let answer = mux.modern().call("a__job", &json!({}));
        assert_eq!(answer.said(), "done", "{}", answer.text());
        assert_eq!(fake.count("initialize"), 2);
    }
}

/// On a pipe nothing but the task says whose question it is.
#[test]
fn questions_of_two_tasks_on_one_pipe_do_not_cross() {
    let pairing = Pairing {
        client: Era::Legacy,
        server: Era::Legacy,
        front: Front::Http,
        back: Pipe::Stdio,
    };
    let both = Gate::new();
    let seen = both.clone();
    let fake = fake(pairing)
        .on("tools/call job", |call| {
            let name = call.argument("name");
            Reply::from(json!({"task": with(task("input_required", "waits"), "taskId", name)}))
        })
        .on("tasks/get", |call| {
            let id = call.msg.get("params/taskId");
            Reply::from(with(task("input_required", "waits"), "taskId", id))
        })
        .on("tasks/result", move |call| {
            both.wait("both tasks are asked for their results");
            let id = call.msg.str("params/taskId");
            let meta = json!({RELATED: {"taskId": id.clone()}});
            let question = json!({"message": id.clone(), "requestedSchema": {}, "_meta": meta});
            let answer = call.ask(&json!(id).to_string(), "elicitation/create", &question);
            Reply::text(&answer.str("result/content/name"))
        })
        .over(pairing.back);
    let mux = MuxTest::new().upstream("a", &fake).over(pairing.front);
    let connect = || Connect::new(Era::Legacy).capable_of(json!({"elicitation": {}}));
    let clients = [mux.connect(connect()), mux.connect(connect())];
    let mut calls: Vec<_> = clients
        .iter()
        .zip(["one", "two"])
        .map(|(client, name)| client.start_call("a__job", &json!({"name": name})))
        .collect();
    eventually("both results are asked for", || {
        (fake.seen_of("tasks/result").len() == 2).then(|| seen.open())
    });
    for ((client, call), name) in clients.iter().zip(&mut calls).zip(["one", "two"]) {
        let question = call.next();
        assert!(
            question.str("params/message").contains(name),
            "{}",
            question.text()
        );
        let answer = json!({"action": "accept", "content": {"name": name}});
        client.respond(&question, &answer.to_string());
    }
    for (call, name) in calls.into_iter().zip(["one", "two"]) {
        assert_eq!(call.answer().said(), name);
    }
}

fn what_a_server_reports_of_its_task_is_told_as_it_is(pairing: Pairing) {
    let (given, known) = (Arc::new(Mutex::new(Value::Null)), Gate::new());
    let (token, wait) = (Arc::clone(&given), known.clone());
    let fake = ending(fake(pairing), pairing)
        .once("tasks/get", move |call| {
            wait.wait("the token is known");
            let report = json!({"progressToken": &*token.lock(), "progress": 0.5, "x": 1});
            call.notify("notifications/progress", &report);
            Reply::from(task("working", "half way"))
        })
        .once("tasks/get", |_| {
            Reply::from(task("working", "nearly there"))
        });
    let fake = fake.over(pairing.back);
    let mux = MuxTest::new().upstream("a", &fake).over(pairing.front);
    let client = mux.client(pairing.client);
    let call = client.ask_call("a__job").token("\"p\"").send();
    // A modern server has refused the first.
    let tries = if pairing.server == Era::Modern { 2 } else { 1 };
    let calls = fake.wait_seen("tools/call", tries);
    *given.lock() = calls[tries - 1].msg.get("params/_meta/progressToken");
    known.open();
    let answer = call.answer();
    assert_eq!(answer.said(), "done");
    let told: Vec<_> = answer
        .events
        .iter()
        .map(|event| event.get("params"))
        .collect();
    assert_eq!(
        told,
        [json!({"progressToken": "p", "progress": 0.5, "x": 1})]
    );
}

fn a_cancelled_call_cancels_its_task(pairing: Pairing) {
    let fake = fake(pairing)
        .on("tasks/get", |_| Reply::from(task("working", "goes on")))
        .once("tasks/cancel", |_| {
            Reply::from(task("cancelled", "stopped"))
        });
    let bench = pairing.start(fake);
    let call = bench.client.start_call("a__job", &json!({}));
    bench.fake.wait_seen("tasks/get", 1);
    call.cancel();
    let cancelled = bench.fake.wait_seen("tasks/cancel", 1);
    assert_eq!(cancelled[0].msg.str("params/taskId"), "t1");
}

fn a_task_that_takes_too_long_is_cancelled(pairing: Pairing) {
    let fake = fake(pairing)
        .on("tasks/get", |_| Reply::from(task("working", "goes on")))
        .once("tasks/cancel", |_| {
            Reply::from(task("cancelled", "stopped"))
        });
    let limit = json!({"callTimeout": "400ms"});
    let bench = pairing.start_with(fake, |mux| mux.settings(&limit));
    let answer = bench.client.call("a__job", &json!({}));
    assert_eq!(answer.get("error/code"), -32011, "{}", answer.text());
    bench.fake.wait_seen("tasks/cancel", 1);
}

fn the_error_of_a_task_is_the_error_of_the_call(pairing: Pairing) {
    let error = json!({"code": -32050, "message": "broke down", "data": {"x": 1}});
    let failed = with(task("failed", "alas"), "error", error.clone());
    let fake = fake(pairing).on("tasks/get", move |_| Reply::from(failed.clone()));
    let fake = match pairing.server {
        Era::Legacy => fake.on("tasks/result", move |_| Reply::Error(error.to_string())),
        Era::Modern => fake,
    };
    let answer = pairing.start(fake).client.call("a__job", &json!({}));
    assert_eq!(answer.get("error/code"), -32050, "{}", answer.text());
    assert_eq!(answer.get("error/data/x"), 1);
}
