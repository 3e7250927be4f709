//! `check`, `list`, `schema`, `completions`: what they print, and with which exit code.

use serde_json::{Value, json};

use crate::support::{MuxTest, Ran, fake};

fn json_of(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error} in {}", ran.stdout))
}

/// The name and one member of every element.
fn column(array: &Value, key: &str) -> Vec<Value> {
    array
        .as_array()
        .into_iter()
        .flatten()
        .map(|element| element[key].clone())
        .collect()
}

#[test]
fn check_shows_every_server() {
    let old = fake::legacy().tools(&["x", "y"]).prompt("p").stdio();
    let new = fake::modern().resource("x://1").template("x://{n}").http();
    let test = MuxTest::new()
        .upstream("old", &old)
        .upstream("new", &new)
        .entry("gone", json!({"command": "there-is-no-such-command"}));
    let told = json_of(&test.run(&["check", "--json"]));
    let servers = &told["servers"];
    assert_eq!(
        column(servers, "name"),
        [json!("old"), json!("new"), json!("gone")]
    );
    assert_eq!(
        column(servers, "transport"),
        [json!("stdio"), json!("http"), json!("stdio")]
    );
    assert_eq!(
        column(servers, "era"),
        [json!("legacy"), json!("modern"), json!(null)]
    );
    let revisions = [json!("2025-11-25"), json!("2026-07-28"), json!(null)];
    assert_eq!(column(servers, "protocolVersion"), revisions);
    assert_eq!(column(servers, "tools"), [json!(2), json!(0), json!(0)]);
    assert_eq!(column(servers, "resources"), [json!(0), json!(1), json!(0)]);
    assert_eq!(column(servers, "templates"), [json!(0), json!(1), json!(0)]);
    assert_eq!(column(servers, "prompts"), [json!(1), json!(0), json!(0)]);
    assert_eq!(servers[0]["state"], "ready");
    assert!(servers[0]["connectMs"].is_u64(), "{servers}");
    let error = servers[2]["error"].as_str().unwrap_or_default();
    assert!(error.contains("there-is-no-such-command"), "{servers}");
    for member in ["conflicts", "warnings", "errors"] {
        assert!(told[member].is_array(), "{told}");
    }
}

#[test]
fn check_prints_a_table() {
    let fake = fake::legacy().tools(&["x", "y"]).stdio();
    let ran = MuxTest::new().upstream("files", &fake).run(&["check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let head: Vec<&str> = ran
        .stdout
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let titles = [
        "SERVER",
        "TRANSPORT",
        "ERA",
        "REVISION",
        "STATE",
        "TOOLS",
        "RESOURCES",
        "TEMPLATES",
        "PROMPTS",
        "TIME",
    ];
    assert_eq!(head, titles);
    let row: Vec<&str> = ran
        .stdout
        .lines()
        .nth(1)
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    assert_eq!(
        row[..9],
        [
            "files",
            "stdio",
            "legacy",
            "2025-11-25",
            "ready",
            "2",
            "0",
            "0",
            "0"
        ]
    );
    assert!(
        !ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'),
        "{ran:?}"
    );
}

#[test]
fn check_fails_for_required_servers_and_with_strict_for_any() {
    let gone = |required: bool| {
        let entry = json!({"command": "there-is-no-such-command", "required": required});
        MuxTest::new().entry("gone", entry)
    };
    assert_eq!(gone(false).run(&["check"]).code, 0);
    assert_eq!(gone(false).run(&["check", "--strict"]).code, 3);
    assert_eq!(gone(true).run(&["check"]).code, 3);
    assert_eq!(gone(true).run(&["check", "--offline"]).code, 0);
}

#[test]
fn check_offline_connects_to_nothing() {
    let fake = fake::legacy().tool("x").stdio();
    let ran = MuxTest::new()
        .upstream("a", &fake)
        .run(&["check", "--offline"]);
    assert_eq!((ran.code, fake.starts()), (0, 0), "{ran:?}");
}

#[test]
fn check_tells_of_rules_that_match_nothing() {
    let fake = fake::legacy().tool("x").http();
    let keys = json!({"tools": {"deny": ["y*"]}});
    let ran = MuxTest::new()
        .upstream_with("a", &fake, &keys)
        .run(&["check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!([ran.stdout, ran.stderr].concat().contains("`y*`"));
}

#[test]
fn list_prints_entries_as_clients_see_them() {
    let fake = fake::legacy()
        .tool("echo")
        .resource("x://1")
        .template("x://{n}")
        .prompt("p")
        .http();
    let test = MuxTest::new().upstream("a", &fake);
    let definition = json!({
        "name": "a__echo",
        "description": "The tool echo.",
        "inputSchema": {"type": "object"},
    });
    let tool = json!({
        "name": "a__echo",
        "server": "a",
        "originalName": "echo",
        "description": "The tool echo.",
        "definition": definition,
    });
    assert_eq!(
        json_of(&test.run(&["list", "tools", "--json"])),
        json!([tool])
    );
    let resources = json_of(&test.run(&["list", "resources", "--json"]));
    assert_eq!(column(&resources, "uri"), [json!("x://1")]);
    let templates = json_of(&test.run(&["list", "templates", "--json"]));
    assert_eq!(column(&templates, "uriTemplate"), [json!("x://{n}")]);
    let prompts = json_of(&test.run(&["list", "prompts", "--json"]));
    assert_eq!(column(&prompts, "name"), [json!("a__p")]);
    let servers = json_of(&test.run(&["list", "servers", "--json"]));
    assert_eq!(column(&servers, "name"), [json!("a")]);
    let ran = test.run(&["list"]);
    for name in ["a__echo", "x://1", "x://{n}", "a__p"] {
        assert!(ran.stdout.contains(name), "{name} in {}", ran.stdout);
    }
}

#[test]
fn list_prints_what_there_is_and_names_who_is_missing() {
    let fake = fake::legacy().tool("echo").http();
    let test = MuxTest::new()
        .upstream("a", &fake)
        .entry("gone", json!({"command": "there-is-no-such-command"}));
    let ran = test.run(&["list", "tools"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("a__echo"), "{ran:?}");
    assert!(
        ran.stderr.contains("`gone`") && !ran.stdout.contains("gone"),
        "{ran:?}"
    );
}

#[test]
fn texts_of_servers_cannot_paint_the_terminal() {
    let evil = r#"{"name":"x","description":"\u001b[31mred\u0007\n\u009b2J","inputSchema":{}}"#;
    let fake = fake::legacy()
        .tool_defined(evil)
        .child(&["--stderr", "\u{1b}[31mred"])
        .stdio();
    let test = MuxTest::new().upstream("a", &fake);
    for args in [&["list", "tools"][..], &["check"], &["call", "a__x"]] {
        let ran = test.run(args);
        for text in [&ran.stdout, &ran.stderr] {
            let bad = |c: char| c.is_control() && c != '\n' && c != '\t';
            assert!(!text.contains(bad), "{text:?}");
        }
    }
}

#[test]
fn schema_is_json_and_knows_the_settings() {
    let schema: Value = json_of(&MuxTest::new().run_bare(&["schema"]));
    assert!(schema["$schema"].is_string(), "{schema}");
    let mux = &schema["properties"]["mux"];
    assert!(
        mux.is_object() && schema["properties"]["mcpServers"].is_object(),
        "{schema}"
    );
}

#[test]
fn completions_are_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = MuxTest::new().run_bare(&["completions", shell]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(
            ran.stdout.contains("mcpmux") && ran.stdout.contains("check"),
            "{shell}"
        );
    }
}

#[test]
fn alone_it_prints_its_help() {
    let ran = MuxTest::new().run_bare::<&str>(&[]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.contains("serve") || ran.stdout.contains("serve"),
        "{ran:?}"
    );
    let ran = MuxTest::new().run_bare(&["--help"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    for command in [
        "serve",
        "check",
        "list",
        "call",
        "read",
        "prompt",
        "schema",
        "completions",
    ] {
        assert!(ran.stdout.contains(command), "{}", ran.stdout);
        let help = MuxTest::new().run_bare(&[command, "--help"]);
        assert_eq!(help.code, 0, "{help:?}");
        assert!(
            help.stdout.contains(&format!("mcpmux {command}")),
            "{}",
            help.stdout
        );
    }
}
