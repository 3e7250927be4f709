//! Child processes as they are described: environment, directory, stderr.

use std::fs;

use serde_json::{Value, json};

use crate::support::{FakeServer, MuxTest, fake};

/// The entry of a fake whose shell first says something about itself on stderr.
fn telling(fake: &FakeServer, text: &str) -> Value {
    let entry = fake.entry();
    let words = [entry["command"].clone()]
        .into_iter()
        .chain(entry["args"].as_array().cloned().into_iter().flatten());
    let words: Vec<String> = words
        .map(|word| format!("'{}'", word.as_str().expect("a word")))
        .collect();
    json!({"command": "sh", "args": ["-c", format!("echo \"{text}\" >&2; exec {}", words.join(" "))]})
}

#[test]
fn stderr_goes_to_the_log_under_the_servers_name() {
    let fake = fake::legacy()
        .tool("echo")
        .child(&["--stderr", "warming up"])
        .stdio();
    let mux = MuxTest::new().upstream("files", &fake).start();
    mux.legacy();
    fake.stderr("\u{1b}[31mred\u{1b}[0m");
    mux.wait_stderr("warming up");
    mux.wait_stderr("red");
    let log = mux.stderr();
    let line = log
        .lines()
        .find(|line| line.contains("warming up"))
        .unwrap_or_default();
    assert!(line.contains("files"), "{line}");
    assert!(!log.contains("\u{1b}[31m"), "{log}");
}

#[test]
fn a_child_has_the_environment_and_the_directory_of_its_entry() {
    let fake = fake::legacy().tool("echo").stdio();
    let test = MuxTest::new().env("OUTER", "o").env("SECRET", "s");
    let place = test.dir().join("place");
    fs::create_dir(&place).expect("a directory");
    fs::write(test.dir().join("vars"), "FROM_FILE=f\n# a comment\n").expect("a file");
    let mut entry = telling(&fake, "in $PWD: $PLAIN $EXPANDED $FROM_FILE $OUTER");
    entry["env"] = json!({"PLAIN": "p", "EXPANDED": "${SECRET}-${NONE:-n}"});
    entry["envFile"] = json!("vars");
    entry["cwd"] = json!(place);
    let mux = test.entry("a", entry).listed(1).start();
    assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
    mux.wait_stderr(&format!("in {}: p s-n f o", place.display()));
}

#[test]
fn a_disabled_server_is_not_started() {
    let (on, off) = (
        fake::legacy().tool("echo").stdio(),
        fake::legacy().tool("echo").stdio(),
    );
    let mux = MuxTest::new()
        .upstream("on", &on)
        .upstream_with("off", &off, &json!({"enabled": false}))
        .listed(1)
        .start();
    assert_eq!(mux.legacy().names("tools"), ["on__echo"]);
    assert_eq!((on.starts(), off.starts()), (1, 0));
}

#[test]
fn one_process_serves_all_sessions() {
    let fake = fake::legacy().tool("echo").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    for _ in 0..20 {
        assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
        assert_eq!(mux.modern().call("a__echo", &json!({})).said(), "echo {}");
    }
    assert_eq!(fake.starts(), 1);
}
