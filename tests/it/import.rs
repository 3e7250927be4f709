//! `import`: what is found in other programs' files, and what becomes of it in ours.

use std::fs;

use serde_json::{Value, json};

use crate::support::{MuxTest, Ran, normalize};

/// A home with these files.
fn home(files: &[(&str, &str)]) -> MuxTest {
    let test = MuxTest::new();
    for (path, content) in files {
        write(&test, path, content);
    }
    test
}

fn write(test: &MuxTest, path: &str, content: &str) {
    let path = test.dir().join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs::write(path, content).expect("a file");
}

#[track_caller]
fn import(test: &MuxTest, line: &str) -> Ran {
    let words = line.split(' ').filter(|word| !word.is_empty());
    test.run_bare(&[&["import"], words.collect::<Vec<_>>().as_slice()].concat())
}

/// The servers of our own file.
fn ours(test: &MuxTest) -> Value {
    let path = test.dir().join("config_home/mcpmux/config.json");
    let content = fs::read_to_string(path).expect("our file");
    let mut root: Value = serde_json::from_str(&content).expect("JSON");
    root["mcpServers"].take()
}

/// Each server with its state.
fn states(ran: &Ran) -> Vec<String> {
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let servers = told["servers"].as_array().expect("servers").iter();
    let line = |server: &Value| {
        let [program, name, state] = ["program", "server", "state"].map(|key| server[key].as_str());
        [program, name, state]
            .map(Option::unwrap_or_default)
            .join(" ")
    };
    servers.map(line).collect()
}

const CURSOR: &str = r#"{"mcpServers": {
  "gh": {"command": "npx", "args": ["-y", "gh"], "env": {"GITHUB_TOKEN": "hidden-1"}},
  "mux": {"command": "/usr/bin/mcpmux", "args": ["serve"]},
  "off": {"url": "http://127.0.0.1:1/mcp", "disabled": true}
}}"#;
const CODEX: &str = "[mcp_servers.docs]\nurl = \"https://docs.example/mcp\"\ntool_timeout_sec = 7\nenabled_tools = [\"a\"]\n\n[mcp_servers.gh]\ncommand = \"other\"\n";
const VSCODE: &str = r#"{"inputs": [{"type": "promptString", "id": "the-key"}], "servers": {"v": {"type": "http", "url": "https://v.example/mcp", "headers": {"X": "${input:the-key}"}}, "rel": {"command": "y", "cwd": "sub", "envFile": "./.env"}}}"#;

#[test]
fn what_is_found_is_shown_and_taken() {
    let test = home(&[(".cursor/mcp.json", CURSOR), (".codex/config.toml", CODEX)]);
    let ran = import(&test, "--yes");
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(normalize(&ran.stdout, test.dir()), @"
    PROGRAM  SERVER  STATE                     FILE
    cursor   gh      new                       [DIR]/.cursor/mcp.json
    cursor   mux     mcpmux itself             [DIR]/.cursor/mcp.json
    cursor   off     new                       [DIR]/.cursor/mcp.json
    codex    docs    new                       [DIR]/.codex/config.toml
    codex    gh      another one has the name  [DIR]/.codex/config.toml
    ");
    insta::assert_snapshot!(normalize(&ran.stderr, test.dir()), @"
    took 3 servers into [DIR]/config_home/mcpmux/config.json
    warning: `env.GITHUB_TOKEN` of server `gh` is copied, and looks like a secret
      at [DIR]/.cursor/mcp.json:2 (mcpServers.gh)
      hint: move it into a variable and write '${VARIABLE}'
    ");
    assert_eq!(
        ours(&test),
        json!({
            "gh": {"command": "npx", "args": ["-y", "gh"], "env": {"GITHUB_TOKEN": "hidden-1"}},
            "off": {"url": "http://127.0.0.1:1/mcp", "disabled": true},
            "docs": {"url": "https://docs.example/mcp", "callTimeout": 7, "tools": {"allow": ["a"]}},
        })
    );
    for (path, content) in [(".cursor/mcp.json", CURSOR), (".codex/config.toml", CODEX)] {
        assert_eq!(
            fs::read_to_string(test.dir().join(path)).expect("theirs"),
            content
        );
    }
    assert_eq!(
        states(&import(&test, "--json --yes")),
        [
            "cursor gh same",
            "cursor mux skipped",
            "cursor off same",
            "codex docs same",
            "codex gh conflict"
        ]
    );
}

#[test]
fn what_belongs_to_a_file_is_freed_from_it() {
    let test = home(&[("project/.vscode/mcp.json", VSCODE)]);
    let ran = import(&test, "project/.vscode/mcp.json --yes");
    assert_eq!(ran.code, 0, "{ran:?}");
    let base = test.dir().join("project/.vscode");
    let inside = |name: &str| base.join(name).display().to_string();
    assert_eq!(
        ours(&test),
        json!({
            "v": {"type": "http", "url": "https://v.example/mcp", "headers": {"X": "${THE_KEY}"}},
            "rel": {"command": "y", "cwd": inside("sub"), "envFile": inside(".env")},
        })
    );
}

#[test]
fn projects_of_claude_code_are_found() {
    let claude = r#"{"mcpServers": {"u": {"command": "u"}}, "projects": {"/p": {"mcpServers": {"l": {"command": "l"}}}, "/q": {}}}"#;
    let test = home(&[(".claude.json", claude)]);
    let ran = import(&test, "claude-code --json --yes");
    assert_eq!(states(&ran), ["claude-code u new", "claude-code l new"]);
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(told["servers"][1]["project"], "/p");
    assert_eq!(
        ours(&test),
        json!({"u": {"command": "u"}, "l": {"command": "l"}})
    );
}

#[test]
fn ours_is_kept_unless_forced() {
    let test = home(&[
        (".codex/config.toml", CODEX),
        (
            "config_home/mcpmux/config.json",
            "{\n  // mine\n  \"mcpServers\": { \"gh\": { \"command\": \"mine\" } }\n}",
        ),
    ]);
    let config = test.dir().join("config_home/mcpmux/config.json");
    assert_eq!(
        states(&import(&test, "codex --json --dry-run")),
        ["codex docs new", "codex gh conflict"]
    );
    import(&test, "codex --yes");
    let content = fs::read_to_string(&config).expect("ours");
    assert!(
        content.contains("// mine")
            && content.contains("\"mine\"")
            && content.contains("docs.example"),
        "{content}"
    );
    assert_eq!(
        states(&import(&test, "codex --json --yes --force")),
        ["codex docs same", "codex gh replaced"]
    );
    let content = fs::read_to_string(&config).expect("ours");
    assert!(
        content.contains("// mine") && content.contains("\"other\""),
        "{content}"
    );
}

#[test]
fn nothing_is_written_without_consent_and_no_secret_is_shown() {
    let test = home(&[(".cursor/mcp.json", CURSOR)]);
    for (line, code) in [
        ("", 2),
        ("--dry-run", 0),
        ("cursor --dry-run --json", 0),
        ("--yes", 0),
    ] {
        let ran = import(&test, line);
        assert_eq!(ran.code, code, "{ran:?}");
        let all = [ran.stdout, ran.stderr].concat();
        assert!(all.contains("gh") && !all.contains("hidden-1"), "{all}");
        let made = test.dir().join("config_home/mcpmux/config.json");
        assert_eq!(made.exists(), line == "--yes");
    }
}

#[test]
fn a_broken_file_hides_no_other() {
    let test = home(&[
        (".cursor/mcp.json", "{ oops"),
        (".codex/config.toml", CODEX),
    ]);
    let ran = import(&test, "--json --yes");
    assert_eq!(states(&ran), ["codex docs new", "codex gh new"]);
    assert!(ran.stderr.contains("warning: syntax error"), "{ran:?}");
    let ran = import(&test, "cursor --yes");
    assert!(
        ran.code == 2 && ran.stderr.contains(".cursor/mcp.json:1"),
        "{ran:?}"
    );
    for (line, what) in [
        ("nobody", "there is no program `nobody`"),
        ("./gone.json", "there is no file"),
    ] {
        let ran = import(&test, line);
        assert!(ran.code == 2 && ran.stderr.contains(what), "{ran:?}");
    }
}
