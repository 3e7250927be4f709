//! `mcpmux reload`, and who else may ask a running mux for it.

use std::fs;

use serde_json::{Value, json};

use super::{next, pids};
use crate::support::{Mux, MuxTest, Ran, Request, fake};

/// The command on the same machine, for the mux of this address.
fn reload(mux: &Mux, further: &[&str]) -> Ran {
    let url = format!("http://{}/mcp", mux.addr());
    let args = [&["reload", "--config", "mcp.json", "--url", &url], further].concat();
    next(mux).run_bare(&args)
}

fn unwatched(test: MuxTest) -> MuxTest {
    test.settings(&json!({"watchFiles": false}))
}

#[test]
fn the_command_waits_until_the_files_are_followed_and_prints_what_was_different() {
    let fake = fake::legacy().tools(&["one", "two"]).stdio();
    let mux = unwatched(MuxTest::new()).upstream("a", &fake).start();
    let client = mux.legacy();
    let keys = json!({"tools": ["one"]});
    unwatched(next(&mux))
        .upstream_with("a", &fake, &keys)
        .write();
    let planned = reload(&mux, &["--dry-run"]);
    let change = "server `a` changes (tools), its connection stays\n";
    assert_eq!((planned.code, planned.stdout.as_str()), (0, change));
    assert_eq!(client.names("tools"), ["a__one", "a__two"]);
    let done = reload(&mux, &[]);
    assert_eq!((done.code, done.stdout.as_str()), (0, change), "{done:?}");
    assert_eq!(client.names("tools"), ["a__one"]);
    let again = reload(&mux, &[]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""));
    assert_eq!(again.stderr, "nothing is different\n");
    let told: Value = serde_json::from_str(&reload(&mux, &["--json"]).stdout).expect("JSON");
    let plan = json!({"servers": [], "reordered": false, "settings": []});
    assert_eq!(
        told,
        json!({"applied": true, "changes": [], "plan": plan, "warnings": []})
    );
}

#[test]
fn errors_of_the_files_are_printed_and_nothing_is_changed() {
    let fake = fake::legacy().tool("one").stdio();
    let mux = unwatched(MuxTest::new()).upstream("a", &fake).start();
    let client = mux.legacy();
    let before = pids(&fake);
    let bad = "{\"mcpServers\": {\"a\": {\"command\": \"x\",\n\n \"args\": [\"${NOT_SET}\"]}}}";
    next(&mux).config(bad).write();
    let refused = reload(&mux, &[]);
    assert_eq!(refused.code, 2, "{refused:?}");
    let told = "error: variable `NOT_SET` is not set\n  at ";
    let (_, place) = refused.stderr.split_once(told).expect("the error");
    assert!(
        place.contains("mcp.json:3 (mcpServers.a.args[0])\n  hint: "),
        "{place}"
    );
    assert_eq!(reload(&mux, &["--dry-run"]).code, 2);
    let away =
        json!({"command": "there-is-no-such-command", "required": true, "startupTimeout": "100ms"});
    unwatched(next(&mux))
        .upstream("a", &fake)
        .entry("b", away)
        .write();
    let refused = reload(&mux, &[]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(
        refused
            .stderr
            .contains("required server `b` is not available"),
        "{refused:?}"
    );
    assert_eq!(client.call("a__one", &json!({})).said(), "one {}");
    assert_eq!(pids(&fake), before);
}

#[test]
fn the_configuration_says_where_its_mux_is() {
    let fake = fake::legacy().tool("one").stdio();
    let test = MuxTest::new();
    let listen =
        json!({"watchFiles": false, "listen": format!("unix:{}/mux.sock", test.dir().display())});
    let mux = test
        .settings(&listen)
        .upstream("a", &fake)
        .unready()
        .start_with(&[]);
    mux.wait_stderr("listening on");
    let keys = json!({"prefix": "b"});
    next(&mux)
        .settings(&listen)
        .upstream_with("a", &fake, &keys)
        .write();
    let done = next(&mux).run_bare(&["reload", "--config", "mcp.json"]);
    assert_eq!(
        done.stdout, "server `a` changes (prefix), its connection stays\n",
        "{done:?}"
    );
}

#[test]
fn where_no_mux_is_the_command_says_what_else_there_is() {
    let test = MuxTest::new();
    fs::write(test.dir().join("mcp.json"), "{\"mcpServers\": {}}").expect("a file");
    let lost = test.run_bare(&["reload", "--config", "mcp.json"]);
    assert_eq!(lost.code, 2, "{lost:?}");
    assert!(lost.stderr.contains("SIGHUP"), "{lost:?}");
    let away = test.run_bare(&["reload", "--url", "unix:/nowhere/mux.sock"]);
    assert_eq!(away.code, 1, "{away:?}");
    assert!(
        away.stderr
            .contains("no mux answers at `unix:/nowhere/mux.sock`"),
        "{away:?}"
    );
}

/// A page cannot leave out what its browser puts in, and cannot put in what it is not allowed to.
#[test]
fn web_pages_and_proxies_cannot_ask_for_it() {
    let mux = MuxTest::new().start();
    let ask = || Request::post("{}").path("/mux/reload");
    let control = || ask().header("Mcpmux-Control", "1");
    assert_eq!(control().send(mux.addr()).status(), 200);
    assert_eq!(ask().send(mux.addr()).status(), 403);
    for (name, value) in [
        ("Origin", "http://localhost:3000"),
        ("Sec-Fetch-Site", "same-origin"),
        ("X-Forwarded-For", "192.0.2.1"),
        ("Forwarded", "for=192.0.2.1"),
        ("Via", "1.1 proxy"),
    ] {
        assert_eq!(
            control().header(name, value).send(mux.addr()).status(),
            403,
            "{name}"
        );
    }
    let named = Request::post("{\"file\": \"/etc/passwd\"}").path("/mux/reload");
    assert_eq!(
        named
            .header("Mcpmux-Control", "1")
            .send(mux.addr())
            .status(),
        400
    );
    let other = Request::post("{}")
        .path("/mux/other")
        .header("Mcpmux-Control", "1");
    assert_eq!(other.send(mux.addr()).status(), 404);
}
