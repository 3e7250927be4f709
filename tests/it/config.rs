//! Which configuration is read, and what of it wins.

use std::fs;

use serde_json::{Value, json};

use crate::support::{MuxTest, Ran};

/// A configuration with one server of this name, which is never reached.
fn with_server(name: &str) -> String {
    json!({"mcpServers": {name: {"command": "there-is-no-such-command"}}}).to_string()
}

/// The names of the servers that `list servers` told of.
fn servers(ran: &Ran) -> Vec<String> {
    assert_eq!(ran.code, 0, "{ran:?}");
    let told: Vec<Value> = serde_json::from_str(&ran.stdout).expect("JSON");
    told.iter()
        .map(|server| server["name"].as_str().expect("a name").to_owned())
        .collect()
}

const LIST: [&str; 3] = ["list", "servers", "--json"];

#[test]
fn without_a_flag_the_search_has_an_order() {
    let test = MuxTest::new();
    let home = test.dir().join("config_home/mcpmux");
    fs::create_dir_all(&home).expect("a directory");
    fs::write(home.join("config.json"), with_server("from_home")).expect("a file");
    assert_eq!(servers(&test.run_bare(&LIST)), ["from_home"]);
    fs::write(test.dir().join("mcp-config.json"), with_server("from_here")).expect("a file");
    assert_eq!(servers(&test.run_bare(&LIST)), ["from_here"]);
    fs::write(test.dir().join("named.json"), with_server("from_env")).expect("a file");
    let test = test.env("MCPMUX_CONFIG", "named.json");
    assert_eq!(servers(&test.run_bare(&LIST)), ["from_env"]);
    fs::write(test.dir().join("flag.json"), with_server("from_flag")).expect("a file");
    let flagged = [&LIST[..], &["--config", "flag.json"]].concat();
    assert_eq!(servers(&test.run_bare(&flagged)), ["from_flag"]);
}

#[test]
fn several_files_are_merged_in_order() {
    let test = MuxTest::new();
    let first = json!({"mcpServers": {
        "a": {"command": "old", "required": true},
        "b": {"command": "there-is-no-such-command"},
    }});
    let second = json!({"mcpServers": {"c": {"command": "there-is-no-such-command"}, "a": {"command": "there-is-no-such-command"}}});
    fs::write(test.dir().join("1.json"), first.to_string()).expect("a file");
    fs::write(test.dir().join("2.json"), second.to_string()).expect("a file");
    let both = [&LIST[..], &["--config", "1.json", "--config", "2.json"]].concat();
    assert_eq!(servers(&test.run_bare(&both)), ["a", "b", "c"]);
}

#[test]
fn toml_says_the_same() {
    let test = MuxTest::new();
    let config = "[mcpServers.zeta]\ncommand = \"there-is-no-such-command\"\n\n[mcpServers.alpha]\nurl = \"http://127.0.0.1:1/mcp\"\n";
    fs::write(test.dir().join("mux.toml"), config).expect("a file");
    let listed = [&LIST[..], &["--config", "mux.toml"]].concat();
    assert_eq!(servers(&test.run_bare(&listed)), ["zeta", "alpha"]);
}

#[test]
fn an_address_that_is_taken_is_told() {
    let taken = MuxTest::new().start();
    let ran = MuxTest::new().run(&["serve", "--http", &taken.addr().to_string()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(
        ran.stderr.contains("error: ") && ran.stderr.contains(&taken.addr().to_string()),
        "{ran:?}"
    );
}

#[test]
fn every_value_is_told_with_its_place() {
    let test = MuxTest::new()
        .env("T0KEN", "s3cret")
        .env("MCPMUX_GRACE", "9s")
        .env("MCPMUX_CALL_TIMEOUT", "8s")
        .config("{ \"mux\": { \"include\": [\"parts/*.json\"] } }");
    fs::create_dir(test.dir().join("parts")).expect("a folder");
    fs::write(test.dir().join("parts/own.env"), "\nONE=s3cret\n").expect("a file");
    let part = "{ \"mcpServers\": { \"a\": { \"envFile\": \"own.env\",\n\"url\": \"http://127.0.0.1:1/mcp\",\n\"headers\": { \"X\": \"${T0KEN}\", \"Y\": \"l1teral\" } } } }";
    fs::write(test.dir().join("parts/a.json"), part).expect("a file");
    let explain = ["check", "--offline", "--explain", "--json"];
    let ran = test.run(&[&explain[..], &["--log-level", "error"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let from = |key: &str| {
        let lines = told["explained"].as_array().expect("the values");
        let line = lines
            .iter()
            .find(|line| line["key"] == key)
            .expect("a value");
        let folder = test.dir().display().to_string();
        let from = line["from"].as_str().expect("a place").replace(&folder, "");
        format!("{} {from}", line["value"].as_str().expect("a value"))
    };
    assert_eq!(from("mux.include"), "parts/*.json /mcp.json:1");
    assert_eq!(from("mux.startupTimeout"), "30s default");
    assert_eq!(from("mux.grace"), "9s environment variable MCPMUX_GRACE");
    assert_eq!(from("mux.logLevel"), "error --log-level");
    assert_eq!(from("mcpServers.a.prefix"), "a default");
    assert_eq!(
        from("mcpServers.a.callTimeout"),
        "8s environment variable MCPMUX_CALL_TIMEOUT"
    );
    assert_eq!(
        from("mcpServers.a.url"),
        "http://127.0.0.1:1/… /parts/a.json:2"
    );
    assert_eq!(from("mcpServers.a.headers.X"), "${T0KEN} /parts/a.json:3");
    assert_eq!(from("mcpServers.a.envFile.ONE"), "*** /parts/own.env:2");
    assert_eq!(from("mcpServers.a.headers.Y"), "*** /parts/a.json:3");
    assert!(!format!("{ran:?}").contains("s3cret"), "{ran:?}");
}
