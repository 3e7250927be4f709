//! The JSON Schema (draft 2020-12) of the configuration, from the tables of keys.

use serde_json::{Map, Value, json};

use super::keys::{Key, Preset, SERVER, SETTINGS, Shape};
use super::load::Config;

/// What an object allows beside its keys.
#[derive(Clone, Copy)]
enum Others {
    Refused,
    Allowed,
}

impl Config {
    /// The JSON Schema of a configuration file. Other programs' keys are allowed at the top and in
    /// server entries, as they are when a file is read.
    pub fn schema() -> Value {
        let server = object(SERVER, Others::Allowed);
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "mcpmux configuration",
            "type": "object",
            "properties": {
                "mux": described(object(SETTINGS, Others::Refused), "What holds for the whole mux"),
                "mcpServers": {
                    "description": "The servers by their names; the order decides conflicts",
                    "type": "object",
                    "propertyNames": { "minLength": 1 },
                    "additionalProperties": { "$ref": "#/$defs/server" }
                }
            },
            "$defs": { "server": with_transport(server) }
        })
    }
}

/// A flag that switches the server off, or may do so when its variables are filled in.
fn off(value: bool) -> Value {
    json!({ "anyOf": [{ "const": value }, reference()] })
}

/// An enabled server must be reachable somehow.
fn with_transport(mut server: Value) -> Value {
    if let Value::Object(server) = &mut server {
        let one_of = json!([
            { "required": ["command"] },
            { "required": ["url"] },
            { "required": ["enabled"], "properties": { "enabled": off(false) } },
            { "required": ["disabled"], "properties": { "disabled": off(true) } }
        ]);
        server.insert("anyOf".into(), one_of);
    }
    server
}

fn object(keys: &[Key], others: Others) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key, others)))
        .collect();
    let additional = matches!(others, Others::Allowed);
    json!({ "type": "object", "properties": properties, "additionalProperties": additional })
}

fn property(key: &Key, others: Others) -> Value {
    let mut schema = described(shape(&key.shape, others), key.doc);
    if let (Preset::Value(default), Value::Object(schema)) = (&key.default, &mut schema) {
        let default = match key.shape {
            Shape::Count(..) | Shape::Flag => default.parse().unwrap_or_else(|_| json!(default)),
            _ => json!(default),
        };
        schema.insert("default".into(), default);
    }
    schema
}

fn described(mut schema: Value, doc: &str) -> Value {
    if let Value::Object(schema) = &mut schema {
        schema.insert("description".into(), json!(doc));
    }
    schema
}

fn shape(shape_of: &Shape, others: Others) -> Value {
    match shape_of {
        Shape::Text => json!({ "type": "string" }),
        Shape::Name | Shape::Path => json!({ "type": "string", "minLength": 1 }),
        Shape::TextOrNull => json!({ "type": ["string", "null"] }),
        Shape::Flag => or_reference(&json!({ "type": "boolean" })),
        Shape::Count(min, max) => {
            or_reference(&json!({ "type": "integer", "minimum": min, "maximum": max }))
        }
        Shape::Time(..) => json!({ "anyOf": [
            { "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$" },
            { "description": "Seconds", "type": "number", "minimum": 0 },
            reference()
        ] }),
        Shape::Size(min, max) => json!({ "anyOf": [
            { "type": "string", "pattern": "^[0-9]+ *([KMG]i?B|B)?$" },
            { "description": "Bytes", "type": "integer", "minimum": min, "maximum": max },
            reference()
        ] }),
        Shape::Word(words) => or_reference(&json!({ "enum": words })),
        Shape::Mode => or_reference(&json!({ "type": "string", "pattern": "^0?[0-7]{3}$" })),
        Shape::Listen => json!({ "anyOf": [
            { "type": "string" },
            { "description": "Port on 127.0.0.1", "type": "integer", "minimum": 0, "maximum": 65535 }
        ] }),
        Shape::List(element) => json!({ "type": "array", "items": shape(element, others) }),
        Shape::Map(member) => json!({
            "type": "object",
            "propertyNames": { "minLength": 1 },
            "additionalProperties": shape(member, others)
        }),
        Shape::Object(keys) => object(keys, others),
        Shape::Section(keys) => json!({ "anyOf": [
            shape(&Shape::List(&Shape::Name), others),
            object(keys, others)
        ] }),
        Shape::Foreign => json!({}),
    }
}

/// A string that becomes the value when its variables are filled in.
fn reference() -> Value {
    json!({ "type": "string", "pattern": "\\$\\{.*\\}" })
}

fn or_reference(schema: &Value) -> Value {
    json!({ "anyOf": [schema, reference()] })
}
