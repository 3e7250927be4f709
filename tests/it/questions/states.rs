//! The states that clients bring back: nobody changes, moves or repeats them.

use serde_json::json;

use super::{able, asking, form};
use crate::support::matrix::matrix;
use crate::support::{Client, Era, Front, MuxTest, Pairing, Pipe};

const ACCEPT: &str = r#"{"k":{"action":"accept"},"q1":{"action":"accept"}}"#;

/// Asks, and gives the state of the answer.
#[track_caller]
fn asked(client: &Client, tool: &str) -> String {
    let answer = client.start_call(tool, &json!({"x": 1})).answer();
    answer.raw("result/requestState").expect("a state")
}

#[track_caller]
fn retry(
    client: &Client,
    tool: &str,
    arguments: &str,
    state: &str,
) -> crate::support::client::Answer {
    let ask = client.ask_call(tool).member("arguments", arguments);
    ask.member("inputResponses", ACCEPT)
        .member("requestState", state)
        .answer()
}

// Legacy clients have no states.
matrix!(
    [
        modern_to_legacy: Modern Legacy,
        modern_to_modern: Modern Modern,
    ]
    states_are_good_once_for_one_request
);

fn states_are_good_once_for_one_request(pairing: Pairing) {
    let questions = || vec![("k", "elicitation/create", form("m"))];
    let fake = asking(pairing, pairing.fake(), "asks", questions());
    let fake = asking(pairing, fake, "other", questions()).over(pairing.back);
    let mux = MuxTest::new().upstream("a", &fake).over(pairing.front);
    let client = mux.connect(able(Era::Modern));
    let state = asked(&client, "a__asks");
    let same = r#"{"x":1}"#;
    let tampered = format!("{}-TAMPERED\"", &state[..state.len() - 1]);
    for (tool, arguments, state) in [
        ("a__asks", same, tampered.as_str()),
        ("a__asks", same, "\"mine\""),
        ("a__asks", same, "7"),
        ("a__asks", r#"{"x":2}"#, &state),
        ("a__other", same, &state),
    ] {
        let refused = retry(&client, tool, arguments, state);
        assert_eq!(refused.code(), -32602, "{tool} {arguments} {state}");
    }
    assert!(
        retry(&client, "a__asks", same, &state)
            .said()
            .contains("accept")
    );
    assert_eq!(retry(&client, "a__asks", same, &state).code(), -32602);
}

#[test]
fn a_state_of_another_mux_is_foreign() {
    for era in [Era::Legacy, Era::Modern] {
        let pairing = Pairing {
            client: Era::Modern,
            server: era,
            front: Front::Http,
            back: Pipe::Http,
        };
        let questions = vec![("k", "elicitation/create", form("m"))];
        let fake = asking(pairing, pairing.fake(), "asks", questions).http();
        let (here, there) = (MuxTest::new(), MuxTest::new());
        let (here, there) = (
            here.upstream("a", &fake).start(),
            there.upstream("a", &fake).start(),
        );
        let (me, other) = (
            here.connect(able(Era::Modern)),
            there.connect(able(Era::Modern)),
        );
        let state = asked(&me, "a__asks");
        assert_eq!(
            retry(&other, "a__asks", r#"{"x":1}"#, &state).code(),
            -32602
        );
    }
}

#[test]
fn a_state_expires_and_its_call_with_it() {
    for era in [Era::Legacy, Era::Modern] {
        let pairing = Pairing {
            client: Era::Modern,
            server: era,
            front: Front::Http,
            back: Pipe::Stdio,
        };
        let questions = vec![("k", "elicitation/create", form("m"))];
        let fake = asking(pairing, pairing.fake(), "asks", questions).stdio();
        let settings = json!({"inputTimeout": "1ms"});
        let mux = MuxTest::new()
            .settings(&settings)
            .upstream("a", &fake)
            .start();
        let client = mux.connect(able(Era::Modern));
        let state = asked(&client, "a__asks");
        if era == Era::Legacy {
            // The server is told, and need not wait for ever.
            fake.wait_seen("notifications/cancelled", 1);
            let refused = retry(&client, "a__asks", r#"{"x":1}"#, &state);
            assert_eq!(refused.code(), -32602);
        }
        crate::support::eventually("a state expires before it is back", || {
            let state = asked(&client, "a__asks");
            let answer = retry(&client, "a__asks", r#"{"x":1}"#, &state);
            answer
                .raw("error")
                .map(|_| assert_eq!(answer.code(), -32602))
        });
    }
}

/// A caller may leave so many calls waiting, and no more; the others are as they were.
#[test]
fn a_caller_can_park_a_bounded_number_of_calls() {
    let pairing = Pairing {
        client: Era::Modern,
        server: Era::Legacy,
        front: Front::Http,
        back: Pipe::Http,
    };
    let questions = vec![("k", "elicitation/create", form("m"))];
    let fake = asking(pairing, pairing.fake(), "asks", questions).http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.connect(able(Era::Modern));
    let states: Vec<String> = std::thread::scope(|scope| {
        let asking = || {
            (0..64)
                .map(|_| asked(&client, "a__asks"))
                .collect::<Vec<_>>()
        };
        let started: Vec<_> = (0..4).map(|_| scope.spawn(asking)).collect();
        let joined = started.into_iter().map(|one| one.join().expect("parked"));
        joined.flatten().collect()
    });
    assert_eq!(states.len(), 256);
    let refused = client.start_call("a__asks", &json!({"x": 1})).answer();
    assert_eq!(refused.code(), -32013);
    let answer = retry(&client, "a__asks", r#"{"x":1}"#, &states[7]);
    assert!(answer.said().contains("accept"));
    asked(&client, "a__asks");
}

/// What the client left out it is asked again; what it adds is passed over.
#[test]
fn an_answer_that_is_missing_is_asked_for_again() {
    let pairing = Pairing {
        client: Era::Modern,
        server: Era::Legacy,
        front: Front::Http,
        back: Pipe::Http,
    };
    let questions = vec![
        ("one", "elicitation/create", form("first")),
        ("two", "elicitation/create", form("second")),
    ];
    let fake = asking(pairing, pairing.fake(), "asks", questions).http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.connect(able(Era::Modern));
    let first = client.ask_call("a__asks").answer();
    let requests = first.get("result/inputRequests");
    let keys: Vec<&String> = requests.as_object().expect("questions").keys().collect();
    assert_eq!(keys.len(), 2);
    let responses = format!(r#"{{"{}":{{"action":"accept"}},"wrong":1}}"#, keys[0]);
    let ask = client
        .ask_call("a__asks")
        .member("inputResponses", &responses);
    let state = first.raw("result/requestState").expect("a state");
    let second = ask.member("requestState", &state).answer();
    let left = second.get("result/inputRequests");
    let left: Vec<&String> = left.as_object().expect("a question").keys().collect();
    assert_eq!(left, [keys[1]]);
    let responses = format!(r#"{{"{}":{{"action":"decline"}}}}"#, keys[1]);
    let ask = client
        .ask_call("a__asks")
        .member("inputResponses", &responses);
    let state = second.raw("result/requestState").expect("a state");
    let last = ask.member("requestState", &state).answer();
    assert_eq!(last.said(), r#"{"action":"accept"}|{"action":"decline"}"#);
}
