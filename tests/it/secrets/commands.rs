//! What commands print.

use std::fs;

use super::EVERYTHING;
use super::kinds::Scene;
use crate::support::MuxTest;

#[test]
fn no_command_prints_a_secret() {
    let mut scene = Scene::new();
    let test = scene.test();
    let commands: [&[&str]; 10] = [
        &["check", "--explain", "--log-level", EVERYTHING],
        &["check", "--explain", "--json"],
        &["check", "--offline"],
        &["check", "--json"],
        &["list", "--json", "--log-level", EVERYTHING],
        &["list", "servers", "--log-level", "debug"],
        &["call", "bearer__echo", "--log-level", EVERYTHING],
        &["call", "away__echo"],
        &["call", "away_tls__echo", "--log-level", EVERYTHING],
        &["login", "away", "--no-browser", "--log-level", EVERYTHING],
    ];
    for command in commands {
        let ran = test.run(command);
        let all = format!("{}\n{}", ran.stdout, ran.stderr);
        let line = all.lines().find(|line| scene.leaks(line));
        assert_eq!(line, None, "{command:?}");
        assert!(!all.trim().is_empty(), "{command:?} says something");
    }
}

#[test]
fn no_edit_shows_a_secret() {
    let mut scene = Scene::new();
    let test = scene.test();
    let ours = test.write();
    let theirs = test.dir().join(".cursor/mcp.json");
    fs::create_dir(test.dir().join(".cursor")).expect("a folder");
    fs::copy(&ours, &theirs).expect("their file");
    for line in [
        "import .cursor/mcp.json --dry-run --config new.json",
        "import .cursor/mcp.json --json --dry-run --config new.json",
        "export cursor --dry-run --config mcp.json",
        "export cursor --print --config mcp.json",
        "add literal --header X=s3cret --config mcp.json http://127.0.0.1:1/",
        "disable literal --config mcp.json",
        "enable literal --config mcp.json",
        "remove literal --config mcp.json",
        "remove literal --config mcp.json",
    ] {
        let ran = test.run_bare(&line.split(' ').collect::<Vec<_>>());
        let all = format!("{}\n{}", ran.stdout, ran.stderr);
        let shown = all.lines().find(|line| scene.leaks(line));
        assert_eq!(shown, None, "{line}");
        assert!(!all.trim().is_empty(), "{line} says something");
    }
}

#[test]
fn no_error_of_a_configuration_prints_a_secret() {
    let entry = |keys: &str| {
        format!(
            r#"{{ "mux": {{ "allowCommands": true }}, "mcpServers": {{ "a": {{ {keys} }} }} }}"#
        )
    };
    let wrong = [
        r#""url": "${BEARER}""#,
        r#""url": "ftp://me:s3cret@x/s3cret""#,
        r#""type": "${BEARER}", "command": "a""#,
        r#""url": "http://x/", "headers": { "X": "${BEARER}\n" }"#,
        r#""url": "http://x/", "callTimeout": "${BEARER}""#,
        r#""command": "a", "args": ["${cmd:echo s3cret; echo s3cret >&2; exit 1}"]"#,
        r#""command": "a", "env": { "A": "${file:${BEARER}" }"#,
        r#""url": "http://x/", "auth": { "type": "basic", "username": "${BEARER}:", "password": "x" }"#,
        r#""url": "http://x/", "auth": { "type": "oauth", "clientSecret": "${BEARER}" }"#,
        r#""url": "http://x/", "headersHelper": "echo s3cret; echo s3cret >&2""#,
        r#""url": "https://x/", "tls": { "cert": "bad.pem" }"#,
        r#""command": "a", "envFile": "bad.pem""#,
        r#""command": "a", "tools": ["${BEARER}["]"#,
    ];
    for keys in wrong {
        let test = MuxTest::new()
            .env("BEARER", "s3cret-bearer")
            .config(&entry(keys));
        fs::write(test.dir().join("bad.pem"), "s3cret\n").expect("a file");
        let ran = test.run(&["check", "--offline", "--log-level", EVERYTHING]);
        assert_eq!(ran.code, 2, "{keys}: {ran:?}");
        let shown = format!("{ran:?}").replace("s3cret@x/s3cret", "");
        assert!(!shown.contains("s3cret"), "{keys}: {ran:?}");
    }
}
