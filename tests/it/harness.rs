//! The harness tests itself: raw clients against raw servers, without a mux between them.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::client::Connect;
use crate::support::fake::{self, Fake};
use crate::support::process::Process;
use crate::support::{Client, Era, FakeServer, Gate, Pipe, Reply, Request};

const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];
const PIPES: [Pipe; 2] = [Pipe::Stdio, Pipe::Http];

/// A client directly at a fake; over stdio the fake's child is ours. The process ends last.
struct Direct {
    client: Client,
    fake: FakeServer,
    _process: Option<Process>,
}

fn direct(fake: Fake, era: Era, pipe: Pipe) -> Direct {
    let fake = fake.over(pipe);
    let process = (pipe == Pipe::Stdio).then(|| start_child(&fake));
    let connect = Connect::new(era);
    let client = match &process {
        Some(process) => connect.stdio(process.stdio()),
        None => connect.http(fake.addr()),
    };
    Direct {
        client,
        fake,
        _process: process,
    }
}

fn start_child(fake: &FakeServer) -> Process {
    let entry = fake.entry();
    let mut command = Command::new(entry["command"].as_str().expect("a command"));
    command.args(
        entry["args"]
            .as_array()
            .expect("arguments")
            .iter()
            .filter_map(Value::as_str),
    );
    Process::start(command)
}

fn of(era: Era) -> Fake {
    match era {
        Era::Legacy => fake::legacy(),
        Era::Modern => fake::modern(),
    }
}

/// Runs a body in all four pairs of era and transport.
fn everywhere(body: impl Fn(Era, Pipe)) {
    for era in ERAS {
        for pipe in PIPES {
            body(era, pipe);
        }
    }
}

#[test]
fn lists_come_whole_over_pages() {
    everywhere(|era, pipe| {
        let fake = of(era).tools(&["a", "b", "c", "d", "e"]).pages_of(2);
        let t = direct(
            fake.resource("x://1").template("x://{n}").prompt("p"),
            era,
            pipe,
        );
        assert_eq!(t.client.names("tools"), ["a", "b", "c", "d", "e"]);
        assert_eq!(t.client.names("resources"), ["x://1"]);
        assert_eq!(t.client.names("resourceTemplates"), ["x://{n}"]);
        assert_eq!(t.client.names("prompts"), ["p"]);
        assert_eq!((t.client.total(), t.fake.offered()), (8, 8));
    });
}

#[test]
fn a_call_says_back_its_arguments_as_they_were_written() {
    everywhere(|era, pipe| {
        let t = direct(of(era).tool("echo"), era, pipe);
        let ask = t
            .client
            .ask_call("echo")
            .member("arguments", r#"{"b":1e400, "a":1}"#);
        assert_eq!(ask.answer().said(), r#"echo {"b":1e400, "a":1}"#);
        assert_eq!(t.client.ask_call("echo").answer().said(), "echo -");
    });
}

#[test]
fn progress_comes_before_the_answer() {
    everywhere(|era, pipe| {
        let fake = of(era).tool_answering("slow", |call| {
            (1..=3).for_each(|n| call.progress(n));
            Reply::text("done")
        });
        let t = direct(fake, era, pipe);
        let answer = t.client.ask_call("slow").token("\"t\"").answer();
        let steps: Vec<Value> = answer
            .events
            .iter()
            .map(|m| m.get("params/progress"))
            .collect();
        assert_eq!(
            (steps, answer.said()),
            (vec![json!(1), json!(2), json!(3)], "done".to_owned())
        );
    });
}

#[test]
fn the_server_hears_of_a_cancelled_call() {
    everywhere(|era, pipe| {
        let heard = Gate::new();
        let told = heard.clone();
        let fake = of(era).tool_answering("slow", move |call| {
            call.wait_cancelled();
            told.open();
            Reply::Nothing
        });
        let t = direct(fake, era, pipe);
        let exchange = t.client.start_call("slow", &json!({}));
        t.fake.wait_seen("tools/call", 1);
        exchange.cancel();
        heard.wait("the handler hears of it");
    });
}

#[test]
fn list_changed_reaches_the_feed() {
    everywhere(|era, pipe| {
        let t = direct(of(era).tool("one"), era, pipe);
        let mut feed = t.client.feed();
        t.fake.wait_stream();
        t.fake.add_tool("two");
        t.fake.list_changed("tools");
        assert_eq!(feed.next().method(), "notifications/tools/list_changed");
        assert_eq!(t.client.names("tools"), ["one", "two"]);
    });
}

#[test]
fn a_legacy_server_asks_in_the_middle_of_a_call() {
    for pipe in PIPES {
        let fake = fake::legacy().tool_answering("asks", |call| {
            let answer = call.ask("\"q\"", "roots/list", &json!({}));
            Reply::text(&answer.str("result/roots/0/uri"))
        });
        let t = direct(fake, Era::Legacy, pipe);
        let mut exchange = t.client.start_call("asks", &json!({}));
        let question = exchange.next();
        assert_eq!(
            (question.method(), question.id()),
            ("roots/list", Some("\"q\""))
        );
        t.client
            .respond(&question, r#"{"roots":[{"uri":"file:///r"}]}"#);
        assert_eq!(exchange.answer().said(), "file:///r");
    }
}

#[test]
fn a_dual_server_serves_both_eras_at_once() {
    let fake = fake::dual().tool("echo").http();
    let legacy = Connect::new(Era::Legacy).http(fake.addr());
    let modern = Connect::new(Era::Modern).http(fake.addr());
    assert_eq!(legacy.call("echo", &json!({})).said(), "echo {}");
    assert_eq!(modern.call("echo", &json!({})).said(), "echo {}");
}

#[test]
fn a_lost_session_is_404_and_ends_with_delete() {
    let fake = fake::legacy().tool("echo").http();
    let client = Connect::new(Era::Legacy).http(fake.addr());
    assert_eq!(client.delete().status(), 200);
    assert_eq!(client.ask("ping").send().response().status(), 404);
}

#[test]
fn a_reset_breaks_the_answer() {
    let fake = fake::legacy().tool_answering("broken", |call| {
        call.notify(
            "notifications/message",
            &json!({"level": "info", "data": 1}),
        );
        call.sever();
        Reply::Nothing
    });
    let t = direct(fake, Era::Legacy, Pipe::Http);
    let mut answer = t.client.start_call("broken", &json!({})).response();
    assert!(answer.try_event().is_ok_and(|event| event.is_some()));
    let kind = answer.try_event().expect_err("a reset").kind();
    assert_eq!(kind, std::io::ErrorKind::ConnectionReset);
}

#[test]
fn refused_connections_end_at_once() {
    let fake = fake::legacy().refusing(1).http();
    assert!(Request::get().try_send(fake.addr()).is_err());
    assert_eq!(
        Connect::new(Era::Legacy).http(fake.addr()).version,
        "2025-11-25"
    );
}

#[test]
fn a_child_lives_and_dies_as_it_is_told() {
    let fake = fake::legacy()
        .child(&["--stderr", "hello", "--grandchild", "daemon"])
        .stdio();
    let mut process = start_child(&fake);
    fake.lives()
        .wait("both processes are there", |lives| lives.len() == 2);
    fake.stderr("and more");
    process.wait_stderr("hello\nand more\n");
    fake.exit(3);
    assert_eq!(process.wait(), 3);
    fake.lives().wait("the grandchild stays", |lives| {
        let alive = |role: &str| lives.iter().any(|life| life.role == role && life.alive);
        alive("grandchild") && !alive("server")
    });
}

#[test]
fn a_child_can_ignore_sigterm() {
    let fake = fake::legacy().child(&["--ignore-term"]).stdio();
    let mut process = start_child(&fake);
    let client = Connect::new(Era::Legacy).stdio(process.stdio());
    process.terminate();
    client.request("ping", &json!({})).result();
    fake.kill();
    assert_eq!(process.wait(), 128 + 9);
}

#[test]
#[should_panic(expected = "1 steps of the script for `tools/call` not used")]
fn an_unused_step_fails_the_test() {
    drop(
        fake::legacy()
            .once("tools/call", |_| Reply::text("never"))
            .http(),
    );
}

#[test]
#[should_panic(expected = "a request before the handshake ended")]
fn a_breach_of_protocol_fails_the_test() {
    let fake = fake::legacy().sessionless().tool("echo").http();
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    Request::post(body).send(fake.addr());
    drop(fake);
}
