//! Files against the schema: a validator for as much of JSON Schema as the schema uses.
//!
//! `pattern` is left out: what a text must look like is tested where it is read.

use serde_json::{Map, Value, json};

use super::super::Config;
use super::super::error::Findings;
use super::super::file;
use super::super::tree::{self, Node};
use super::fixtures::{fixtures, folder};

fn is_valid(value: &Value, schema: &Value, root: &Value) -> bool {
    let Some(schema) = schema.as_object() else {
        return schema == &Value::Bool(true);
    };
    let known = [
        "$schema",
        "$defs",
        "title",
        "description",
        "default",
        "pattern",
        "type",
        "enum",
        "const",
        "anyOf",
        "$ref",
        "minLength",
        "minimum",
        "maximum",
        "items",
        "required",
        "properties",
        "additionalProperties",
        "propertyNames",
    ];
    for keyword in schema.keys() {
        assert!(
            known.contains(&keyword.as_str()),
            "the validator does not know {keyword}"
        );
    }
    let all = |keyword: &str, holds: &dyn Fn(&Value) -> bool| schema.get(keyword).is_none_or(holds);
    let number = value.as_f64();
    all("type", &|types| is_of_type(value, types))
        && all("enum", &|words| words.as_array().unwrap().contains(value))
        && all("const", &|wanted| wanted == value)
        && all("anyOf", &|any| {
            any.as_array()
                .unwrap()
                .iter()
                .any(|s| is_valid(value, s, root))
        })
        && all("$ref", &|_| is_valid(value, &root["$defs"]["server"], root))
        && all("minLength", &|_| value.as_str() != Some(""))
        && all("minimum", &|min| {
            number.is_none_or(|n| n >= min.as_f64().unwrap())
        })
        && all("maximum", &|max| {
            number.is_none_or(|n| n <= max.as_f64().unwrap())
        })
        && all("items", &|s| {
            value
                .as_array()
                .into_iter()
                .flatten()
                .all(|v| is_valid(v, s, root))
        })
        && value
            .as_object()
            .is_none_or(|object| is_valid_object(object, schema, root))
}

fn is_of_type(value: &Value, types: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("{other} is no type"),
    };
    types
        .as_array()
        .map_or_else(|| is(types), |types| types.iter().any(is))
}

fn is_valid_object(object: &Map<String, Value>, schema: &Map<String, Value>, root: &Value) -> bool {
    let names = schema.get("propertyNames");
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let others = schema
        .get("additionalProperties")
        .unwrap_or(&Value::Bool(true));
    let member = |(key, value): (&String, &Value)| {
        let schema = schema
            .get("properties")
            .and_then(|p| p.get(key))
            .unwrap_or(others);
        names.is_none_or(|names| is_valid(&json!(key), names, root))
            && is_valid(value, schema, root)
    };
    required
        .into_iter()
        .all(|key| object.contains_key(key.as_str().unwrap()))
        && object.iter().all(member)
}

fn plain(node: &Node) -> Value {
    match &node.value {
        tree::Value::Null => Value::Null,
        tree::Value::Bool(flag) => json!(flag),
        tree::Value::Number(digits) => serde_json::from_str(digits).unwrap(),
        tree::Value::Text(text) => json!(text.text),
        tree::Value::List(list) => list.iter().map(plain).collect(),
        tree::Value::Map(map) => map
            .iter()
            .map(|(key, node)| (key.clone(), plain(node)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

fn says(text: &str) -> bool {
    let mut findings = Findings::default();
    let root = file::parse("x.json".as_ref(), text, &mut findings).unwrap();
    let schema = Config::schema();
    is_valid(&plain(&root), &schema, &schema)
}

#[test]
fn valid_files_are_valid_by_the_schema() {
    // Null stands for a key that is not given, which the schema does not offer; files of other
    // programs may leave ours the wrong way.
    let not_offered = [
        "disabled.json",
        "foreign.json",
        "quantities.json",
        "rules.json",
    ];
    let mut checked = 0;
    for fixture in fixtures(&folder("valid")) {
        let name = fixture.file_name().unwrap().to_str().unwrap().to_owned();
        if fixture.is_dir() || not_offered.contains(&name.as_str()) {
            continue;
        }
        let mut findings = Findings::default();
        let root = file::parse(
            &fixture,
            &std::fs::read_to_string(&fixture).unwrap(),
            &mut findings,
        )
        .unwrap();
        let schema = Config::schema();
        assert!(is_valid(&plain(&root), &schema, &schema), "{name}");
        checked += 1;
    }
    assert!(checked > 6, "{checked} files");
}

#[test]
fn the_schema_refuses_what_is_refused() {
    let refused = [
        r#"{ "mux": { "lisen": 1 } }"#,
        r#"{ "mux": { "health": { "timeot": 1 } } }"#,
        r#"{ "mux": { "maxNameLength": 1 } }"#,
        r#"{ "mux": { "separator": 5 } }"#,
        r#"{ "mux": { "callTimeout": -1 } }"#,
        r#"{ "mcpServers": [] }"#,
        r#"{ "mcpServers": { "": { "command": "a" } } }"#,
        r#"{ "mcpServers": { "a": {} } }"#,
        r#"{ "mcpServers": { "a": { "command": "" } } }"#,
        r#"{ "mcpServers": { "a": { "command": "a", "args": "x" } } }"#,
        r#"{ "mcpServers": { "a": { "command": "a", "tools": "x" } } }"#,
        r#"{ "mcpServers": { "a": { "command": "a", "required": 1 } } }"#,
    ];
    for text in refused {
        assert!(!says(text), "{text}");
    }
}

#[test]
fn the_schema_allows_what_is_allowed() {
    let allowed = [
        "{}",
        r#"{ "$schema": "x", "other": 1, "mux": { "listen": 8808, "callTimeout": 1.5 } }"#,
        r#"{ "mcpServers": { "a": { "command": "a", "x": 1, "tools": ["*"], "prefix": null } } }"#,
        r#"{ "mcpServers": { "a": { "url": "http://x", "required": "${X}", "sharing": "shared" } } }"#,
        r#"{ "mcpServers": { "a": { "enabled": false } } }"#,
        r#"{ "mcpServers": { "a": { "disabled": true } } }"#,
    ];
    for text in allowed {
        assert!(says(text), "{text}");
    }
}
