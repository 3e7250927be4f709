//! How long results may be kept (2026-07-28, "Caching"): what servers say reaches clients, merged where lists are.

use std::slice;

use serde_json::{Value, json};

use crate::support::fake::Fake;
use crate::support::matrix::matrix;
use crate::support::{Client, Era, MuxTest, Pairing, Reply, fake};

matrix! { hints_of_a_read_are_the_servers }

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
