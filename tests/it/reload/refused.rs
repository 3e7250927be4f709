//! Changes that cannot be made: nothing is different, and the log says why.

use std::fs;

use serde_json::json;

use super::{follow, next, pids, version};
use crate::support::{MuxTest, fake};

const REFUSED: &str = "the configuration cannot be followed, and nothing was changed";

#[test]
fn a_bad_file_changes_nothing_and_the_log_says_where_it_is_bad() {
    let fake = fake::legacy().tool("one").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let before = pids(&fake);
    for (text, place) in [
        ("{\n \"mcpServers\": {\n", "mcp.json:2"),
        (
            "{\"mux\": {\n \"callTimeout\": \"soon\"}}",
            "mcp.json:2 (mux.callTimeout)",
        ),
        (
            "{\"mcpServers\": {\"a\": {\"command\": \"x\",\n\n \"args\": [\"${NOT_SET}\"]}}}",
            "mcp.json:3 (mcpServers.a.args[0])",
        ),
    ] {
        follow(&mux, &next(&mux).config(text));
        mux.wait_stderr(place);
    }
    fs::remove_file(mux.dir().path().join("mcp.json")).expect("the file was there");
    mux.process.signal(rustix::process::Signal::HUP);
    mux.wait_stderr("cannot read the file: it does not exist at");
    assert!(
        mux.stderr().matches(REFUSED).count() >= 4,
        "{}",
        mux.stderr()
    );
    assert_eq!(client.call("a__one", &json!({})).said(), "one {}");
    assert_eq!(pids(&fake), before);
}

#[test]
fn a_required_server_that_does_not_come_up_rolls_everything_back() {
    let (fake, new) = (
        fake::legacy().tool("one").stdio(),
        fake::legacy().tool("two").stdio(),
    );
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let before = pids(&fake);
    let away =
        json!({"command": "there-is-no-such-command", "required": true, "startupTimeout": "300ms"});
    let changed = next(&mux)
        .upstream_with("a", &fake, &json!({"prefix": "z"}))
        .upstream("new", &new)
        .entry("away", away);
    follow(&mux, &changed);
    mux.wait_stderr("required server `away` is not available");
    assert!(mux.stderr().contains(REFUSED), "{}", mux.stderr());
    new.lives().wait_for_none();
    assert_eq!(client.names("tools"), ["a__one"]);
    follow(
        &mux,
        &next(&mux).upstream_with("a", &fake, &json!({"prefix": "z"})),
    );
    mux.wait_stderr("server `a` changes (prefix), its connection stays");
    assert_eq!(client.names("tools"), ["z__one"]);
    assert_eq!(pids(&fake), before);
}

#[test]
fn conflicts_where_there_may_be_none_roll_everything_back() {
    let (a, b) = (
        fake::legacy().tool("x").stdio(),
        fake::legacy().tool("x").stdio(),
    );
    let strict = json!({"onConflict": "error"});
    let mux = MuxTest::new().settings(&strict).upstream("a", &a).start();
    let client = mux.legacy();
    let clash = next(&mux)
        .settings(&strict)
        .upstream("a", &a)
        .upstream_with("b", &b, &json!({"prefix": "a"}));
    follow(&mux, &clash);
    mux.wait_stderr(REFUSED);
    mux.wait_stderr("`a__x`");
    b.lives().wait_for_none();
    assert_eq!(client.names("tools"), ["a__x"]);
}

#[test]
fn what_is_the_same_is_left_alone() {
    let fake = fake::legacy().tool("one").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    mux.legacy().call("a__one", &json!({})).result();
    follow(&mux, &next(&mux).upstream("a", &fake));
    follow(&mux, &next(&mux).upstream_with("a", &fake, &version(2)));
    mux.wait_stderr("server `a` is replaced (env)");
    assert_eq!(
        mux.stderr()
            .matches("the configuration was read again")
            .count(),
        1
    );
    assert_eq!(fake.starts(), 2);
}
