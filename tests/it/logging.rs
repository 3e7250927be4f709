//! Log messages: whose they are, how grave they must be, and who said them.

use serde_json::{Value, json};

use crate::support::client::{Ask, Connect};
use crate::support::fake::Fake;
use crate::support::matrix::matrix;
use crate::support::{Client, Era, Gate, Mux, MuxTest, Pairing, Pipe, Reply, eventually, fake};

matrix! {
    messages_of_a_call_name_their_server_and_keep_their_bytes,
    without_a_level_a_modern_call_hears_nothing,
    a_level_reaches_the_server,
}

const MESSAGE: &str = "notifications/message";
const LEVEL: &str = "io.modelcontextprotocol/logLevel";

fn saying(level: &str, what: &str) -> Value {
    json!({"level": level, "data": what})
}

/// A fake that has log messages, with a tool that says each of them.
fn chatty(fake: Fake, levels: &'static [&'static str]) -> Fake {
    logs(fake).tool_answering("log", move |call| {
        for level in levels {
            call.notify(MESSAGE, &saying(level, "of the call"));
        }
        Reply::text("done")
    })
}

fn logs(fake: Fake) -> Fake {
    let capabilities = json!({"tools": {"listChanged": true}, "logging": {}});
    fake.capable_of(capabilities)
}

/// A call of a client that wants messages from this level on.
fn at<'c>(client: &'c Client, level: &str, tool: &str) -> Ask<'c> {
    if client.era() == Era::Modern {
        return client.ask_call(tool).meta(LEVEL, &json!(level).to_string());
    }
    let set = client.request("logging/setLevel", &json!({"level": level}));
    assert_eq!(set.result(), json!({}));
    client.ask_call(tool)
}

fn levels(client: &Client, level: &str) -> Vec<String> {
    let answer = at(client, level, "a__log").answer();
    let heard = answer.events.iter();
    heard.map(|event| event.str("params/level")).collect()
}

fn messages_of_a_call_name_their_server_and_keep_their_bytes(p: Pairing) {
    let fake = logs(p.fake()).tool_answering("log", |call| {
        for params in [
            r#"{"data": {"n":1e400,"t":"\u00e9"}, "vendor":[ ],"level":"info"}"#,
            r#"{"logger":"db", "level":"info","data":1}"#,
        ] {
            call.send(&format!(
                r#"{{"jsonrpc":"2.0","method":"{MESSAGE}","params":{params}}}"#
            ));
        }
        Reply::text("done")
    });
    let t = p.start(fake);
    let answer = at(&t.client, "info", "a__log").answer();
    let heard: Vec<_> = answer
        .events
        .iter()
        .filter_map(|event| event.raw("params"))
        .collect();
    assert_eq!(
        heard,
        [
            r#"{"data": {"n":1e400,"t":"\u00e9"}, "vendor":[ ],"level":"info","logger":"a"}"#,
            r#"{"logger":"db", "level":"info","data":1}"#,
        ]
    );
}

fn without_a_level_a_modern_call_hears_nothing(p: Pairing) {
    let t = p.start(chatty(p.fake(), &["emergency"]));
    let answer = t.client.call("a__log", &json!({}));
    match (p.client, p.server) {
        (Era::Modern, _) => assert_eq!(answer.events.len(), 0),
        (Era::Legacy, Era::Legacy) => assert_eq!(answer.events.len(), 1),
        // Such a server says nothing unasked, and this one is at fault.
        (Era::Legacy, Era::Modern) => {}
    }
}

fn a_level_reaches_the_server(p: Pairing) {
    let t = p.start(chatty(p.fake(), &["debug", "warning", "alert"]));
    assert_eq!(levels(&t.client, "warning"), ["warning", "alert"]);
    match p.server {
        Era::Legacy => {
            let set = &t.fake.wait_seen("logging/setLevel", 1)[0].msg;
            assert_eq!(set.str("params/level"), "warning");
        }
        Era::Modern => {
            let call = &t.fake.seen_of("tools/call")[0].msg;
            let level = call.str("params/_meta/io.modelcontextprotocol~1logLevel");
            assert_eq!(level, "warning");
        }
    }
}

/// All fakes that one connection serves to all.
fn each_server(with: impl Fn(Fake) -> Fake, test: impl Fn(&crate::support::FakeServer, &Mux)) {
    for fake in [fake::legacy(), fake::modern()] {
        for pipe in [Pipe::Stdio, Pipe::Http] {
            let fake = with(fake.clone()).over(pipe);
            let mux = MuxTest::new().upstream("a", &fake).start();
            test(&fake, &mux);
        }
    }
}

#[test]
fn each_caller_has_its_own_level() {
    each_server(
        |fake| chatty(fake, &["debug", "info", "error"]),
        |_, mux| {
            for (chatty, quiet) in [(Era::Legacy, Era::Modern), (Era::Modern, Era::Legacy)] {
                let (chatty, quiet) = (mux.client(chatty), mux.client(quiet));
                let other = mux.connect(Connect::new(quiet.era()));
                assert_eq!(levels(&quiet, "error"), ["error"]);
                assert_eq!(levels(&chatty, "debug"), ["debug", "info", "error"]);
                assert_eq!(levels(&quiet, "error"), ["error"]);
                assert_eq!(levels(&other, "info"), ["info", "error"]);
            }
        },
    );
}

/// What a server says on its own account is for sessions, each with its level.
#[test]
fn messages_outside_calls_go_to_sessions() {
    for pipe in [Pipe::Stdio, Pipe::Http] {
        let fake = logs(fake::legacy().tool("t")).over(pipe);
        let mux = MuxTest::new().upstream("a", &fake).start();
        let (all, grave, modern) = (mux.legacy(), mux.legacy(), mux.modern());
        grave.request("logging/setLevel", &json!({"level": "error"}));
        let (mut all, mut grave, mut listen) = (all.feed(), grave.feed(), modern.feed());
        fake.wait_stream();
        fake.notify(MESSAGE, &saying("info", "one"));
        fake.notify(MESSAGE, &saying("error", "two"));
        for (feed, words) in [(&mut all, &["one", "two"][..]), (&mut grave, &["two"])] {
            for word in words {
                let heard = feed.next();
                assert_eq!(heard.str("params/data"), *word);
                assert_eq!(heard.str("params/logger"), "a");
            }
        }
        fake.add_tool("fence");
        fake.list_changed("tools");
        let method = "notifications/tools/list_changed";
        assert_eq!(listen.next().method(), method);
    }
}

/// A server whose tool waits, says something, and waits again.
fn talking(gates: &[Gate; 2]) -> Fake {
    let [begin, end] = gates.clone();
    logs(fake::legacy())
        .tool_answering("talks", move |call| {
            begin.wait("the other call is in flight");
            call.notify(MESSAGE, &saying("error", "whose?"));
            call.notify(MESSAGE, &saying("error", "mine?"));
            Reply::text("talked")
        })
        .tool_answering("waits", move |_| {
            end.wait("the other call is over");
            Reply::text("waited")
        })
}

/// On a pipe nothing shows which of two calls a message is about.
#[test]
fn a_message_of_one_of_several_calls_is_never_guessed() {
    for silent in [false, true] {
        let gates = [Gate::new(), Gate::new()];
        let fake = talking(&gates).stdio();
        let mux = MuxTest::new().upstream("a", &fake).start();
        let (session, one, two) = (mux.legacy(), mux.modern(), mux.modern());
        let mut feed = session.feed();
        let talks = at(&one, "debug", "a__talks").send();
        let waits = if silent {
            two.ask_call("a__waits").send()
        } else {
            at(&two, "debug", "a__waits").send()
        };
        fake.wait_seen("tools/call", 2);
        gates[0].open();
        let answer = talks.answer();
        assert_eq!((answer.events.len(), answer.said().as_str()), (0, "talked"));
        gates[1].open();
        assert_eq!(waits.answer().events.len(), 0);
        for word in ["whose?", "mine?"] {
            assert_eq!(feed.next().str("params/data"), word);
        }
    }
}

/// Whoever set no level is not told more because somebody else wants to know everything.
#[test]
fn one_callers_level_is_not_everybodys() {
    let fake = logs(fake::legacy().tool("t")).stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let (plain, curious) = (mux.legacy(), mux.legacy());
    let (mut heard, mut all) = (plain.feed(), curious.feed());
    fake.wait_stream();
    fake.notify(MESSAGE, &saying("debug", "as the server likes"));
    assert_eq!(heard.next().str("params/data"), "as the server likes");
    assert_eq!(all.next().str("params/data"), "as the server likes");
    at(&curious, "debug", "a__t").answer();
    fake.notify(MESSAGE, &saying("debug", "for the curious"));
    fake.notify(MESSAGE, &saying("info", "for all"));
    assert_eq!(heard.next().str("params/data"), "for all");
    assert_eq!(all.next().str("params/data"), "for the curious");
}

#[test]
fn an_unknown_level_is_refused() {
    let mux = MuxTest::new().start();
    let set = mux
        .legacy()
        .request("logging/setLevel", &json!({"level": "loud"}));
    assert_eq!(set.code(), -32602);
    let call = mux.modern();
    let call = call.ask_call("t").meta(LEVEL, "\"loud\"").answer();
    assert_eq!(call.code(), -32602);
}

/// A level holds outside calls as well, and survives the server.
#[test]
fn a_server_that_is_back_is_told_the_level() {
    for pipe in [Pipe::Stdio, Pipe::Http] {
        let fake = logs(fake::legacy().tool("t")).over(pipe);
        let mux = MuxTest::new().upstream("a", &fake).start();
        let client = mux.legacy();
        for level in ["error", "info", "warning"] {
            client.request("logging/setLevel", &json!({"level": level}));
        }
        fake.wait_seen("logging/setLevel", 1);
        client.call("a__t", &json!({})).result();
        fake.kill();
        fake.lose_sessions();
        client.call("a__t", &json!({}));
        fake.wait_seen("initialize", 2);
        eventually("the level is set again", || {
            let seen = fake.seen();
            let back = seen.iter().rposition(|s| s.msg.method() == "initialize")?;
            let mut since = seen[back..].iter();
            since
                .find(|s| s.msg.str("params/level") == "info")
                .map(drop)
        });
    }
}

/// What a server says on the connection of one client is for this client, however many of its calls are in flight.
#[test]
fn messages_on_a_clients_own_connection_are_its_own() {
    let gates = [Gate::new(), Gate::new()];
    let fake = talking(&gates).stdio();
    let keys = json!({"sharing": "per-client"});
    let mux = MuxTest::new().upstream_with("a", &fake, &keys).start();
    let (mine, other) = (mux.legacy(), mux.legacy());
    let mut feed = other.feed();
    let waits = mine.ask_call("a__waits").send();
    fake.wait_seen("tools/call", 1);
    let talks = mine.ask_call("a__talks").send();
    fake.wait_seen("tools/call", 2);
    gates[0].open();
    assert_eq!(talks.answer().events.len(), 2);
    gates[1].open();
    assert_eq!(waits.answer().said(), "waited");
    fake.add_tool("fence");
    fake.list_changed("tools");
    assert_eq!(feed.next().method(), "notifications/tools/list_changed");
}
