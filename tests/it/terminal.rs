//! What a person at a terminal is asked, and what becomes of the answers.

use std::fs;

use serde_json::Value;

use crate::support::terminal::Terminal;
use crate::support::{FakeServer, MuxTest, eventually, fake};

/// All that any crate has to say.
const EVERYTHING: &str = "trace,hyper=trace";

/// A mux with a file as VS Code has them, which asks for these; the answers go into a header each.
fn asking(fake: &FakeServer, inputs: &str, header: &str) -> MuxTest {
    let url = fake.url();
    MuxTest::new().config(&format!(
        r#"{{ "inputs": [{inputs}], "servers": {{
            "a": {{ "type": "http", "url": "{url}", "headers": {{ "X-Mine": "{header}" }} }}
        }} }}"#
    ))
}

fn listing(test: &MuxTest) -> Terminal {
    Terminal::run(test.command_for(&["list", "tools", "--log-level", EVERYTHING]))
}

/// The values that the server got, each once.
fn received(fake: &FakeServer) -> Vec<String> {
    let heads = fake.seen().into_iter().filter_map(|seen| seen.head);
    let mut values: Vec<String> = heads
        .filter_map(|head| head.header("x-mine").map(str::to_owned))
        .collect();
    values.dedup();
    values
}

#[test]
fn a_password_is_asked_for_once_and_never_shown() {
    let fake = fake::legacy().tool("echo").http();
    let password =
        r#"{ "type": "promptString", "id": "key", "description": "Key of A", "password": true }"#;
    let test = asking(&fake, password, "${input:key}/${input:key}");
    let mut terminal = listing(&test);
    terminal.answers_hidden("Key of A: ", "hunter2");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(received(&fake), ["hunter2/hunter2"]);
    assert!(
        screen.contains("TRACE") && screen.contains("a__echo"),
        "{screen}"
    );
    assert_eq!(screen.matches("Key of A").count(), 1, "{screen}");
    assert!(!screen.contains("hunter2"), "{screen}");
}

#[test]
fn a_choice_is_shown_with_its_options_and_checked() {
    let region = r#"{ "type": "pickString", "id": "region", "description": "Region", "options": ["eu", "us"], "default": "eu" }"#;
    for (typed, expected) in [("us", "us"), ("", "eu")] {
        let fake = fake::legacy().tool("echo").http();
        let test = asking(&fake, region, "${input:region}");
        let mut terminal = listing(&test);
        terminal.answers("Region (eu, us): ", typed);
        assert_eq!(terminal.ends().0, 0);
        assert_eq!(received(&fake), [expected]);
    }
    let labelled = r#"{ "type": "pickString", "id": "region", "options": [{ "label": "Europe", "value": "eu" }, "us"] }"#;
    let fake = fake::legacy().tool("echo").http();
    let test = asking(&fake, labelled, "${input:region}");
    let mut terminal = listing(&test);
    terminal.answers("region (eu, us): ", "eu");
    assert_eq!(terminal.ends().0, 0);
    assert_eq!(received(&fake), ["eu"]);
    let fake = fake::legacy().tool("echo").http();
    let test = asking(&fake, region, "${input:region}");
    let mut terminal = listing(&test);
    terminal.answers("Region (eu, us): ", "asia");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 2, "{screen}");
    assert!(
        screen.contains("`region`") && screen.contains("mcp.json:"),
        "{screen}"
    );
    assert_eq!(received(&fake), [""; 0]);
}

#[test]
fn what_the_environment_has_is_not_asked_for() {
    let fake = fake::legacy().tool("echo").http();
    let input = r#"{ "type": "promptString", "id": "my-key", "description": "Key" }"#;
    let test = asking(&fake, input, "${input:my-key}").env("MY_KEY", "set");
    let (code, screen) = listing(&test).ends();
    assert_eq!((code, screen.contains("Key: ")), (0, false), "{screen}");
    assert_eq!(received(&fake), ["set"]);
}

#[test]
fn what_a_command_of_an_editor_would_say_is_asked_for() {
    let fake = fake::legacy().tool("echo").http();
    let input = r#"{ "type": "command", "id": "chosen", "command": "extension.choose" }"#;
    let test = asking(&fake, input, "${input:chosen}");
    let mut terminal = listing(&test);
    terminal.answers("chosen: ", "this");
    assert_eq!(terminal.ends().0, 0);
    assert_eq!(received(&fake), ["this"]);
}

#[test]
fn a_mux_on_a_terminal_serves_once_it_has_its_answers() {
    let fake = fake::legacy().tool("echo").http();
    let input = r#"{ "type": "promptString", "id": "key", "password": true }"#;
    let test = asking(&fake, input, "${input:key}");
    let serve = ["serve", "--http", "127.0.0.1:0", "--log-level", EVERYTHING];
    let mut terminal = Terminal::run(test.command_for(&serve));
    terminal.answers_hidden("key: ", "hunter2");
    terminal.sees("listening on ");
    eventually("the server has it", || {
        (received(&fake) == ["hunter2"]).then_some(())
    });
    terminal.interrupt();
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130, "{screen}");
    assert!(!screen.contains("hunter2"), "{screen}");
}

#[test]
fn a_child_gets_what_was_typed() {
    let child = fake::legacy().tool("echo").stdio();
    let entry = child.entry();
    let (command, port) = (&entry["command"], &entry["args"][0]);
    let line = format!("[ \"$KEY\" = hunter2 ] && exec {command} {port}").replace('"', "\\\"");
    let test = MuxTest::new().config(&format!(
        r#"{{ "inputs": [{{ "type": "promptString", "id": "key", "description": "Key", "password": true }}],
            "servers": {{ "a": {{ "command": "sh", "args": ["-c", "{line}"], "env": {{ "KEY": "${{input:key}}" }} }} }} }}"#
    ));
    let mut terminal = listing(&test);
    terminal.answers_hidden("Key: ", "hunter2");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("a__echo") && !screen.contains("hunter2"),
        "{screen}"
    );
}

#[test]
fn only_yes_writes() {
    let test = MuxTest::new();
    let own = test.dir().join("mcp-config.json");
    let theirs = test.dir().join(".cursor/mcp.json");
    fs::create_dir(test.dir().join(".cursor")).expect("a folder");
    fs::write(&own, "{ \"mcpServers\": {} }").expect("a file");
    let written = "{ \"mcpServers\": { \"a\": { \"command\": \"a\" } } }";
    fs::write(&theirs, written).expect("a file");
    let asked = |line: &str, answer: &str| {
        let mut terminal = test.on_terminal(line);
        terminal.answers("[y/N] ", answer);
        terminal.ends()
    };
    let names = |path| {
        let content = fs::read_to_string(path).expect("the file");
        let file: Value = serde_json::from_str(&content).expect("JSON");
        let servers = file["mcpServers"].as_object().expect("the servers");
        servers.keys().cloned().collect::<Vec<_>>().join(" ")
    };
    for answer in ["", "n", "no", "x"] {
        asked("import .cursor/mcp.json", answer);
        assert_eq!(names(&own), "", "{answer:?}");
        asked("export cursor", answer);
        assert_eq!(names(&theirs), "a", "{answer:?}");
    }
    for (line, answer, expected) in [
        ("import .cursor/mcp.json", "y", ("a", "a")),
        ("export cursor", "YES", ("a", "a mcpmux")),
    ] {
        let (code, screen) = asked(line, answer);
        assert_eq!(code, 0, "{screen}");
        assert_eq!(
            (names(&own).as_str(), names(&theirs).as_str()),
            expected,
            "{screen}"
        );
    }
}
