//! A hundred calls in flight on one server, half of them waiting for their clients.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use rand::seq::SliceRandom;
use serde_json::json;

use super::able;
use crate::support::{Client, Era, Front, MuxTest, Pairing, Pipe, Reply, fake};

const PARKED: usize = 50;
const QUICK: usize = 50;
const TRIES: usize = 4;

/// In front over HTTP, since two clients need two links.
fn behind(client: Era, server: Era, back: Pipe) {
    fifty_parked_calls_and_fifty_others(Pairing {
        client,
        server,
        front: Front::Http,
        back,
    });
}

macro_rules! behind {
    ($($name:ident: $client:ident $server:ident $back:ident,)+) => {
        $(#[test]
        fn $name() {
            behind(Era::$client, Era::$server, Pipe::$back);
        })+
    };
}

behind! {
    legacy_to_legacy_over_stdio: Legacy Legacy Stdio,
    legacy_to_legacy_over_http: Legacy Legacy Http,
    legacy_to_modern_over_stdio: Legacy Modern Stdio,
    legacy_to_modern_over_http: Legacy Modern Http,
    modern_to_legacy_over_stdio: Modern Legacy Stdio,
    modern_to_legacy_over_http: Modern Legacy Http,
    modern_to_modern_over_stdio: Modern Modern Stdio,
    modern_to_modern_over_http: Modern Modern Http,
}

fn fifty_parked_calls_and_fifty_others(pairing: Pairing) {
    let fake = asking(pairing).over(pairing.back);
    let settings = json!({"callTimeout": "60s"});
    let mux = MuxTest::new()
        .settings(&settings)
        .upstream("a", &fake)
        .start();
    let clients = [
        mux.connect(able(pairing.client)),
        mux.connect(able(pairing.client)),
    ];
    if pairing.server == Era::Legacy && pairing.back.is_shared() {
        // From its first question on, the mux knows that this server's calls must not share a pipe.
        answer_all(&mut vec![parked(pairing, &clients[0], "first".to_owned())]);
    }
    let alone = quickest(&clients);
    let mut waiting = park(pairing, &clients);
    // All are waiting: the others go on as if nothing were.
    let beside = quickest(&clients);
    assert!(
        beside < alone * 3 + Duration::from_millis(200),
        "{beside:?} beside parked calls, {alone:?} without"
    );
    answer_all(&mut waiting);
    // Nothing is left: more than a caller may park at once find room one after the other, and the server has no call
    // in flight.
    let rounds = if pairing.back == Pipe::Http { 6 } else { 1 };
    for _ in 0..rounds {
        answer_all(&mut park(pairing, &clients));
    }
    fake.wait_idle();
}

fn asking(pairing: Pairing) -> crate::support::Fake {
    let question = |name: &str| json!({"message": name, "requestedSchema": {"type": "object", "properties": {}}});
    let fake = match pairing.server {
        Era::Legacy => fake::legacy().tool_answering("asks", move |call| {
            let name = call.argument("name").as_str().expect("a name").to_owned();
            let id = json!(format!("q-{name}")).to_string();
            let answer = call.ask(&id, "elicitation/create", &question(&name));
            Reply::text(&format!("{name}={}", answer.str("result/content/name")))
        }),
        Era::Modern => fake::modern().tool_answering("asks", move |call| {
            let name = call.argument("name").as_str().expect("a name").to_owned();
            if call.msg.raw("params/inputResponses").is_none() {
                let asked = vec![("k", "elicitation/create", question(&name))];
                return Reply::raw(super::input_required(&asked, &json!(name).to_string()));
            }
            assert_eq!(call.msg.str("params/requestState"), name);
            let answer = call.msg.str("params/inputResponses/k/content/name");
            Reply::text(&format!("{name}={answer}"))
        }),
    };
    fake.tool("quick")
}

/// How long the quick calls take, all at once: the best of some tries, since other tests want the machine too.
fn quickest(clients: &[Client; 2]) -> Duration {
    let tries = (0..TRIES).map(|_| quick(clients));
    tries.min().expect("some tries")
}

fn quick(clients: &[Client; 2]) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for index in 0..QUICK {
            let client = &clients[index % 2];
            scope.spawn(move || client.call("a__quick", &json!({})).said());
        }
    });
    start.elapsed()
}

/// A call that waits: its client, its name, and how to go on.
struct Waiting<'c> {
    client: &'c Client,
    name: String,
    way: Way<'c>,
}

enum Way<'c> {
    Question(Box<(crate::support::Exchange<'c>, crate::support::Msg)>),
    Retry { key: String, state: String },
}

/// Fifty calls, by turns of two clients, all in flight at once and all asked.
fn park(pairing: Pairing, clients: &[Client; 2]) -> Vec<Waiting<'_>> {
    thread::scope(|scope| {
        let started: Vec<_> = (0..PARKED)
            .map(|index| {
                let client = &clients[index % 2];
                scope.spawn(move || parked(pairing, client, format!("call-{index}")))
            })
            .collect();
        started
            .into_iter()
            .map(|one| one.join().expect("parked"))
            .collect()
    })
}

fn parked(pairing: Pairing, client: &Client, name: String) -> Waiting<'_> {
    let mut call = client.start_call("a__asks", &json!({"name": name}));
    let msg = call.next();
    let way = match pairing.client {
        Era::Legacy => {
            assert!(msg.str("params/message").ends_with(&name), "{}", msg.text());
            Way::Question(Box::new((call, msg)))
        }
        Era::Modern => {
            let requests = msg.get("result/inputRequests");
            let (key, request) = requests
                .as_object()
                .and_then(|all| all.iter().next())
                .unwrap_or_else(|| panic!("no question: {}", msg.text()));
            let message = request["params"]["message"].as_str().expect("a message");
            assert!(message.ends_with(&name), "{message}");
            let state = msg.raw("result/requestState").expect("a state");
            Way::Retry {
                key: key.clone(),
                state,
            }
        }
    };
    Waiting { client, name, way }
}

/// Answers in random order; every answer reaches its call.
fn answer_all(waiting: &mut Vec<Waiting<'_>>) {
    let calls = waiting.len();
    waiting.shuffle(&mut rand::rng());
    let mut said: HashMap<String, String> = HashMap::new();
    for Waiting { client, name, way } in waiting.drain(..) {
        let result = json!({"action": "accept", "content": {"name": name}}).to_string();
        let answer = match way {
            Way::Question(asked) => {
                let (call, question) = *asked;
                client.respond(&question, &result);
                call.answer()
            }
            Way::Retry { key, state } => {
                let arguments = json!({"name": name}).to_string();
                let ask = client.ask_call("a__asks").member("arguments", &arguments);
                ask.member("inputResponses", &format!(r#"{{"{key}":{result}}}"#))
                    .member("requestState", &state)
                    .answer()
            }
        };
        said.insert(name.clone(), answer.said());
    }
    assert_eq!(said.len(), calls);
    for (name, said) in said {
        assert_eq!(said, format!("{name}={name}"));
    }
}
