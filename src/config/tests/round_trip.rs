//! The same configuration in JSON and in TOML comes to the same, whether it is right or wrong.

use std::path::Path;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::{Config, Environment, Problem, ServerConfig, Settings, Sources};

/// What a configuration comes to, without places.
type Outcome = Result<(Settings, Vec<ServerConfig>, Vec<String>, Vec<String>), Vec<String>>;

/// The problems in an order of their own: TOML has tables behind plain values.
fn sorted(problems: impl Iterator<Item = Problem>) -> Vec<String> {
    let mut texts: Vec<String> = problems.map(|problem| problem.to_string()).collect();
    texts.sort();
    texts
}

fn load(name: &str, text: &str) -> Outcome {
    let variable = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let sources = Sources {
        env: Environment::new([("SET", "value"), ("NUMBER", "7")].map(variable)),
        cwd: "/nowhere".into(),
        home: Some("/home/somebody".into()),
        ..Sources::default()
    };
    match Config::from_text(Path::new(name), text, &sources) {
        Ok(config) => Ok((
            config.settings,
            config.servers.into_values().collect(),
            config.disabled.iter().map(ToString::to_string).collect(),
            sorted(config.warnings.into_iter().map(|warning| warning.problem)),
        )),
        Err(errors) => Err(sorted(errors.errors.into_iter().map(|error| error.problem))),
    }
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-z]{1,8}",
        "\\PC{0,6}",
        Just("${SET}".to_owned()),
        Just("${NUMBER}".to_owned()),
        Just("${UNSET:-default}".to_owned()),
        Just("~/x".to_owned()),
        Just("line\nline \"quoted\" 'too' \\ \t".to_owned()),
    ]
    .boxed()
}

fn duration() -> BoxedStrategy<Value> {
    let unit = prop_oneof![Just("ms"), Just("s"), Just("m"), Just("h")];
    prop_oneof![
        (1..9_u32, unit).prop_map(|(count, unit)| json!(format!("{count}{unit}"))),
        (0..90_u32).prop_map(|seconds| json!(seconds)),
        (0..90_u32).prop_map(|quarters| json!(f64::from(quarters) / 4.0)),
    ]
    .boxed()
}

fn count() -> BoxedStrategy<Value> {
    prop_oneof![
        (0..100_u32).prop_map(|count| json!(count)),
        Just(json!("${NUMBER}"))
    ]
    .boxed()
}

fn texts() -> BoxedStrategy<Value> {
    vec(text(), 0..4).prop_map(|texts| json!(texts)).boxed()
}

fn text_map() -> BoxedStrategy<Value> {
    btree_map("[A-Za-z_. ]{1,6}", text(), 0..3)
        .prop_map(|map| json!(map))
        .boxed()
}

fn word(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    proptest::sample::select(words)
        .prop_map(|word| json!(word))
        .boxed()
}

/// An object with some of the keys.
fn object(keys: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let member = |(key, value): (&'static str, BoxedStrategy<Value>)| {
        proptest::option::weighted(0.4, value).prop_map(move |value| (key, value))
    };
    keys.into_iter()
        .map(member)
        .collect::<Vec<_>>()
        .prop_map(|members| {
            let present = members
                .into_iter()
                .filter_map(|(key, value)| Some((key, value?)));
            present
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()
        })
        .boxed()
}

fn settings() -> BoxedStrategy<Value> {
    let health = object(vec![
        ("interval", duration()),
        ("unhealthyThreshold", count()),
    ]);
    object(vec![
        ("separator", text().prop_map(Value::from).boxed()),
        ("onConflict", word(&["first", "error", "suffix", "last"])),
        ("callTimeout", duration()),
        ("maxConcurrentCalls", count()),
        ("health", health),
        ("aliases", text_map()),
        ("allowedHosts", texts()),
        ("listen", word(&["localhost:1", "[::]:0", "x:1"])),
        ("unknown", count()),
    ])
}

fn entry() -> BoxedStrategy<Value> {
    let section = || {
        let long = object(vec![
            ("allow", texts()),
            ("deny", texts()),
            ("rename", text_map()),
            ("describe", text_map()),
        ]);
        prop_oneof![texts(), long].boxed()
    };
    let auth = object(vec![
        ("type", word(&["bearer", "basic"])),
        ("token", word(&["t"])),
    ]);
    object(vec![
        ("command", text().prop_map(Value::from).boxed()),
        ("args", texts()),
        ("env", text_map()),
        ("cwd", text().prop_map(Value::from).boxed()),
        (
            "url",
            word(&["http://x.example/", "wss://x.example", "nonsense"]),
        ),
        ("headers", text_map()),
        ("auth", auth),
        ("prefix", text().prop_map(Value::from).boxed()),
        ("aliases", texts()),
        ("tools", section()),
        ("prompts", section()),
        ("enabled", any::<bool>().prop_map(Value::from).boxed()),
        ("callTimeout", duration()),
        ("timeout", (0..5_000_u32).prop_map(Value::from).boxed()),
        ("sharing", word(&["auto", "exclusive", "none"])),
        ("replace", word(&["start-first", "stop-first", "none"])),
        ("required", any::<bool>().prop_map(Value::from).boxed()),
        ("comand", count()),
    ])
}

/// Entries with nothing wrong.
fn good_entry() -> BoxedStrategy<Value> {
    let name = || "[a-z]{1,8}".prop_map(Value::from).boxed();
    let names = || {
        vec("[a-z*]{1,4}", 0..3)
            .prop_map(|names| json!(names))
            .boxed()
    };
    let pairs = || {
        btree_map("[A-Za-z]{1,6}", "[ -z]{1,6}", 0..3)
            .prop_map(|map| json!(map))
            .boxed()
    };
    // Of one spelling: a header that is there twice in other letters is an error.
    let headers = || {
        btree_map("[A-Z][a-z]{0,5}", "[ -z]{1,6}", 0..3)
            .prop_map(|map| json!(map))
            .boxed()
    };
    let section = object(vec![
        ("allow", names()),
        ("deny", names()),
        ("rename", pairs()),
        ("describe", pairs()),
    ]);
    let reach = prop_oneof![
        ("[a-z~/.]{1,9}", pairs())
            .prop_map(|(command, env)| json!({ "command": command, "env": env })),
        headers().prop_map(|headers| json!({ "url": "wss://x.example/", "headers": headers })),
    ];
    let rest = object(vec![
        ("prefix", name()),
        ("aliases", names()),
        ("tools", prop_oneof![names(), section].boxed()),
        ("enabled", any::<bool>().prop_map(Value::from).boxed()),
        ("callTimeout", (1..900_u32).prop_map(Value::from).boxed()),
        ("sharing", word(&["auto", "exclusive", "per-client"])),
        ("replace", word(&["start-first", "stop-first"])),
        ("required", any::<bool>().prop_map(Value::from).boxed()),
    ]);
    let merge = |(reach, rest): (Value, Value)| {
        let members = [reach, rest]
            .into_iter()
            .filter_map(|part| part.as_object().cloned());
        members.flatten().collect::<Map<_, _>>().into()
    };
    (reach, rest).prop_map(merge).boxed()
}

fn configuration(
    settings: BoxedStrategy<Value>,
    name: &'static str,
    entry: BoxedStrategy<Value>,
) -> BoxedStrategy<Value> {
    (settings, vec((name, entry), 0..4))
        .prop_map(|(mux, servers)| {
            let servers: Map<String, Value> = servers.into_iter().collect();
            json!({ "mux": mux, "mcpServers": servers })
        })
        .boxed()
}

/// What the two syntaxes of a configuration come to.
fn both(configuration: &Value) -> (Outcome, Outcome) {
    let json = serde_json::to_string_pretty(configuration).unwrap();
    let toml = ::toml::to_string(configuration).unwrap();
    (load("x.json", &json), load("x.toml", &toml))
}

proptest! {
    #[test]
    fn any_json_and_toml_come_to_the_same(
        configuration in configuration(settings(), "[a-zA-Z.]{0,5}", entry()),
    ) {
        let (json, toml) = both(&configuration);
        prop_assert_eq!(json, toml);
    }

    #[test]
    fn good_json_and_toml_come_to_the_same(
        configuration in configuration(Just(json!({})).boxed(), "[a-zA-Z.]{1,5}", good_entry()),
    ) {
        let (json, toml) = both(&configuration);
        let (_, servers, disabled, warnings) = json.clone().map_err(|errors| TestCaseError::fail(errors.join("\n")))?;
        let entries = configuration["mcpServers"].as_object().unwrap().len();
        prop_assert_eq!((servers.len() + disabled.len(), warnings.len()), (entries, 0));
        prop_assert_eq!(json, toml);
    }

    #[test]
    fn any_text_comes_to_a_configuration_or_to_errors(text in ".{0,60}") {
        for name in ["x.json", "x.toml"] {
            if let Err(problems) = load(name, &text) {
                prop_assert!(!problems.is_empty());
            }
        }
    }
}
