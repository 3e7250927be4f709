//! Secrets reach the servers that they are for, and nothing else: no output, no log, no file, no error.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{FakeServer, MuxTest, Pipe, fake};

/// All that any crate has to say: a level alone is about mcpmux.
const EVERYTHING: &str = "trace,hyper=trace";
/// A part of every secret here.
const SECRET: &str = "s3cret";
/// `me:s3cret-basic` as it is sent.
const BASIC: &str = "bWU6czNjcmV0LWJhc2lj";

/// Kinds of credentials and of values: the keys of a server entry, and the header that it comes to.
fn kinds() -> [(&'static str, Value, &'static str, String); 8] {
    let auth = |auth: Value| json!({ "auth": auth });
    let header = |value: &str| json!({"headers": {"X-Mine": value}});
    let bearer = auth(json!({"type": "bearer", "token": "${BEARER}"}));
    let key = auth(json!({"type": "apiKey", "key": "${cmd:cat key}", "header": "X-Mine"}));
    let basic = auth(json!({"type": "basic", "username": "me", "password": "${file:basic}"}));
    [
        (
            "bearer",
            bearer,
            "authorization",
            "Bearer s3cret-bearer".into(),
        ),
        ("api_key", key, "x-mine", "s3cret-key".into()),
        ("basic", basic, "authorization", format!("Basic {BASIC}")),
        (
            "literal",
            header("s3cret-literal"),
            "x-mine",
            "s3cret-literal".into(),
        ),
        (
            "default",
            header("${UNSET:-s3cret-default}"),
            "x-mine",
            "s3cret-default".into(),
        ),
        (
            "named",
            json!({"envHeaders": {"X-Mine": "NAMED"}}),
            "x-mine",
            "s3cret-named".into(),
        ),
        (
            "kept",
            header("${keychain:mcp/me}"),
            "x-mine",
            "s3cret-kept".into(),
        ),
        (
            "own",
            json!({"envFile": "own", "headers": {"X-Mine": "${OWN}"}}),
            "x-mine",
            "s3cret-own".into(),
        ),
    ]
}

/// A mux with a server for each kind, one program with secrets, and one server that is away.
fn test(fakes: &[FakeServer], child: &FakeServer) -> MuxTest {
    let mut test = MuxTest::new()
        .env("BEARER", "s3cret-bearer")
        .env("NAMED", "s3cret-named")
        .settings(&json!({"allowCommands": true}));
    for (name, text) in [
        ("key", "s3cret-key\n"),
        ("basic", "s3cret-basic"),
        ("own", "OWN=s3cret-own"),
    ] {
        fs::write(test.dir().join(name), text).expect("a file");
    }
    let keychain = test.dir().join("state_home/mcpmux/keychain/mcp");
    fs::create_dir_all(&keychain).expect("a folder");
    fs::write(keychain.join("me"), "s3cret-kept").expect("a file");
    fs::set_permissions(keychain.join("me"), fs::Permissions::from_mode(0o600)).expect("a mode");
    for ((name, keys, ..), fake) in kinds().iter().zip(fakes) {
        test = test.upstream_with(name, fake, keys);
    }
    let env = json!({"env": {"A": "s3cret-env", "B": "${BEARER}"}});
    let away = json!({
        "url": "http://me:s3cret-url@127.0.0.1:1/s3cret-path?key=s3cret-query",
        "headers": {"X-Mine": "${cmd:cat key}"}
    });
    test.upstream_with("child", child, &env).entry("away", away)
}

/// Files below a folder that hold a secret.
fn leaks_in(folder: &Path, leaks: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            leaks_in(&path, leaks);
        } else if has_secret(&String::from_utf8_lossy(&fs::read(&path).expect("a file"))) {
            leaks.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
}

fn has_secret(text: &str) -> bool {
    text.contains(SECRET) || text.contains(BASIC)
}

fn fakes() -> (Vec<FakeServer>, FakeServer) {
    let pipes = [Pipe::Http, Pipe::WebSocket, Pipe::Sse];
    let fakes = kinds()
        .iter()
        .zip(pipes.iter().cycle())
        .map(|(_, pipe)| fake::legacy().tool("echo").over(*pipe))
        .collect();
    (fakes, fake::legacy().tool("echo").stdio())
}

#[test]
fn a_running_mux_keeps_secrets_to_itself() {
    let (fakes, child) = fakes();
    let mut mux =
        test(&fakes, &child).start_with(&["--http", "127.0.0.1:0", "--log-level", EVERYTHING]);
    let clients = [mux.legacy(), mux.modern()];
    let mut told = Vec::new();
    for client in &clients {
        for (name, ..) in kinds() {
            told.push(
                client
                    .call(&format!("{name}__echo"), &json!({}))
                    .result()
                    .to_string(),
            );
        }
        told.push(client.call("child__echo", &json!({})).result().to_string());
        told.push(client.call("bearer__ecko", &json!({})).error().to_string());
        told.push(client.call("away__echo", &json!({})).error().to_string());
        told.push(
            client
                .request("resources/read", &json!({"uri": "x://y"}))
                .error()
                .to_string(),
        );
        told.push(format!("{:?}", client.list("tools")));
    }
    for ((name, _, header, value), fake) in kinds().iter().zip(&fakes) {
        let with_message = fake.seen().into_iter().filter_map(|seen| seen.head);
        let mut heads = fake.heads().into_iter().chain(with_message);
        let sent = heads.any(|head| head.header(header) == Some(value.as_str()));
        assert!(sent, "{name} reaches its server");
    }
    let dir = mux.dir();
    drop(clients);
    assert_eq!(mux.stop(), 143);
    let log = mux.stderr();
    assert!(log.contains("TRACE"), "the log is at trace level");
    let line = log.lines().find(|line| has_secret(line));
    assert_eq!(line, None, "a line of the log");
    assert_eq!(
        told.iter().find(|told| has_secret(told)),
        None,
        "what clients saw"
    );
    let mut leaks = Vec::new();
    leaks_in(dir.path(), &mut leaks);
    leaks.sort();
    assert_eq!(
        leaks,
        ["basic", "key", "mcp.json", "me", "own"],
        "where secrets were written"
    );
}

#[test]
fn no_command_prints_a_secret() {
    let (fakes, child) = fakes();
    let test = test(&fakes, &child);
    let commands: [&[&str]; 6] = [
        &["check", "--explain", "--log-level", EVERYTHING],
        &["check", "--explain", "--json"],
        &["list", "--json", "--log-level", EVERYTHING],
        &["list", "servers", "--log-level", "debug"],
        &["call", "bearer__echo", "--log-level", EVERYTHING],
        &["call", "away__echo"],
    ];
    for command in commands {
        let ran = test.run(command);
        let all = format!("{}\n{}", ran.stdout, ran.stderr);
        let line = all.lines().find(|line| has_secret(line));
        assert_eq!(line, None, "{command:?}");
        assert!(!all.trim().is_empty(), "{command:?} says something");
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
        r#""command": "a", "tools": ["${BEARER}["]"#,
    ];
    for keys in wrong {
        let test = MuxTest::new()
            .env("BEARER", "s3cret-bearer")
            .config(&entry(keys));
        let ran = test.run(&["check", "--offline", "--log-level", EVERYTHING]);
        assert_eq!(ran.code, 2, "{keys}: {ran:?}");
        let shown = format!("{ran:?}").replace("s3cret@x/s3cret", "");
        assert!(!has_secret(&shown), "{keys}: {ran:?}");
    }
}
