//! What differs between two configurations, and what that means for a running mux.

use std::path::Path;

use serde_json::{Value, json};

use super::super::{Config, Environment, Plan, Sources};

fn config(servers: &Value, settings: &Value) -> Config {
    let text = json!({"mux": settings, "mcpServers": servers}).to_string();
    let sources = Sources {
        env: Environment::new([("TOKEN".to_owned(), "hunter2".to_owned())]),
        ..Sources::default()
    };
    Config::from_text(Path::new("mcp.json"), &text, &sources).unwrap()
}

fn servers(servers: &Value) -> Config {
    config(servers, &json!({}))
}

fn plan(old: &Config, new: &Config) -> String {
    Plan::between(old, new).to_string()
}

#[test]
fn equal_configurations_need_nothing() {
    let spaced = json!({"b": {"url": "http://h/"}, "a": {"command": "x", "tools": ["t"]}});
    let plan = Plan::between(&servers(&spaced), &servers(&spaced));
    assert!(plan.is_empty());
    assert_eq!(plan.to_string(), "");
}

#[test]
fn servers_come_and_go() {
    let old =
        servers(&json!({"a": {"command": "x"}, "b": {"command": "x"}, "c": {"command": "x"}}));
    let new = servers(&json!({
        "d": {"url": "http://h/"}, "a": {"command": "x"}, "b": {"command": "x", "disabled": true},
    }));
    assert_eq!(
        plan(&old, &new),
        "server `d` is added\nserver `b` is removed\nserver `c` is removed"
    );
}

#[test]
fn another_way_to_a_server_replaces_it_and_shows_no_value() {
    for (before, after, keys) in [
        (
            json!({"command": "x"}),
            json!({"command": "y", "args": ["${TOKEN}"]}),
            "command, args",
        ),
        (
            json!({"command": "x"}),
            json!({"command": "x", "env": {"T": "${TOKEN}"}}),
            "env",
        ),
        (
            json!({"command": "x"}),
            json!({"command": "x", "cwd": "/tmp"}),
            "cwd",
        ),
        (json!({"command": "x"}), json!({"url": "http://h/"}), "type"),
        (
            json!({"url": "http://h/"}),
            json!({"type": "sse", "url": "http://h/"}),
            "type",
        ),
        (
            json!({"url": "http://h/"}),
            json!({"url": "http://h/${TOKEN}", "tools": []}),
            "url",
        ),
        (
            json!({"url": "http://h/"}),
            json!({"url": "http://h/", "auth": {"type": "bearer", "token": "${TOKEN}"}}),
            "headers",
        ),
    ] {
        let (old, new) = (
            servers(&json!({"a": before})),
            servers(&json!({"a": after})),
        );
        let told = Plan::between(&old, &new);
        assert_eq!(told.to_string(), format!("server `a` is replaced ({keys})"));
        assert!(!format!("{told:?}").contains("hunter2"));
    }
}

#[test]
fn rules_and_limits_leave_the_connection_alone() {
    let entry = |further: Value| {
        let mut entry = json!({"command": "x"});
        let members = further.as_object().unwrap().clone();
        entry.as_object_mut().unwrap().extend(members);
        servers(&json!({"a": entry}))
    };
    for (further, key) in [
        (json!({"prefix": "p"}), "prefix"),
        (json!({"prefix": null}), "prefix"),
        (json!({"aliases": ["p"]}), "aliases"),
        (json!({"tools": {"rename": {"x": "y"}}}), "tools"),
        (json!({"prompts": {"deny": ["*"]}}), "prompts"),
        (json!({"resources": ["*"]}), "resources"),
        (json!({"templates": ["*"]}), "templates"),
        (json!({"required": true}), "required"),
        (
            json!({"callTimeout": "1s", "startupTimeout": "1s"}),
            "startupTimeout, callTimeout",
        ),
        (json!({"maxConcurrentCalls": 1}), "maxConcurrentCalls"),
        (json!({"sharing": "exclusive"}), "sharing"),
        (json!({"replace": "stop-first"}), "replace"),
    ] {
        assert_eq!(
            plan(&entry(json!({})), &entry(further)),
            format!("server `a` changes ({key}), its connection stays")
        );
    }
}

#[test]
fn the_order_of_the_servers_is_a_change_of_its_own() {
    let (a, b) = (json!({"command": "x"}), json!({"command": "y"}));
    let old = servers(&json!({"a": a, "b": b}));
    assert_eq!(
        plan(&old, &servers(&json!({"b": b, "a": a}))),
        "the servers have another order"
    );
    let between = servers(&json!({"a": a, "c": a, "b": b}));
    assert_eq!(plan(&old, &between), "server `c` is added");
}

#[test]
fn settings_that_servers_inherit_change_them_too() {
    let server = json!({"a": {"command": "x"}, "b": {"command": "x", "callTimeout": "9s"}});
    let old = config(&server, &json!({}));
    let new = config(
        &server,
        &json!({"callTimeout": "1s", "listen": "127.0.0.1:1"}),
    );
    assert_eq!(
        plan(&old, &new),
        "server `a` changes (callTimeout), its connection stays\n\
         `mux.listen` changes when the mux is started the next time\n\
         `mux.callTimeout` changes"
    );
}

#[test]
fn scripts_read_the_plan_as_json() {
    let old = config(
        &json!({"a": {"command": "x"}, "b": {"command": "x"}}),
        &json!({}),
    );
    let new = config(&json!({"a": {"command": "y"}}), &json!({"grace": "1s"}));
    let told = serde_json::to_value(Plan::between(&old, &new)).unwrap();
    let servers = json!([
        {"name": "a", "change": "replaced", "keys": ["command"]}, {"name": "b", "change": "removed"},
    ]);
    let settings = json!([{"key": "grace", "when": "now"}]);
    assert_eq!(
        told,
        json!({"servers": servers, "reordered": false, "settings": settings})
    );
}
