//! Tasks of clients that know what a task is, where both sides are of one era.

use serde_json::{Value, json};

use crate::support::client::Connect;
use crate::support::fake::Call;
use crate::support::{Client, Era, Fake, FakeServer, Front, Mux, MuxTest, Pipe, Reply, fake};

const TASKS: &str = "io.modelcontextprotocol/tasks";
const RELATED: &str = "io.modelcontextprotocol/related-task";
const PAIRS: [(Front, Pipe); 6] = [
    (Front::Stdio, Pipe::Stdio),
    (Front::Stdio, Pipe::Http),
    (Front::Http, Pipe::Stdio),
    (Front::Http, Pipe::Http),
    (Front::WebSocket, Pipe::Http),
    (Front::Http, Pipe::WebSocket),
];

fn task(id: &str, status: &str) -> Value {
    json!({"taskId": id, "status": status, "ttl": 60_000, "ttlMs": 60_000, "x": 1})
}

/// A server whose tool `job` answers with the task `1`, and whose other answers say who gave them.
fn modern(name: &'static str) -> Fake {
    let about = move |call: &Call| {
        let id = call.msg.str("params/taskId");
        let mut state = task(&id, "working");
        state["statusMessage"] = json!(format!("{} by {name}", call.msg.method()));
        Reply::from(state)
    };
    fake::modern()
        .capable_of(json!({"tools": {}, "extensions": {TASKS: {}}}))
        .tool_answering("job", |_| {
            let mut begun = task("1", "working");
            begun["resultType"] = json!("task");
            Reply::from(begun)
        })
        .on("tasks/get", about)
        .on("tasks/update", about)
        .on("tasks/cancel", about)
}

fn legacy(name: &'static str) -> Fake {
    let tool =
        r#"{"name":"job","inputSchema":{"type":"object"},"execution":{"taskSupport":"optional"}}"#;
    let tasks = json!({"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}});
    let about = move |call: &Call| {
        let id = call.msg.str("params/taskId");
        let mut state = task(&id, "working");
        state["statusMessage"] = json!(format!("{} by {name}", call.msg.method()));
        Reply::from(state)
    };
    fake::legacy()
        .tool_defined(tool)
        .capable_of(json!({"tools": {}, "tasks": tasks}))
        .on("tools/call job", |call| {
            let id = call.msg.str("params/task/id");
            Reply::from(json!({"task": task(&id, "working"), "_meta": {"y": 1e3}}))
        })
        .on("tasks/get", about)
        .on("tasks/cancel", about)
}

fn knowing(era: Era) -> Connect {
    Connect::new(era).capable_of(match era {
        Era::Modern => json!({"extensions": {TASKS: {}}}),
        Era::Legacy => json!({"elicitation": {}}),
    })
}

fn behind(front: impl Into<Front>, fakes: &[(&str, &FakeServer)]) -> Mux {
    let mux = MuxTest::new();
    let mux = fakes
        .iter()
        .fold(mux, |mux, (name, fake)| mux.upstream(name, fake));
    mux.over(front)
}

/// Begins a task of a legacy client, under the id that the server is told to use.
fn begin(client: &Client, tool: &str, id: &str) -> String {
    let wish = json!({"ttl": 5000, "id": id}).to_string();
    let begun = client.ask_call(tool).member("task", &wish).answer();
    assert_eq!(
        begun.raw("result/_meta").as_deref(),
        Some(r#"{"y":1000.0}"#)
    );
    begun.str("result/task/taskId")
}

fn about(client: &Client, method: &str, id: &str) -> String {
    let answer = client.request(method, &json!({"taskId": id}));
    assert_eq!(answer.str("result/taskId"), id, "{}", answer.text());
    answer.str("result/statusMessage")
}

#[test]
fn a_modern_task_passes_as_it_is() {
    for (front, back) in PAIRS {
        let fake = modern("a").over(back);
        let mux = behind(front, &[("a", &fake)]);
        let client = mux.connect(knowing(Era::Modern));
        let begun = client.call("a__job", &json!({}));
        assert_eq!(begun.str("result/resultType"), "task");
        assert_eq!(begun.raw("result/taskId").as_deref(), Some("\"1\""));
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            assert_eq!(about(&client, method, "1"), format!("{method} by a"));
        }
    }
}

#[test]
fn equal_ids_of_two_modern_servers_lead_to_their_own() {
    for (front, back) in PAIRS {
        let (one, two) = (modern("a").over(back), modern("b").over(back));
        let mux = behind(front, &[("a", &one), ("b", &two)]);
        let client = mux.connect(knowing(Era::Modern));
        let first = client.call("a__job", &json!({})).str("result/taskId");
        let second = client.call("b__job", &json!({})).str("result/taskId");
        assert_eq!(first, "1");
        assert_ne!(second, "1");
        for (id, server) in [(&second, "b"), (&first, "a")] {
            let said = about(&client, "tasks/get", id);
            assert_eq!(said, format!("tasks/get by {server}"));
        }
        let filter = json!({"taskIds": [&first, &second, "no such task"]});
        let ask = client.ask("subscriptions/listen");
        let mut listen = ask.member("notifications", &filter.to_string()).send();
        let granted = listen.next().get("params/notifications/taskIds");
        assert_eq!(granted, json!([&first, &second]));
        let asked = two.seen_of("subscriptions/listen").pop().expect("a listen");
        assert_eq!(asked.msg.get("params/notifications/taskIds"), json!(["1"]));
        two.wait_stream();
        two.notify("notifications/tasks", &task("1", "completed"));
        let told = listen.next();
        assert_eq!(told.method(), "notifications/tasks");
        assert_eq!(told.str("params/taskId"), second);
        assert_eq!(told.get("params/x"), 1);
    }
}

#[test]
fn who_does_not_know_tasks_is_told_what_it_lacks() {
    let fake = modern("a").http();
    let mux = behind(Pipe::Http, &[("a", &fake)]);
    let client = mux.modern();
    let required = json!({"extensions": {TASKS: {}}});
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let answer = client.request(method, &json!({"taskId": "1"}));
        assert_eq!(answer.get("error/code"), -32021);
        assert_eq!(answer.get("error/data/requiredCapabilities"), required);
    }
    let listen = json!({"notifications": {"taskIds": ["1"]}});
    let answer = client.request("subscriptions/listen", &listen);
    assert_eq!(answer.get("error/code"), -32021);
    for method in ["tasks/result", "tasks/list"] {
        let ask = client.ask(method).params(&json!({"taskId": "1"}));
        let answer = ask.without_header("Mcp-Name").answer();
        assert_eq!(answer.get("error/code"), -32601, "{}", answer.text());
    }
}

#[test]
fn each_era_is_told_of_its_own_tasks_only() {
    let (old, new) = (legacy("a").http(), modern("b").http());
    let discovered = |mux: &Mux| mux.modern().request("server/discover", &json!({}));
    let declared = |mux: &Mux| {
        let hello = mux.legacy().handshake.expect("a handshake");
        hello.get("result/capabilities")
    };
    let mux = behind(Pipe::Http, &[("a", &old)]);
    assert_eq!(discovered(&mux).raw("result/capabilities/extensions"), None);
    let tasks = json!({"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}});
    assert_eq!(declared(&mux)["tasks"], tasks);
    let mux = behind(Pipe::Http, &[("b", &new)]);
    let extensions = discovered(&mux).get("result/capabilities/extensions");
    assert_eq!(extensions, json!({TASKS: {}}));
    assert_eq!(declared(&mux).get("tasks"), None);
    assert_eq!(declared(&mux).get("extensions"), None);
}

#[test]
fn a_legacy_task_passes_and_belongs_to_its_client() {
    for (front, back) in PAIRS {
        let fake = legacy("a").over(back);
        let mux = behind(front, &[("a", &fake)]);
        let client = mux.connect(knowing(Era::Legacy));
        assert_eq!(begin(&client, "a__job", "t"), "t");
        for method in ["tasks/get", "tasks/cancel"] {
            assert_eq!(about(&client, method, "t"), format!("{method} by a"));
        }
        let unknown = client.request("tasks/get", &json!({"taskId": "u"}));
        assert_eq!(unknown.get("error/code"), -32602);
        if front == Front::Http {
            let other = mux.connect(knowing(Era::Legacy));
            let refused = other.request("tasks/get", &json!({"taskId": "t"}));
            assert_eq!(refused.get("error/code"), -32602);
        }
    }
}

#[test]
fn the_list_of_tasks_has_those_of_the_client_from_all_servers() {
    let page = |ids: [&str; 2], next: Option<&str>| {
        let tasks: Vec<_> = ids.iter().map(|id| task(id, "working")).collect();
        let mut page = json!({"tasks": tasks});
        if let Some(next) = next {
            page["nextCursor"] = json!(next);
        }
        Reply::from(page)
    };
    for (front, back) in PAIRS {
        let one = legacy("a").on("tasks/list", move |call| {
            match call.msg.str("params/cursor").as_str() {
                "more" => page(["z", "s"], None),
                _ => page(["t", "foreign"], Some("more")),
            }
        });
        let two = legacy("b").on("tasks/list", move |_| page(["t", "other"], None));
        let (one, two) = (one.over(back), two.over(back));
        let mux = behind(front, &[("a", &one), ("b", &two)]);
        let client = mux.connect(knowing(Era::Legacy));
        let begun = [("a__job", "t"), ("a__job", "s"), ("b__job", "t")];
        let ids = begun.map(|(tool, id)| begin(&client, tool, id));
        let answer = client.request("tasks/list", &json!({}));
        let listed = answer.get("result/tasks");
        let listed: Vec<_> = listed.as_array().into_iter().flatten().collect();
        let listed: Vec<_> = listed.iter().map(|task| task["taskId"].clone()).collect();
        assert_eq!(json!(listed), json!(ids));
        assert_eq!(answer.get("result/tasks/2/x"), 1);
        let refused = client.request("tasks/list", &json!({"cursor": "more"}));
        assert_eq!(refused.get("error/code"), -32602);
    }
}

#[test]
fn the_result_of_a_task_waits_for_it_and_asks_meanwhile() {
    for (front, back) in PAIRS {
        let answers = |call: &Call| {
            let related = json!({RELATED: {"taskId": call.msg.str("params/taskId")}});
            let question = json!({"message": "who?", "requestedSchema": {}, "_meta": &related});
            let answer = call.ask("77", "elicitation/create", &question);
            let name = answer.str("result/content/name");
            let content = json!([{"type": "text", "text": name}]);
            Reply::from(json!({"content": content, "_meta": related}))
        };
        let one = legacy("a").on("tasks/result", answers).over(back);
        let two = legacy("b").on("tasks/result", answers).over(back);
        let mux = behind(front, &[("a", &one), ("b", &two)]);
        let client = mux.connect(knowing(Era::Legacy));
        begin(&client, "a__job", "t");
        let id = begin(&client, "b__job", "t");
        let params = json!({"taskId": id});
        let mut result = client.ask("tasks/result").params(&params).send();
        let question = result.next();
        let related = format!("_meta/{}/taskId", RELATED.replace('/', "~1"));
        assert_eq!(question.str(&format!("params/{related}")), id);
        client.respond(&question, r#"{"action":"accept","content":{"name":"Ada"}}"#);
        let answer = result.answer();
        assert_eq!(answer.said(), "Ada");
        assert_eq!(answer.str(&format!("result/{related}")), id);
    }
}

#[test]
fn the_status_of_a_task_is_told_to_its_client_alone() {
    for back in [Pipe::Stdio, Pipe::Http] {
        let fake = legacy("a").over(back);
        let mux = behind(Pipe::Http, &[("a", &fake)]);
        let clients = [Era::Legacy; 2].map(|era| mux.connect(knowing(era)));
        let [mut first, mut second] = [clients[0].feed(), clients[1].feed()];
        begin(&clients[0], "a__job", "t");
        begin(&clients[1], "a__job", "u");
        for (id, feed) in [("u", &mut second), ("t", &mut first)] {
            fake.notify("notifications/tasks/status", &task("foreign", "working"));
            fake.notify("notifications/tasks/status", &task(id, "completed"));
            let told = feed.next();
            assert_eq!(told.method(), "notifications/tasks/status");
            assert_eq!(told.str("params/taskId"), id);
        }
    }
}
