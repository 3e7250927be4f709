//! Changes of lists: fetched again, told once, told only if there is something to tell.

use serde_json::json;

use crate::support::matrix::matrix;
use crate::support::{Client, Era, Gate, MuxTest, Pairing, Pipe, Reply, eventually, fake};

matrix! { a_new_tool_is_told_and_listed, a_burst_is_one_change }

/// Over stdio the client was there first and may hear of the first lists too.
fn a_new_tool_is_told_and_listed(p: Pairing) {
    let t = p.start(p.fake().tool("one"));
    let mut feed = t.client.feed();
    t.fake.wait_stream();
    t.fake.add_tool("two");
    t.fake.list_changed("tools");
    while t.client.names("tools") != ["a__one", "a__two"] {
        assert_eq!(feed.next().method(), "notifications/tools/list_changed");
    }
    assert_eq!(t.client.call("a__two", &json!({})).said(), "two {}");
}

/// The prompt that comes later is a fence: had the tools been told, that would have come first.
#[test]
fn a_change_of_nothing_is_not_told() {
    for fake in [fake::legacy(), fake::modern()] {
        for pipe in [Pipe::Stdio, Pipe::Http] {
            let fake = fake.clone().tool("one").prompt("p").over(pipe);
            let mux = MuxTest::new().upstream("a", &fake).start();
            let clients = [mux.legacy(), mux.modern()];
            let mut feeds: Vec<_> = clients.iter().map(Client::feed).collect();
            fake.wait_stream();
            fake.list_changed("tools");
            fake.wait_seen("tools/list", 2);
            fake.add_prompt("q");
            fake.list_changed("prompts");
            for feed in &mut feeds {
                assert_eq!(feed.next().method(), "notifications/prompts/list_changed");
            }
        }
    }
}

fn a_burst_is_one_change(p: Pairing) {
    let t = p.start(p.fake().tool("one").resource("x://1"));
    t.fake.wait_stream();
    for _ in 0..100 {
        t.fake.list_changed("tools");
    }
    t.fake.add_tool("last");
    t.fake.add_resource("x://2");
    t.fake.list_changed("tools");
    t.fake.list_changed("resources");
    eventually("the last change is listed", || {
        (t.client.total() == 4).then_some(())
    });
    assert!(
        t.fake.count("tools/list") <= 6,
        "{} fetches",
        t.fake.count("tools/list")
    );
}

#[test]
fn all_clients_hear_of_it() {
    let fake = fake::modern().tool("one").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let clients = [mux.legacy(), mux.modern(), mux.legacy(), mux.modern()];
    let mut feeds: Vec<_> = clients.iter().map(Client::feed).collect();
    fake.wait_stream();
    fake.remove_tool("one");
    fake.list_changed("tools");
    for (client, feed) in clients.iter().zip(&mut feeds) {
        assert_eq!(feed.next().method(), "notifications/tools/list_changed");
        assert_eq!(client.names("tools"), [] as [&str; 0]);
    }
}

/// Whoever has seen the lists without it is told when it has come.
#[test]
fn a_server_that_comes_late_changes_the_lists() {
    let gate = Gate::new();
    let held = gate.clone();
    let fake = fake::legacy()
        .tool("one")
        .prompt("p")
        .on("initialize", move |_| {
            held.wait("the lists have been seen without it");
            Reply::Usual
        })
        .stdio();
    let mux = MuxTest::new().upstream("a", &fake).unready().start();
    let client = mux.legacy();
    let mut feed = client.feed();
    assert_eq!(client.total(), 0);
    gate.open();
    let mut told = [
        feed.next().method().to_owned(),
        feed.next().method().to_owned(),
    ];
    told.sort();
    assert_eq!(
        told,
        [
            "notifications/prompts/list_changed",
            "notifications/tools/list_changed"
        ]
    );
    assert_eq!(client.total(), 2);
}

/// Over HTTP only the health check notices that the server is gone.
#[test]
fn a_server_that_dies_keeps_its_entries_for_a_grace() {
    for pipe in [Pipe::Stdio, Pipe::Http] {
        let fake = fake::legacy().tool("one").over(pipe);
        let health = json!({"interval": "100ms", "timeout": "1s", "unhealthyThreshold": 1});
        let settings = json!({"grace": "300ms", "health": health});
        let mux = MuxTest::new()
            .settings(&settings)
            .upstream("a", &fake)
            .start();
        let client = mux.legacy();
        let mut feed = client.feed();
        assert_eq!(client.names("tools"), ["a__one"]);
        fake.refuse(usize::MAX);
        fake.kill();
        fake.disconnect();
        assert_eq!(feed.next().method(), "notifications/tools/list_changed");
        assert_eq!(client.names("tools"), [] as [&str; 0]);
        fake.refuse(0);
        assert_eq!(feed.next().method(), "notifications/tools/list_changed");
        assert_eq!(client.names("tools"), ["a__one"]);
    }
}

#[test]
fn a_restart_with_the_same_list_is_not_told() {
    let fake = fake::legacy().tool("one").prompt("p").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let mut feed = client.feed();
    fake.kill();
    fake.wait_seen("prompts/list", 2);
    fake.add_prompt("q");
    fake.list_changed("prompts");
    assert_eq!(feed.next().method(), "notifications/prompts/list_changed");
    assert_eq!(client.names("tools"), ["a__one"]);
}

/// One client does not read its stream while more is said than any buffer holds; nobody else notices, and it finds the
/// newest state in the end.
#[test]
fn a_client_that_does_not_read_holds_nobody_up() {
    for pipe in [Pipe::Stdio, Pipe::Http] {
        let capabilities = json!({"tools": {"listChanged": true}, "logging": {}});
        let fake = fake::legacy()
            .tool("one")
            .capable_of(capabilities)
            .over(pipe);
        let mux = MuxTest::new().upstream("a", &fake).start();
        let (slow, reader, modern) = (mux.legacy(), mux.legacy(), mux.modern());
        let (mut unread, mut feed, mut listen) = (slow.feed(), reader.feed(), modern.feed());
        fake.wait_stream();
        let big = "x".repeat(64 * 1024);
        for n in 0..400 {
            let params = json!({"level": "error", "data": [n, big]});
            fake.notify("notifications/message", &params);
            assert_eq!(feed.next().get("params/data/0"), json!(n));
        }
        fake.add_tool("two");
        fake.list_changed("tools");
        let told = "notifications/tools/list_changed";
        assert_eq!(feed.next().method(), told);
        assert_eq!(listen.next().method(), told);
        assert_eq!(slow.names("tools"), ["a__one", "a__two"]);
        while unread.next().method() != told {}
    }
}

#[test]
fn the_mux_says_that_its_lists_change() {
    let mux = MuxTest::new().start();
    let hello = mux.legacy().handshake.expect("a handshake").result();
    let found = mux.modern().request("server/discover", &json!({})).result();
    for capabilities in [&hello["capabilities"], &found["capabilities"]] {
        for list in ["tools", "resources", "prompts"] {
            assert_eq!(capabilities[list]["listChanged"], true, "{capabilities}");
        }
    }
    assert_eq!(mux.client(Era::Legacy).total(), 0);
}
