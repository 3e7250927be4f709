//! The example configurations that the project ships.

use std::path::{Path, PathBuf};

use crate::protocol::ServerName;

use super::super::{Config, Environment, Sources};
use super::fixtures::{compare, fixtures, folder};
use super::render::render;

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// The variables that the examples ask for.
fn environment() -> Environment {
    let names = [
        "GITHUB_TOKEN",
        "DOCS_TOKEN",
        "API_KEY",
        "PASSWORD",
        "OLD_KEY",
    ];
    Environment::new(names.map(|name| (name.to_owned(), format!("value of {name}"))))
}

fn load(folder: &Path, files: &[&str]) -> Config {
    let sources = Sources {
        files: files.iter().map(PathBuf::from).collect(),
        env: environment(),
        cwd: folder.to_owned(),
        ..Sources::default()
    };
    let config = Config::load(&sources).unwrap_or_else(|errors| panic!("{files:?}\n{errors}"));
    assert_eq!(config.warnings, [], "{files:?}");
    config
}

#[test]
fn the_large_example_says_what_it_should() {
    let config = load(&root(), &["mcp-config.example.json"]);
    let expected = folder("mcp-config.example.txt");
    compare(&expected, &render(&config, &root())).unwrap_or_else(|text| panic!("{text}"));
}

#[test]
fn the_large_example_is_plain_json_and_its_parked_servers_are_in_order() {
    let text = std::fs::read_to_string(root().join("mcp-config.example.json")).unwrap();
    let _: serde_json::Value = serde_json::from_str(&text).unwrap();
    let awake = text.replace("\"enabled\": false", "\"enabled\": true");
    let sources = Sources {
        env: environment(),
        cwd: root(),
        ..Sources::default()
    };
    let config = Config::from_text(Path::new("awake.json"), &awake, &sources).unwrap();
    let transports = ["docs", "old", "live"].map(|name| config.servers[name].transport.word());
    assert_eq!(transports, ["http", "sse", "websocket"]);
    assert_eq!(config.warnings, []);
}

#[test]
fn every_small_example_loads_and_says_what_it_is_for() {
    let folder = root().join("examples/configs");
    let examples = fixtures(&folder);
    assert!(examples.len() > 10, "{examples:?}");
    for example in examples {
        let name = example.file_name().unwrap().to_str().unwrap();
        load(&folder, &[name]);
        let text = std::fs::read_to_string(&example).unwrap();
        assert!(
            text.starts_with("// ") || text.starts_with("# "),
            "{name} has no first line"
        );
    }
}

#[test]
fn both_forms_of_the_service_example_say_the_same() {
    let folder = root().join("examples/configs");
    let [json, toml] = ["service.json", "service.toml"].map(|name| load(&folder, &[name]));
    assert_eq!((json.settings, json.servers), (toml.settings, toml.servers));
}

#[test]
fn the_team_example_merges_as_its_comments_say() {
    let config = load(
        &root().join("examples/configs"),
        &["team.json", "mine.json"],
    );
    let names: Vec<&str> = config.servers.keys().map(ServerName::as_str).collect();
    assert_eq!(names, ["docs", "notes"]);
    assert_eq!(
        config
            .disabled
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["tracker"]
    );
    assert_eq!(config.settings.log_level.as_deref(), Some("debug"));
    assert_eq!(config.settings.call_timeout.as_secs(), 30);
}
