//! Two entries with one public name.

use serde_json::{Value, json};

use crate::support::{FakeServer, MuxTest, Reply, fake};

fn pair() -> (FakeServer, FakeServer) {
    let saying = |text: &'static str| {
        fake::legacy()
            .tool_answering("x", move |_| Reply::text(text))
            .prompt("p")
            .http()
    };
    (saying("first"), saying("second"))
}

fn plain(first: &FakeServer, second: &FakeServer, on_conflict: &str) -> MuxTest {
    let keys = json!({"prefix": null});
    MuxTest::new()
        .settings(&json!({"onConflict": on_conflict}))
        .upstream_with("a", first, &keys)
        .upstream_with("b", second, &keys)
}

#[test]
fn the_first_in_the_file_wins() {
    let (first, second) = pair();
    let mux = plain(&first, &second, "first").listed(2).start();
    let client = mux.legacy();
    mux.wait_stderr("b");
    assert_eq!(
        (client.names("tools"), client.names("prompts")),
        (vec!["x".into()], vec!["p".into()])
    );
    assert_eq!(client.call("x", &json!({})).said(), "first");
    assert_eq!(second.count("tools/call"), 0);
}

#[test]
fn the_first_wins_even_if_it_comes_last() {
    let (first, second) = pair();
    let first = {
        drop(first);
        fake::legacy()
            .tool_answering("x", |_| Reply::text("first"))
            .prompt("p")
            .refusing(2)
            .http()
    };
    let mux = plain(&first, &second, "first").listed(2).start();
    let client = mux.legacy();
    crate::support::eventually("the first server has taken its name back", || {
        (client.call("x", &json!({})).said() == "first").then_some(())
    });
    assert_eq!(client.names("tools"), ["x"]);
}

#[test]
fn a_suffix_tells_them_apart() {
    let (first, second) = pair();
    let mux = plain(&first, &second, "suffix").start();
    let client = mux.legacy();
    assert_eq!(client.names("tools"), ["x", "x_2"]);
    assert_eq!(client.call("x", &json!({})).said(), "first");
    assert_eq!(client.call("x_2", &json!({})).said(), "second");
}

#[test]
fn check_and_list_tell_of_conflicts() {
    let (first, second) = pair();
    let test = plain(&first, &second, "first");
    let ran = test.run(&["check", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(
        told["conflicts"].as_array().map(Vec::len),
        Some(2),
        "{told:#}"
    );
    let ran = test.run(&["list", "tools"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("`x`"), "{}", ran.stderr);
}

#[test]
fn an_error_ends_the_start() {
    let (first, second) = pair();
    let ran = plain(&first, &second, "error").run(&["serve", "--http", "127.0.0.1:0"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("`x`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
}
