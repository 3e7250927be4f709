//! Servers that come, go and change while clients are there.

use std::path::Path;

use serde_json::{Value, json};

use super::{follow, next, pids, version};
use crate::support::{Era, FakeServer, Gate, MuxTest, Pipe, Reply, eventually, fake};

const TOOLS_CHANGED: &str = "notifications/tools/list_changed";

#[test]
fn a_replaced_server_finishes_its_calls_while_new_ones_go_to_the_new_process() {
    let gate = Gate::new();
    let held = gate.clone();
    let changed = fake::legacy()
        .tool("echo")
        .tool_answering("slow", move |_| {
            held.wait("the new process is there");
            Reply::text("at last")
        })
        .stdio();
    let other = fake::legacy().tool("echo").stdio();

    let mux = MuxTest::new()
        .upstream("a", &changed)
        .upstream("b", &other)
        .start();
    let client = mux.legacy();
    let untouched = pids(&other);
    let slow = client.start_call("a__slow", &json!({}));
    changed.wait_seen("tools/call", 1);
    let keys = version(2);
    follow(
        &mux,
        &next(&mux)
            .upstream_with("a", &changed, &keys)
            .upstream("b", &other),
    );
    mux.wait_stderr("server `a` is replaced (env)");
    for n in 0..3 {
        let said = client.call("a__echo", &json!({"n": n})).said();
        assert_eq!(said, format!(r#"echo {{"n":{n}}}"#));
    }
    gate.open();
    assert_eq!(slow.answer().said(), "at last");
    let links: Vec<u64> = changed
        .seen_of("tools/call")
        .iter()
        .map(|s| s.link)
        .collect();
    assert_eq!(links, [1, 2, 2, 2]);
    changed.lives().wait("the old process ends", |lives| {
        lives.iter().filter(|life| life.alive).count() == 1
    });
    assert_eq!(pids(&other), untouched);
    assert_eq!(client.names("tools"), ["a__echo", "a__slow", "b__echo"]);
}

#[test]
fn rules_alone_touch_no_process() {
    let fake = fake::modern().tools(&["one", "two"]).prompt("p").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let clients = [mux.legacy(), mux.modern()];
    let mut feeds: Vec<_> = clients.iter().map(|client| client.feed()).collect();
    let (before, asked) = (pids(&fake), fake.count("tools/list"));
    let keys = json!({"prefix": "z", "tools": {"deny": ["two"], "rename": {"one": "uno"}}});
    follow(&mux, &next(&mux).upstream_with("a", &fake, &keys));
    for (client, feed) in clients.iter().zip(&mut feeds) {
        let mut told = [
            feed.next().method().to_owned(),
            feed.next().method().to_owned(),
        ];
        told.sort();
        assert_eq!(told, ["notifications/prompts/list_changed", TOOLS_CHANGED]);
        assert_eq!(client.names("tools"), ["z__uno"]);
        assert_eq!(client.call("z__uno", &json!({})).said(), "one {}");
        assert_eq!(client.call("a__one", &json!({})).code(), -32602);
    }
    assert_eq!((pids(&fake), fake.count("tools/list")), (before, asked));
}

/// All of it at once is one change of the list.
#[test]
fn servers_come_and_go_in_one_step() {
    let (stays, goes) = (
        fake::legacy().tool("s").stdio(),
        fake::modern().tool("g").http(),
    );
    let comes = fake::legacy().tool("c").http();
    let mux = MuxTest::new()
        .upstream("stays", &stays)
        .upstream("goes", &goes)
        .start();
    let client = mux.legacy();
    let mut feed = client.feed();
    follow(
        &mux,
        &next(&mux)
            .upstream("comes", &comes)
            .upstream("stays", &stays),
    );
    assert_eq!(feed.next().method(), TOOLS_CHANGED);
    assert_eq!(client.names("tools"), ["comes__c", "stays__s"]);
    assert_eq!(client.call("comes__c", &json!({})).said(), "c {}");
    assert_eq!(client.call("goes__g", &json!({})).code(), -32602);
    assert_eq!(client.call("stays__s", &json!({})).said(), "s {}");
    assert_eq!(stays.starts(), 1);
}

/// The prompt that comes later is a fence: had the tools been told again, that would have come first.
#[test]
fn a_server_with_the_same_lists_is_replaced_without_a_word() {
    let fake = fake::legacy().tool("one").prompt("p").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let mut feed = client.feed();
    follow(&mux, &next(&mux).upstream_with("a", &fake, &version(2)));
    mux.wait_stderr("the configuration was read again");
    fake.lives().wait("the old process ends", |lives| {
        lives.iter().filter(|life| life.alive).count() == 1
    });
    fake.add_prompt("q");
    fake.list_changed("prompts");
    assert_eq!(feed.next().method(), "notifications/prompts/list_changed");
}

#[test]
fn a_new_server_that_does_not_come_up_holds_nobody_up_and_is_told() {
    let fake = fake::legacy().tool("one").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let missing = json!({"command": "there-is-no-such-command"});
    follow(
        &mux,
        &next(&mux)
            .upstream_with("a", &fake, &json!({"prefix": "z"}))
            .entry("b", missing),
    );
    mux.wait_stderr("the server is new and not up yet");
    assert_eq!(client.names("tools"), ["z__one"]);
}

/// The file is the truth, also where it is wrong; what the server listed stays for the grace.
#[test]
fn a_replaced_server_that_does_not_come_up_keeps_its_entries_for_the_grace() {
    let fake = fake::legacy().tool("one").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let missing = json!({"command": "there-is-no-such-command"});
    follow(&mux, &next(&mux).entry("a", missing));
    mux.wait_stderr("the server is new and not up yet");
    fake.lives().wait_for_none();
    assert_eq!(client.names("tools"), ["a__one"]);
    assert_eq!(client.call("a__one", &json!({})).code(), -32010);
}

#[test]
fn the_order_in_the_file_decides_who_has_a_name() {
    let (a, b) = (
        fake::legacy().tool("x").stdio(),
        fake::legacy().tool("x").stdio(),
    );
    let bare = json!({"prefix": null});
    let mux = MuxTest::new()
        .upstream_with("a", &a, &bare)
        .upstream_with("b", &b, &bare)
        .listed(1)
        .start();
    let client = mux.legacy();
    client.call("x", &json!({})).result();
    assert_eq!((a.count("tools/call"), b.count("tools/call")), (1, 0));
    follow(
        &mux,
        &next(&mux)
            .upstream_with("b", &b, &bare)
            .upstream_with("a", &a, &bare),
    );
    mux.wait_stderr("the servers have another order");
    eventually("the other server has the name", || {
        client.call("x", &json!({})).result();
        (b.count("tools/call") > 0).then_some(())
    });
    assert_eq!((a.starts(), b.starts()), (1, 1));
}

#[test]
fn limits_and_settings_follow_the_file_and_leave_the_process_alone() {
    let gate = Gate::new();
    let held = gate.clone();
    let fake = fake::legacy()
        .tool("echo")
        .tool_answering("slow", move |_| {
            held.wait("the test is over");
            Reply::Nothing
        })
        .stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let settings = json!({"maxSessions": 7, "aliases": {"e": "a__echo"}});
    follow(&mux, &next(&mux).settings(&settings).upstream("a", &fake));
    mux.wait_stderr("`mux.maxSessions` changes when the mux is started the next time");
    eventually("the alias is listed", || {
        (client.names("tools").contains(&"e".to_owned())).then_some(())
    });
    assert_eq!(client.call("e", &json!({})).said(), "echo {}");
    let settings = json!({"callTimeout": "50ms"});
    follow(&mux, &next(&mux).settings(&settings).upstream("a", &fake));
    mux.wait_stderr("server `a` changes (callTimeout), its connection stays");
    assert_eq!(client.call("a__slow", &json!({})).code(), -32011);
    assert_eq!(client.names("tools"), ["a__echo", "a__slow"]);
    assert_eq!(fake.starts(), 1);
    gate.open();
}

/// One call at a time where there were many: those under way stay, the next ones wait.
#[test]
fn fewer_calls_at_once_hold_when_those_under_way_are_over() {
    let gate = Gate::new();
    let held = gate.clone();
    let fake = fake::legacy()
        .tool_answering("wait", move |_| {
            held.wait("the third call is there");
            Reply::text("done")
        })
        .stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let mut calls: Vec<_> = (0..2)
        .map(|_| client.start_call("a__wait", &json!({})))
        .collect();
    fake.wait_seen("tools/call", 2);
    follow(
        &mux,
        &next(&mux)
            .settings(&json!({"maxConcurrentCalls": 1}))
            .upstream("a", &fake),
    );
    mux.wait_stderr("server `a` changes (maxConcurrentCalls), its connection stays");
    calls.push(client.start_call("a__wait", &json!({})));
    client.request("ping", &json!({})).result();
    assert_eq!(fake.count("tools/call"), 2);
    gate.open();
    for call in calls {
        assert_eq!(call.answer().said(), "done");
    }
    assert_eq!(fake.starts(), 1);
}

/// What a client watches it watches at the new server too, and looks at anew.
#[test]
fn a_watched_resource_is_watched_at_the_successor() {
    for fake in [fake::legacy(), fake::modern()] {
        for pipe in [Pipe::Stdio, Pipe::Http] {
            let capabilities = json!({"resources": {"subscribe": true, "listChanged": true}});
            let fake = fake
                .clone()
                .resource("x://1")
                .capable_of(capabilities)
                .over(pipe);
            let mux = MuxTest::new().upstream("a", &fake).start();
            let client = mux.client(Era::Legacy);
            let mut feed = client.feed();
            client
                .request("resources/subscribe", &json!({"uri": "x://1"}))
                .result();
            let keys = match pipe {
                Pipe::Stdio => version(2),
                _ => json!({"headers": {"X-Version": "2"}}),
            };
            follow(&mux, &next(&mux).upstream_with("a", &fake, &keys));
            let updated = "notifications/resources/updated";
            assert_eq!(feed.next().method(), updated);
            fake.notify(updated, &json!({"uri": "x://1"}));
            assert_eq!(feed.next().str("params/uri"), "x://1");
        }
    }
}

/// A server that nobody can run twice: it holds a lock.
fn locked(fake: &FakeServer, lock: &Path, replace: &str, number: usize) -> Value {
    let mut entry = fake.entry();
    let script = "mkdir \"$0\" || { touch \"$0.$VERSION\"; exit 9; }; \"$@\"; rmdir \"$0\"";
    let words = [
        json!("-c"),
        json!(script),
        json!(lock),
        entry["command"].take(),
    ];
    let args = entry["args"].as_array().into_iter().flatten().cloned();
    entry["args"] = words.into_iter().chain(args).collect();
    entry["command"] = json!("sh");
    entry["replace"] = json!(replace);
    entry["required"] = json!(true);
    entry["startupTimeout"] = json!("10s");
    entry["env"]["VERSION"] = json!(number.to_string());
    entry
}

#[test]
fn a_server_that_cannot_run_twice_ends_before_its_successor_starts() {
    let gate = Gate::new();
    let held = gate.clone();
    let fake = fake::legacy()
        .tool("echo")
        .tool_answering("slow", move |_| {
            held.wait("the file has been followed");
            Reply::text("at last")
        })
        .stdio();
    let test = MuxTest::new();
    let lock = test.dir().join("lock");
    let entry = |replace, number| locked(&fake, &lock, replace, number);
    let mux = test.entry("a", entry("start-first", 1)).listed(2).start();
    let client = mux.legacy();
    follow(&mux, &next(&mux).entry("a", entry("start-first", 2)));
    mux.wait_stderr("required server `a` is not available");
    let slow = client.start_call("a__slow", &json!({}));
    fake.wait_seen("tools/call", 1);
    follow(&mux, &next(&mux).entry("a", entry("stop-first", 3)));
    mux.wait_stderr("server `a` is replaced (env)");
    let waiting = client.start_call("a__echo", &json!({}));
    assert_eq!(fake.starts(), 1);
    gate.open();
    assert_eq!(slow.answer().said(), "at last");
    assert_eq!(waiting.answer().said(), "echo {}");
    assert_eq!(fake.starts(), 2);
    // One that is never needed leaves no trace.
    for number in 4..7 {
        follow(&mux, &next(&mux).entry("a", entry("stop-first", number)));
        mux.wait_stderr_times("server `a` is replaced (env)", number - 2);
    }
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
    let twice = |number: usize| lock.with_extension(number.to_string()).exists();
    assert_eq!(
        [2, 3, 4, 5, 6].map(twice),
        [true, false, false, false, false]
    );
}
