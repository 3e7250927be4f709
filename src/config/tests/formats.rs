//! Whose way of writing a file is in, and what of it comes through.

use std::path::{Path, PathBuf};

use super::super::{Config, Environment, Format, ServerMap, Sources};
use super::fixtures::{fixtures, folder};

fn found(name: &str, text: &str) -> Option<ServerMap> {
    ServerMap::find(Path::new(name), text).unwrap()
}

#[test]
fn every_sample_is_known_for_what_it_is() {
    let expected = |name: &str| match name.split(['-', '.']).next().unwrap() {
        "gemini" => Format::Gemini,
        "vscode" if name.contains("settings") => Format::McpServers,
        "vscode" => Format::VsCode,
        "mistralrs" => Format::MistralRs,
        "zed" => Format::Zed,
        "codex" => Format::Codex,
        "vtcode" => Format::VtCode,
        _ => Format::McpServers,
    };
    for path in fixtures(&folder("formats")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let map = found(name, &std::fs::read_to_string(&path).unwrap());
        assert_eq!(map, ServerMap::of(expected(name)), "{name}");
    }
}

#[test]
fn the_place_of_the_servers_is_told() {
    let map = found("a.toml", "[[mcp.providers]]\nname = 'x'").unwrap();
    assert_eq!(map.keys, ["mcp", "providers"]);
    assert_eq!(map.named_by, Some("name"));
    let map = found("a.json", r#"{ "mcp": { "servers": {} } }"#).unwrap();
    assert_eq!((map.format, map.named_by), (Format::VsCodeSettings, None));
    assert_eq!(map.keys, ["mcp", "servers"]);
}

#[test]
fn a_file_without_servers_has_no_place_for_them() {
    for text in [r#"{ "mux": {} }"#, r#"{ "servers": 1 }"#, "[]", "3"] {
        assert_eq!(found("a.json", text), None, "{text}");
    }
    assert!(ServerMap::find(Path::new("a.json"), "{").is_err());
}

#[test]
fn gemini_is_known_by_its_folder_too() {
    let text = r#"{ "mcpServers": { "a": { "command": "a" } } }"#;
    let path = Path::new("/home/me/.gemini/settings.json");
    let format = |map: Option<ServerMap>| map.map(|map| map.format);
    assert_eq!(
        format(ServerMap::find(path, text).unwrap()),
        Some(Format::Gemini)
    );
    assert_eq!(format(found("a.json", text)), Some(Format::McpServers));
}

#[test]
fn our_own_keys_stand_in_any_format_and_are_stronger() {
    let text =
        "[mcp_servers.a]\ncommand = 'a'\nprefix = 'p'\ncallTimeout = '5s'\ntool_timeout_sec = 9";
    let config = Config::from_text(Path::new("a.toml"), text, &Sources::default()).unwrap();
    let server = &config.servers["a"];
    assert_eq!(server.rules.prefix.as_deref(), Some("p"));
    assert_eq!(server.call_timeout.as_secs(), 5);
    assert_eq!(config.warnings, []);
}

#[test]
fn a_server_without_a_name_is_told_with_its_place() {
    let text = r#"{ "servers": [ { "source": {} }, 5, { "id": 7 } ] }"#;
    let errors = Config::from_text(Path::new("a.json"), text, &Sources::default()).unwrap_err();
    let told: Vec<String> = errors.errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "error: `id` is missing\n  at a.json:1 (servers[0])",
            "error: `servers[1]` must be an object, not a number\n  at a.json:1 (servers[1])",
            "error: `id` must be a string, not a number\n  at a.json:1 (servers[2].id)",
        ]
    );
}

#[test]
fn everything_that_was_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.env"), "A=1").unwrap();
    std::fs::write(path("key"), "k").unwrap();
    let text = r#"{ "mcpServers": {
        "a": { "command": "a", "envFile": "a.env", "args": ["${file:key}"] },
        "off": { "command": "a", "envFile": "off.env", "enabled": false }
    } }"#;
    std::fs::write(path("mcp.json"), text).unwrap();
    let sources = Sources {
        files: vec![PathBuf::from("mcp.json")],
        env: Environment::default(),
        cwd: folder.path().to_owned(),
        ..Sources::default()
    };
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.watched, ["mcp.json", "a.env", "key"].map(path));
}

#[test]
fn cline_counts_seconds() {
    let read = |name: &str, keys: &str| {
        let text = format!(r#"{{ "mcpServers": {{ "a": {{ "command": "a", {keys} }} }} }}"#);
        let config = Config::from_text(Path::new(name), &text, &Sources::default()).unwrap();
        (
            config.servers["a"].call_timeout.as_secs(),
            config.warnings.len(),
        )
    };
    for name in [
        "x/cline_mcp_settings.json",
        ".cline/mcp.json",
        ".roo/mcp.json",
    ] {
        assert_eq!(read(name, r#""timeout": 30000"#), (30_000, 0), "{name}");
    }
    assert_eq!(
        read("a.json", r#""timeout": 3000, "alwaysAllow": []"#),
        (3_000, 1)
    );
    assert_eq!(
        read("a.json", r#""timeout": 60000, "alwaysAllow": []"#),
        (60, 1)
    );
    assert_eq!(
        read("a.json", r#""timeout": 30, "alwaysAllow": []"#),
        (30, 0)
    );
    assert_eq!(
        read("a.json", r#""timeout": 3000, "autoApprove": []"#),
        (3, 1)
    );
}

#[test]
fn credentials_are_stronger_than_what_is_said_about_a_login() {
    let text = r#"{ "mcpServers": {
        "a": { "url": "http://a/", "headers": { "authorization": "Bearer x" }, "oauth": { "clientId": "c" } },
        "b": { "url": "http://b/", "auth": { "type": "bearer", "token": "x" }, "oauth": { "clientId": "c" } },
        "c": { "command": "c", "oauth": { "clientId": "c" } }
    } }"#;
    let config = Config::from_text(Path::new("a.json"), text, &Sources::default()).unwrap();
    assert_eq!(config.warnings, []);
    for name in ["a", "b"] {
        let transport = &config.servers[name].transport;
        let shown = format!("{transport:?}");
        assert!(shown.contains("oauth: None"), "{name}: {shown}");
    }
}

#[test]
fn every_program_counts_time_in_its_own_unit() {
    let entry = |keys: &str| format!(r#"{{ "command": "a", {keys} }}"#);
    let servers = |keys: &str| format!(r#"{{ "mcpServers": {{ "a": {} }} }}"#, entry(keys));
    let timeout = r#""timeout": 2000"#;
    let cline = servers(&format!(r#"{timeout}, "alwaysAllow": []"#));
    let gemini = servers(&format!(r#"{timeout}, "trust": true"#));
    let zed = format!(r#"{{ "context_servers": {{ "a": {} }} }}"#, entry(timeout));
    let mistral_rs = r#"{ "servers": [ { "id": "a", "source": { "type": "Process", "command": "a", "timeout_secs": 2000 } } ] }"#;
    let codex = "[mcp_servers.a]\ncommand = 'a'\ntool_timeout_sec = 2000";
    let vt_code =
        "[mcp]\ntool_timeout_seconds = 2000\n[[mcp.providers]]\nname = 'a'\ncommand = 'a'";
    let units = [
        ("a.json", servers(timeout), 1),
        ("a.json", cline, 1_000),
        ("a.json", gemini, 1),
        ("a.json", zed, 1_000),
        ("a.json", mistral_rs.to_owned(), 1_000),
        ("a.toml", codex.to_owned(), 1_000),
        ("a.toml", vt_code.to_owned(), 1_000),
    ];
    for (name, text, millis) in units {
        let config = Config::from_text(Path::new(name), &text, &Sources::default()).unwrap();
        let read = config.servers["a"].call_timeout.as_millis();
        assert_eq!(read, 2_000 * millis, "{text}");
    }
}
