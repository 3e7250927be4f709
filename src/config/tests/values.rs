//! Values from beside files and variables.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::super::{
    Config, ConfigErrors, Environment, Outside, Question, Secret, Sources, TransportConfig, Typed,
};

/// Knows some answers, and remembers what it was asked.
#[derive(Default)]
struct Known(Mutex<Vec<String>>);

impl Known {
    fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn heard(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }
}

impl Outside for Known {
    fn command(&self, line: &str, variables: &[(&str, &str)]) -> Result<Secret, String> {
        let told: Vec<_> = variables.iter().map(|(_, value)| *value).collect();
        self.heard(
            ["run", line]
                .into_iter()
                .chain(told)
                .collect::<Vec<_>>()
                .join(" "),
        );
        match line {
            "headers" => Ok(Secret::new(
                r#"{ "X-A": "s3cret-${A}", "x-b": "s3cret-b" }"#,
            )),
            "words" => Ok(Secret::new("s3cret")),
            "fail" => Err("it ended with exit code 1".into()),
            line => Ok(Secret::new(format!("s3cret of {line}\n"))),
        }
    }

    fn keychain(&self, service: &str, account: &str) -> Result<Option<Secret>, String> {
        self.heard(format!("{service} of {account}"));
        match service {
            "locked" => Err("it is locked".into()),
            "empty" => Ok(None),
            _ => Ok(Some(Secret::new("s3cret of the keychain"))),
        }
    }

    fn ask(&self, question: &Question<'_>) -> Option<Secret> {
        let hidden = question.typed == Typed::Hidden;
        self.heard(format!("ask {} {hidden} {}", question.id, question.text));
        match question.id {
            "silent" => None,
            "empty" => Some(Secret::new("")),
            id => Some(Secret::new(format!("s3cret of {id}"))),
        }
    }
}

fn load(
    known: &Arc<Known>,
    text: &str,
    variables: &[(&str, &str)],
) -> Result<Config, ConfigErrors> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let sources = Sources {
        env: Environment::new(variables.iter().map(owned)),
        outside: Some(Arc::<Known>::clone(known)),
        ..Sources::default()
    };
    Config::from_text(Path::new("mcp.json"), text, &sources)
}

/// The arguments of the server `a`.
fn arguments(config: &Config) -> Vec<String> {
    match &config.servers["a"].transport {
        TransportConfig::Child(child) => child.args.clone(),
        other => panic!("{other:?}"),
    }
}

fn with_commands(setting: &str, args: &str) -> String {
    format!(
        r#"{{ "mux": {{ {setting} }}, "mcpServers": {{ "a": {{ "command": "a", "args": {args} }},
            "off": {{ "command": "a", "args": ["${{cmd:never}}"], "enabled": false }} }} }}"#
    )
}

#[test]
fn commands_run_only_where_they_are_allowed() {
    let known = Arc::default();
    let args = r#"["x ${cmd:op read ${X}/y}"]"#;
    let refused = load(&known, &with_commands("", args), &[]).unwrap_err();
    assert_eq!(
        refused.errors[0].to_string().lines().next(),
        Some("error: commands are not allowed, as in `${cmd:…}`")
    );
    assert_eq!(known.asked(), [""; 0]);
    let allowed = with_commands("\"allowCommands\": true", args);
    let config = load(&known, &allowed, &[]).unwrap();
    assert_eq!(arguments(&config), ["x s3cret of op read ${X}/y"]);
    assert_eq!(known.asked(), ["run op read ${X}/y"]);
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn the_environment_beats_the_file_in_that_too() {
    let known = Arc::default();
    let args = r#"["${cmd:x}"]"#;
    let allowed = with_commands("\"allowCommands\": true", args);
    assert!(load(&known, &allowed, &[("MCPMUX_ALLOW_COMMANDS", "false")]).is_err());
    let silent = with_commands("", args);
    assert!(load(&known, &silent, &[("MCPMUX_ALLOW_COMMANDS", "true")]).is_ok());
}

#[test]
fn a_command_that_fails_is_told_without_the_command() {
    let text = with_commands("\"allowCommands\": true", r#"["${cmd:fail}"]"#);
    let errors = load(&Arc::default(), &text, &[]).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "error: the command of a `${cmd:…}` failed: it ended with exit code 1\n  \
         at mcp.json:1 (mcpServers.a.args[0])"
    );
}

#[test]
fn the_keychain_is_asked_for_an_account_of_a_service() {
    let known = Arc::default();
    let text = with_commands("", r#"["${keychain:mcp/me/at/work}"]"#);
    let config = load(&known, &text, &[]).unwrap();
    assert_eq!(arguments(&config), ["s3cret of the keychain"]);
    assert_eq!(known.asked(), ["mcp of me/at/work"]);
    let args =
        r#"["${keychain:locked/a}", "${keychain:empty/a}", "${keychain:a}", "${keychain:/a}"]"#;
    let errors = load(&known, &with_commands("", args), &[])
        .unwrap_err()
        .errors;
    let told: Vec<String> = errors
        .iter()
        .map(|error| error.problem.to_string())
        .collect();
    assert_eq!(
        told,
        [
            "the keychain has no value for `locked/a`: it is locked",
            "the keychain has no value for `empty/a`: it has no such entry",
            "`${keychain:a}` is not understood",
            "`${keychain:/a}` is not understood",
        ]
    );
}

fn asking(args: &str) -> String {
    format!(
        r#"{{ "inputs": [
            {{ "type": "promptString", "id": "api-key", "description": "The key", "password": true }},
            {{ "type": "promptString", "id": "silent", "description": "?" }},
            {{ "type": "promptString", "id": "empty", "default": "d" }},
            {{ "type": "pickString", "id": "region", "options": ["eu", "us"] }}
        ], "servers": {{ "a": {{ "command": "a", "args": {args} }} }} }}"#
    )
}

#[test]
fn an_input_is_a_variable_or_else_an_answer_or_else_the_default() {
    let known = Arc::default();
    let text = asking(r#"["${input:api-key}", "${input:empty}", "${input:region}"]"#);
    let config = load(&known, &text, &[("REGION", "us")]).unwrap();
    assert_eq!(arguments(&config), ["s3cret of api-key", "d", "us"]);
    assert_eq!(
        known.asked(),
        ["ask api-key true The key", "ask empty false "]
    );
    let set = [("API_KEY", "k"), ("empty", "e"), ("REGION", "eu")];
    let config = load(&Arc::default(), &text, &set).unwrap();
    assert_eq!(arguments(&config), ["k", "e", "eu"]);
}

#[test]
fn an_input_without_a_value_is_told() {
    let text = asking(r#"["${input:silent}", "${input:region}", "${input:other}"]"#);
    let errors = load(&Arc::default(), &text, &[]).unwrap_err().errors;
    let told: Vec<String> = errors
        .iter()
        .map(|error| error.problem.to_string())
        .collect();
    assert_eq!(
        told,
        [
            "input `silent` has no value",
            "the value for input `region` must be `eu` or `us`",
            "no input `other` is declared in this file",
        ]
    );
}

#[test]
fn a_login_in_a_url_becomes_a_header() {
    let text = r#"{ "mcpServers": {
        "a": { "url": "https://me:p%40ss@x.example/mcp?a=1" },
        "b": { "url": "https://me@x.example/mcp", "headers": { "authorization": "mine" } }
    } }"#;
    let config = load(&Arc::default(), text, &[]).unwrap();
    let reached = |name: &str| match &config.servers[name].transport {
        TransportConfig::Http(http) => {
            let headers = http
                .headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.expose()));
            (http.url.clone(), headers.collect::<Vec<_>>())
        }
        other => panic!("{other:?}"),
    };
    let header = "Authorization: Basic bWU6cEBzcw==".to_owned();
    assert_eq!(
        reached("a"),
        ("https://x.example/mcp?a=1".into(), vec![header])
    );
    assert_eq!(
        reached("b"),
        (
            "https://x.example/mcp".into(),
            vec!["authorization: mine".into()]
        )
    );
}

/// The headers of the server `a`, with their values.
fn headers(config: &Config) -> Vec<String> {
    match &config.servers["a"].transport {
        TransportConfig::Http(http) => {
            let header = |(name, value): &(String, Secret)| format!("{name}: {}", value.expose());
            http.headers.iter().map(header).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn helped(setting: &str, helper: &str) -> String {
    format!(
        r#"{{ "mux": {{ {setting} }}, "mcpServers": {{ "a": {{ "url": "http://${{HOST}}/mcp", "headersHelper": "{helper}",
            "headers": {{ "X-B": "b", "X-C": "c" }} }} }} }}"#
    )
}

#[test]
fn a_helper_adds_headers_that_are_stronger() {
    let known = Arc::default();
    let text = helped(r#""allowCommands": true"#, "headers");
    let config = load(&known, &text, &[("HOST", "h"), ("A", "no")]).unwrap();
    assert_eq!(known.asked(), ["run headers a http://h/mcp"]);
    assert_eq!(
        headers(&config),
        ["X-C: c", "X-A: s3cret-${A}", "x-b: s3cret-b"]
    );
    let explained = config.explained_servers.iter();
    let shown = explained
        .map(|line| &line.value)
        .filter(|value| value.contains("s3cret"));
    assert_eq!(shown.count(), 0);
}

#[test]
fn a_helper_runs_only_where_commands_may() {
    let known = Arc::default();
    let config = load(&known, &helped("", "headers"), &[("HOST", "h")]).unwrap();
    assert_eq!(headers(&config), ["X-B: b", "X-C: c"]);
    assert_eq!(known.asked(), [""; 0]);
    let told = config.warnings[0].to_string();
    assert!(
        told.contains("`headersHelper` are left out: commands are off"),
        "{told}"
    );
}

#[test]
fn a_helper_that_fails_is_told_without_what_it_printed() {
    for (helper, why) in [
        ("fail", "it ended with exit code 1"),
        (
            "words",
            "it printed something else than a JSON object of strings",
        ),
    ] {
        let text = helped(r#""allowCommands": true"#, helper);
        let errors = load(&Arc::default(), &text, &[("HOST", "h")]).unwrap_err();
        let told = errors.to_string();
        assert!(
            told.starts_with(&format!("error: `headersHelper` failed: {why}\n")),
            "{told}"
        );
        assert!(!told.contains("s3cret"), "{told}");
    }
}
