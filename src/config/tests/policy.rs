//! What an administrator lets in, whatever the user's files say.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::outside::Question;
use super::super::{Config, ConfigErrors, Environment, Outside, PolicyFile, Secret, Sources};

/// A folder with a policy and some programs in `bin`, which is all of `PATH`.
fn folder(policy: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("managed.json"), policy).unwrap();
    fs::create_dir(dir.path().join("bin")).unwrap();
    for name in ["npx", "good"] {
        let program = dir.path().join("bin").join(name);
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    symlink("npx", dir.path().join("bin/harmless")).unwrap();
    dir
}

fn sources(dir: &Path) -> Sources {
    let here = dir.canonicalize().unwrap();
    let path = here.join("bin").to_str().unwrap().to_owned();
    Sources {
        policy: PolicyFile::at(dir.join("managed.json")),
        env: Environment::new([
            ("PATH".to_owned(), path),
            ("HOST".to_owned(), "evil.example".to_owned()),
        ]),
        cwd: here,
        ..Sources::default()
    }
}

fn load(dir: &Path, servers: &Value) -> Result<Config, ConfigErrors> {
    let text = json!({"mcpServers": servers}).to_string();
    Config::from_text(Path::new("mcp.json"), &text, &sources(dir))
}

/// Which of the servers are let in.
fn let_in(policy: &Value, servers: &Value) -> Vec<String> {
    let dir = folder(&policy.to_string());
    let text = servers
        .to_string()
        .replace("HERE", dir.path().canonicalize().unwrap().to_str().unwrap());
    let config = load(dir.path(), &serde_json::from_str(&text).unwrap()).unwrap();
    config.servers.keys().map(ToString::to_string).collect()
}

#[test]
fn without_a_policy_everything_is_let_in() {
    let dir = folder("");
    fs::remove_file(dir.path().join("managed.json")).unwrap();
    let config = load(dir.path(), &json!({"a": {"command": "npx"}})).unwrap();
    assert_eq!(config.servers.len(), 1);
}

#[test]
fn a_policy_that_cannot_be_used_lets_nothing_start() {
    for policy in [
        "",
        "[]",
        "{}",
        "{",
        "null",
        r#"{"deniedMcpServers": null}"#,
        r#"{"allowedMcpServers": {}}"#,
        r#"{"deniedMcpServers": ["x"]}"#,
        r#"{"deniedMcpServers": [{}]}"#,
        r#"{"deniedMcpServers": [{"serverName": "a", "serverUrl": "h"}]}"#,
        r#"{"deniedMcpServers": [{"serverName": ""}]}"#,
        r#"{"deniedMcpServers": [{"serverCommand": []}]}"#,
        r#"{"deniedMcpServers": [{"serverUrl": "https://u@h"}]}"#,
        r#"{"denyedMcpServers": []}"#,
        r#"{"deniedMcpServers": [{"serverName": "a"}], "deniedMcpServers": []}"#,
        r#"{"mcpServers": []}"#,
        r#"{"mcpServers": {"a": {"command": "npx"}}, "mux": {}}"#,
    ] {
        let dir = folder(policy);
        let errors = load(dir.path(), &json!({})).unwrap_err().to_string();
        assert!(errors.contains("managed.json"), "{policy}: {errors}");
    }
    let dir = folder("");
    fs::remove_file(dir.path().join("managed.json")).unwrap();
    symlink("nowhere", dir.path().join("managed.json")).unwrap();
    assert!(
        load(dir.path(), &json!({})).is_err(),
        "a link that leads nowhere"
    );
}

#[test]
fn a_fixed_set_is_all_there_is_and_the_users_servers_are_told_of() {
    let managed = json!({"mcpServers": {"m": {"command": "npx", "prefix": "x"}}});
    let dir = folder(&managed.to_string());
    let users = json!({"m": {"command": "evil"}, "u": {"command": "${NOT_SET}"}});
    let config = load(dir.path(), &users).unwrap();
    assert_eq!(
        config
            .servers
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["m"]
    );
    let told: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2);
    assert!(told[0].starts_with(
        "warning: server `m` is ignored: the managed policy says which servers there are\n  at mcp.json:1 (mcpServers.m)\n  hint: see "
    ), "{told:?}");
}

#[test]
fn denied_beats_allowed_and_the_warning_says_where() {
    let policy = "{\"allowedMcpServers\": [{\"serverName\": \"*\"}],\n\"deniedMcpServers\": [\n{\"serverName\": \"bad*\"}]}";
    let dir = folder(policy);
    let config = load(
        dir.path(),
        &json!({"good": {"command": "x"}, "BadOne": {"command": "x"}}),
    )
    .unwrap();
    assert_eq!(config.servers.len(), 1);
    let told = config.warnings[0].to_string();
    assert!(
        told.starts_with(
            "warning: server `BadOne` is blocked by the managed policy: it is denied\n  at "
        ),
        "{told}"
    );
    assert!(told.contains("managed.json:3 (deniedMcpServers[0])\n  hint: its entry is at mcp.json:1 (mcpServers.BadOne)"), "{told}");
}

#[test]
fn a_denied_command_is_found_behind_paths_links_and_other_programs() {
    let servers = json!({
        "bare": {"command": "npx"}, "path": {"command": "HERE/bin/npx"}, "up": {"command": "HERE/bin/../bin/npx"},
        "relative": {"command": "./npx", "cwd": "HERE/bin"}, "link": {"command": "harmless"},
        "capitals": {"command": "NPX.cmd"}, "env": {"command": "env", "args": ["A=1", "npx", "-y", "x"]},
        "shell": {"command": "sh", "args": ["-c", "exec npx -y x"]},
        "other": {"command": "good", "args": ["-y"]},
    });
    let policy = |pattern: Value| json!({"deniedMcpServers": [{"serverCommand": pattern}]});
    assert_eq!(let_in(&policy(json!("npx")), &servers), ["other"]);
    let with_args = json!({
        "a": {"command": "npx", "args": ["-y", "evil", "more"]}, "b": {"command": "npx", "args": ["-y", "fine"]},
        "c": {"command": "sh", "args": ["-c", "npx -y evil"]},
    });
    assert_eq!(
        let_in(&policy(json!(["npx", "-y", "evil"])), &with_args),
        ["b"]
    );
}

#[test]
fn an_allowed_command_is_exactly_that_one() {
    let policy = json!({"allowedMcpServers": [
        {"serverName": "*"}, {"serverCommand": ["npx", "-y", "@corp/*"]}, {"serverCommand": ["good", "**"]},
    ]});
    let servers = json!({
        "yes": {"command": "npx", "args": ["-y", "@corp/files"]}, "any": {"command": "good", "args": ["a", "b"]},
        "more": {"command": "npx", "args": ["-y", "@corp/files", "x"]}, "none": {"command": "npx"},
        "path": {"command": "HERE/evil/npx", "args": ["-y", "@corp/files"]},
        "env": {"command": "npx", "args": ["-y", "@corp/files"], "env": {"NODE_OPTIONS": "-r x"}},
        "loader": {"command": "good", "env": {"LD_PRELOAD": "x"}}, "lookup": {"command": "good", "env": {"PATH": "."}},
        "url": {"url": "https://any.example/"},
    });
    assert_eq!(let_in(&policy, &servers), ["yes", "any", "url"]);
}

#[test]
fn an_allowed_path_is_that_file_under_whatever_name() {
    let dir = folder("");
    let here = dir.path().canonicalize().unwrap();
    let policy = json!({"allowedMcpServers": [{"serverCommand": here.join("bin/good")}]});
    fs::write(dir.path().join("managed.json"), policy.to_string()).unwrap();
    let good = here.join("bin/good");
    let servers = json!({
        "path": {"command": good}, "looked_up": {"command": "good"},
        "relative": {"command": "./good", "cwd": here.join("bin")},
        "elsewhere": {"command": "./good", "cwd": here}, "other": {"command": "npx"},
        "up": {"command": here.join("bin/../evil/good")},
    });
    let config = load(dir.path(), &servers).unwrap();
    let names: Vec<String> = config.servers.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["path", "looked_up", "relative"]);
}

#[test]
fn urls_are_compared_after_variables_and_also_where_programs_pass_them_on() {
    let servers = json!({
        "direct": {"url": "https://${HOST}/mcp"}, "passed": {"command": "good", "args": ["--url=HTTPS://EVIL.example./x"]},
        "ws": {"url": "wss://evil.example/"}, "fine": {"url": "https://fine.example/"},
    });
    let denied = json!({"deniedMcpServers": [{"serverUrl": "evil.example"}]});
    assert_eq!(let_in(&denied, &servers), ["fine"]);
    let allowed = json!({"allowedMcpServers": [{"serverUrl": "https://fine.example"}, {"serverName": "passed"}, {"serverName": "ws"}]});
    assert_eq!(let_in(&allowed, &servers), ["passed", "fine"]);
    assert_eq!(
        let_in(&json!({"allowedMcpServers": []}), &servers),
        [] as [&str; 0]
    );
}

#[test]
fn a_required_server_that_is_blocked_is_an_error() {
    let dir = folder(r#"{"deniedMcpServers": [{"serverName": "a"}]}"#);
    let errors = load(
        dir.path(),
        &json!({"a": {"command": "x", "required": true}}),
    )
    .unwrap_err();
    assert!(
        errors
            .to_string()
            .contains("is blocked by the managed policy"),
        "{errors}"
    );
}

/// Remembers what it was to run; everything prints the same.
#[derive(Default)]
struct Recorder(parking_lot::Mutex<Vec<String>>);

impl Outside for Recorder {
    fn command(&self, line: &str, _: &[(&str, &str)]) -> Result<Secret, String> {
        self.0.lock().push(line.to_owned());
        Ok(Secret::new("good.example"))
    }

    fn keychain(&self, service: &str, _: &str) -> Result<Option<Secret>, String> {
        self.0.lock().push(service.to_owned());
        Ok(Some(Secret::new("secret")))
    }

    fn ask(&self, question: &Question<'_>) -> Option<Secret> {
        self.0.lock().push(question.id.to_owned());
        Some(Secret::new("answer"))
    }
}

#[test]
fn nothing_is_run_or_asked_for_a_server_that_cannot_be_let_in() {
    let policy = json!({
        "deniedMcpServers": [{"serverUrl": "https://evil.example/*"}],
        "allowedMcpServers": [{"serverCommand": "npx"}, {"serverUrl": "https://good.example/*"}]
    });
    let servers = json!({
        "denied": {"url": "https://evil.example/x", "headers": {"A": "${cmd:one}"}},
        "not allowed": {"command": "good", "env": {"A": "${cmd:two}", "B": "${input:three}", "C": "${keychain:x/y}"}},
        "allowed": {"command": "npx", "env": {"A": "${cmd:four}", "B": "${input:five}"}},
        "known later": {"url": "https://${cmd:six}/x"},
        "bad later": {"url": "https://${cmd:seven}.evil.example/x"}
    });
    let inputs =
        json!([{"id": "three", "type": "promptString"}, {"id": "five", "type": "promptString"}]);
    let dir = folder(&policy.to_string());
    let recorder = Arc::new(Recorder::default());
    let sources = Sources {
        outside: Some(recorder.clone()),
        ..sources(dir.path())
    };
    let text = json!({"mux": {"allowCommands": true}, "inputs": inputs, "servers": servers});
    let config = Config::from_text(Path::new("mcp.json"), &text.to_string(), &sources).unwrap();
    let let_in: Vec<_> = config.servers.keys().map(ToString::to_string).collect();
    assert_eq!(let_in, ["allowed", "known later"]);
    assert_eq!(*recorder.0.lock(), ["four", "five", "six", "seven"]);
    assert_eq!(config.warnings.len(), 3, "{:?}", config.warnings);
}
