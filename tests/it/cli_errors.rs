//! What a wrong configuration looks like on a terminal: every error at once, with its place.

use crate::support::{MuxTest, normalize};

/// Runs `check` on a configuration; stderr without what differs from run to run.
fn check(text: &str) -> String {
    let mux = MuxTest::new().config(text);
    let ran = mux.run(&["check", "--offline"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    normalize(&ran.stderr, mux.dir())
}

#[test]
fn all_errors_come_at_once_with_their_places() {
    let told = check(
        r#"{
  "mux": { "separater": "__", "callTimeout": "soon" },
  "mcpServers": {
    "a": { "command": "x", "env": { "TOKEN": "${NO_SUCH_VARIABLE}" } },
    "b": { "args": [] },
    "c": { "url": "ftp://example.com" }
  }
}"#,
    );
    for part in [
        "[DIR]/mcp.json:2 (mux.separater)",
        "`separator`",
        "[DIR]/mcp.json:2 (mux.callTimeout)",
        "[DIR]/mcp.json:4 (mcpServers.a.env.TOKEN)",
        "`NO_SUCH_VARIABLE`",
        "[DIR]/mcp.json:5 (mcpServers.b",
        "[DIR]/mcp.json:6 (mcpServers.c.url)",
    ] {
        assert!(told.contains(part), "{part} in:\n{told}");
    }
    assert_eq!(
        told.lines()
            .filter(|line| line.starts_with("error: "))
            .count(),
        5,
        "{told}"
    );
}

#[test]
fn a_disabled_server_needs_no_secrets() {
    let text =
        r#"{"mcpServers": {"a": {"command": "x", "env": {"T": "${NO_SUCH}"}, "disabled": true}}}"#;
    let ran = MuxTest::new().config(text).run(&["check", "--offline"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn text_that_is_not_json_is_told_with_its_line() {
    let told = check("{\n  \"mcpServers\": {\n    oops\n");
    assert!(
        told.starts_with("error: ") && told.contains("[DIR]/mcp.json:3"),
        "{told}"
    );
}

#[test]
fn comments_and_trailing_commas_are_fine() {
    let text = "{ // comment\n \"mcpServers\": { \"a\": { \"command\": \"x\", }, }, /* more */ }";
    let ran = MuxTest::new().config(text).run(&["check", "--offline"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn an_unknown_key_of_a_server_is_a_warning() {
    let text = r#"{"mcpServers": {"a": {"command": "x", "comand": "y"}}}"#;
    let ran = MuxTest::new().config(text).run(&["check", "--offline"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = [ran.stdout, ran.stderr].concat();
    assert!(
        told.contains("`comand`") && told.contains("`command`"),
        "{told}"
    );
}

#[test]
fn a_file_that_is_not_there_is_exit_code_2() {
    let ran = MuxTest::new().run_bare(&["check", "--config", "no-such-file.json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(ran.stderr.contains("no-such-file.json"), "{ran:?}");
}

#[test]
fn without_any_file_it_says_where_it_looked() {
    let ran = MuxTest::new().run_bare(&["check"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(
        ran.stderr.contains("mcp-config.json") && ran.stderr.contains("hint: "),
        "{ran:?}"
    );
}

#[test]
fn a_secret_is_shown_nowhere() {
    let text = r#"{"mcpServers": {
        "a": {"command": "there-is-no-such-command", "env": {"T": "s3cr3t-value"}},
        "b": {"url": "http://127.0.0.1:1/mcp", "headers": {"X": "s3cr3t-value"},
              "auth": {"type": "bearer", "token": "s3cr3t-value"}}
    }}"#;
    let mux = MuxTest::new().env("RUST_LOG", "trace").config(text);
    for args in [
        &["check"][..],
        &["check", "--json"],
        &["list"],
        &["check", "--offline"],
    ] {
        let ran = mux.run(args);
        assert!(
            !ran.stdout.contains("s3cr3t") && !ran.stderr.contains("s3cr3t"),
            "{ran:?}"
        );
    }
}

#[test]
fn a_wrong_argument_is_exit_code_2() {
    let ran = MuxTest::new().run_bare(&["check", "--no-such-flag"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(ran.stderr.starts_with("error: "), "{ran:?}");
}
