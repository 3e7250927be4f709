//! How long results may be kept (2026-07-28, "Caching"): what servers say reaches clients, merged where lists are.

use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::fake::Fake;
use crate::support::matrix::matrix;
use crate::support::{
    Client, Era, FakeServer, Mux, MuxTest, Pairing, Pipe, Reply, eventually, fake,
};

matrix! { hints_of_a_read_are_the_servers, a_read_is_kept_if_set_and_allowed, nothing_is_kept_by_default }

fn hints_of_a_read_are_the_servers(p: Pairing) {
    let fake = p.fake().resource("x://1").on("resources/read", |_| {
        Reply::raw(r#"{"ttlMs":7,"cacheScope":"public","contents":[]}"#)
    });
    let t = p.start(fake);
    let read = t.client.request("resources/read", &json!({"uri": "x://1"}));
    match (p.client, p.server) {
        (Era::Legacy, Era::Modern) => assert_eq!(read.result(), json!({"contents": []})),
        _ => assert_eq!(hints(&read.result()), (json!(7), json!("public"))),
    }
}

fn hints(result: &Value) -> (Value, Value) {
    (result["ttlMs"].clone(), result["cacheScope"].clone())
}

/// A modern server with one tool, whose list may be kept so long by these.
fn allowing(tool: &str, ttl: u64, scope: &str) -> Fake {
    let hints = format!(r#""ttlMs":{ttl},"cacheScope":"{scope}""#);
    let list = format!(
        r#"{{"resultType":"complete",{hints},"tools":[{{"name":"{tool}","inputSchema":{{"type":"object"}}}}]}}"#
    );
    fake::modern()
        .tool(tool)
        .on("tools/list", move |_| Reply::raw(list.clone()))
}

/// What the mux says of the merged list of the tools of these.
#[track_caller]
fn merged(fakes: &[Fake], list_ttl: &str) -> (Value, Value) {
    let mux = MuxTest::new().settings(&json!({"listTtl": list_ttl}));
    let servers: Vec<_> = fakes.iter().map(|fake| fake.clone().http()).collect();
    let named = ["a", "b", "c"].into_iter().zip(&servers);
    let mux = named
        .fold(mux, |mux, (name, fake)| mux.upstream(name, fake))
        .start();
    assert_eq!(told(&mux.legacy()), (Value::Null, Value::Null));
    told(&mux.modern())
}

fn told(client: &Client) -> (Value, Value) {
    hints(&client.request("tools/list", &json!({})).result())
}

#[test]
fn a_list_may_be_kept_as_long_as_every_server_on_it_allows() {
    let (long, short) = (
        allowing("t", 9_000, "public"),
        allowing("u", 4_000, "public"),
    );
    let mine = allowing("v", 9_000, "private");
    let is = |ttl: u64, scope| (json!(ttl), json!(scope));
    assert_eq!(merged(slice::from_ref(&long), "0s"), is(9_000, "public"));
    assert_eq!(merged(&[long.clone(), short], "0s"), is(4_000, "public"));
    assert_eq!(merged(&[long.clone(), mine], "0s"), is(9_000, "private"));
    let legacy = fake::legacy().tool("w");
    assert_eq!(merged(&[long, legacy], "0s"), is(0, "private"));
}

#[test]
fn a_server_that_is_not_on_the_list_has_no_say() {
    let fakes = [allowing("t", 9_000, "public"), fake::legacy().prompt("p")];
    assert_eq!(merged(&fakes, "0s"), (json!(9_000), json!("public")));
}

#[test]
fn the_strictest_page_counts() {
    let page = |ttl: u64, scope: &str, rest: &str| {
        Reply::raw(format!(
            r#"{{"resultType":"complete","ttlMs":{ttl},"cacheScope":"{scope}",{rest}}}"#
        ))
    };
    let fake = fake::modern()
        .tools(&["t", "u"])
        .on("tools/list", move |call| {
            match call.msg.raw("params/cursor") {
                None => page(
                    9_000,
                    "public",
                    r#""tools":[{"name":"t"}],"nextCursor":"2""#,
                ),
                Some(_) => page(5_000, "private", r#""tools":[{"name":"u"}]"#),
            }
        });
    assert_eq!(merged(&[fake], "0s"), (json!(5_000), json!("private")));
}

#[test]
fn the_setting_is_the_least() {
    let fake = allowing("t", 4_000, "public");
    assert_eq!(merged(slice::from_ref(&fake), "3s").0, json!(4_000));
    assert_eq!(merged(&[fake], "5s").0, json!(5_000));
    assert_eq!(merged(&[fake::legacy().tool("t")], "5s").0, json!(5_000));
}

/// A resource that differs each time, and may be kept so long by these.
fn reading(fake: Fake, ttl: u64, scope: &'static str) -> Fake {
    let times = AtomicUsize::new(0);
    fake.resource("x://1").on("resources/read", move |_| {
        let time = times.fetch_add(1, Ordering::Relaxed);
        Reply::raw(format!(
            r#"{{"odd": 1e400,"resultType":"complete","ttlMs":{ttl}, "cacheScope":"{scope}","contents":[{{"uri":"x://1","text":"{time}"}}]}}"#
        ))
    })
}

fn read(client: &Client) -> String {
    let read = client.request("resources/read", &json!({"uri": "x://1"}));
    read.str("result/contents/0/text")
}

fn keeping(mux: MuxTest) -> MuxTest {
    mux.settings(&json!({"cacheSize": "1MiB"}))
}

fn kept(fake: Fake, pipe: Pipe) -> (FakeServer, Mux) {
    let fake = fake.over(pipe);
    let mux = keeping(MuxTest::new().upstream("a", &fake)).start();
    (fake, mux)
}

fn a_read_is_kept_if_set_and_allowed(p: Pairing) {
    let fake = match p.server {
        Era::Modern => reading(p.fake(), 60_000, "public"),
        Era::Legacy => p.fake().resource("x://1"),
    };
    let t = p.start_with(fake, keeping);
    let first = t.client.request("resources/read", &json!({"uri": "x://1"}));
    let again = t.client.request("resources/read", &json!({"uri": "x://1"}));
    assert_eq!(again.raw("result/contents"), first.raw("result/contents"));
    let asked = if p.server == Era::Modern { 1 } else { 2 };
    assert_eq!(t.fake.count("resources/read"), asked);
}

fn nothing_is_kept_by_default(p: Pairing) {
    let t = p.start(reading(p.fake(), 60_000, "public"));
    assert_eq!([read(&t.client), read(&t.client)], ["0", "1"]);
}

#[test]
fn what_was_kept_is_the_servers_but_for_the_time_that_is_left() {
    let (_fake, mux) = kept(reading(fake::modern(), 60_000, "public"), Pipe::Http);
    let client = mux.modern();
    let ask = || client.request("resources/read", &json!({"uri": "x://1"}));
    let (first, text) = (ask(), |ttl: &str| {
        format!(
            r#"{{"odd": 1e400,"resultType":"complete","ttlMs":{ttl}, "cacheScope":"public","contents":[{{"uri":"x://1","text":"0"}}]}}"#
        )
    });
    assert_eq!(first.result_text(), text("60000"));
    let again = eventually("less time is left", || {
        let again = ask();
        (again.raw("result/ttlMs").as_deref() != Some("60000")).then_some(again)
    });
    let left = again.raw("result/ttlMs").expect("the time");
    assert!((1..60_000).contains(&left.parse().expect("a number")));
    assert_eq!(again.result_text(), text(&left));
}

#[test]
fn what_is_private_is_kept_for_one_session_alone() {
    let (fake, mux) = kept(reading(fake::modern(), 60_000, "private"), Pipe::Http);
    let (ada, bob) = (mux.legacy(), mux.legacy());
    assert_eq!([&ada, &bob, &ada, &bob].map(read), ["0", "1", "0", "1"]);
    let nobody = mux.modern();
    assert_eq!([&nobody, &nobody].map(read), ["2", "3"]);
    assert_eq!(fake.count("resources/read"), 4);
}

#[test]
fn what_is_public_is_kept_for_everybody() {
    let (_fake, mux) = kept(reading(fake::modern(), 60_000, "public"), Pipe::Stdio);
    let clients = [mux.modern(), mux.legacy(), mux.legacy(), mux.modern()];
    assert_eq!(clients.each_ref().map(read), ["0"; 4]);
}

#[test]
fn what_the_server_says_has_changed_is_read_again() {
    let resources = json!({"resources": {"subscribe": true, "listChanged": true}});
    for news in ["resources/updated", "resources/list_changed"] {
        for pipe in [Pipe::Stdio, Pipe::Http] {
            let fake = fake::modern().capable_of(resources.clone());
            let (fake, mux) = kept(reading(fake, 60_000, "public"), pipe);
            let client = mux.modern();
            assert_eq!([&client, &client].map(read), ["0", "0"]);
            fake.wait_stream();
            fake.notify(&format!("notifications/{news}"), &json!({"uri": "x://1"}));
            eventually("it is read again", || (read(&client) != "0").then_some(()));
        }
    }
}

#[test]
fn a_change_of_another_resource_or_list_changes_nothing() {
    let resources = json!({"tools": {"listChanged": true}, "resources": {"subscribe": true}});
    let fake = reading(fake::modern().tool("t"), 60_000, "public").capable_of(resources);
    let (fake, mux) = kept(fake, Pipe::Http);
    let client = mux.modern();
    assert_eq!(read(&client), "0");
    fake.wait_stream();
    fake.notify("notifications/resources/updated", &json!({"uri": "x://2"}));
    fake.add_tool("fence");
    fake.list_changed("tools");
    eventually("the fence is listed", || {
        (client.names("tools").len() == 2).then_some(())
    });
    assert_eq!(read(&client), "0");
}

#[test]
fn what_is_not_fresh_any_more_is_read_again() {
    let (fake, mux) = kept(reading(fake::modern(), 300, "public"), Pipe::Http);
    let client = mux.modern();
    eventually("it is read again", || (read(&client) != "0").then_some(()));
    assert!(fake.count("resources/read") >= 2);
}

#[test]
fn a_server_that_comes_back_is_asked_again() {
    let (fake, mux) = kept(reading(fake::modern(), 60_000, "public"), Pipe::Stdio);
    let client = mux.modern();
    assert_eq!([&client, &client].map(read), ["0", "0"]);
    fake.kill();
    eventually("it is read again", || (read(&client) != "0").then_some(()));
}

#[test]
fn errors_are_not_kept() {
    let fake = reading(fake::modern(), 60_000, "public")
        .once("resources/read", |_| Reply::error(-32603, "not now"));
    let (_fake, mux) = kept(fake, Pipe::Http);
    let client = mux.modern();
    let first = client.request("resources/read", &json!({"uri": "x://1"}));
    assert_eq!(first.code(), -32603);
    assert_eq!([&client, &client].map(read), ["0", "0"]);
}
