//! Values → TOML text.

use serde_json::Value;
use toml_edit::Key;

/// One `key = value`.
pub(super) fn pair(key: &str, value: &Value) -> String {
    format!("{} = {}", self::key(key), text(value))
}

/// A key, quoted where it must be.
pub(super) fn key(key: &str) -> String {
    Key::new(key).to_string()
}

/// Keys with dots between, as in a header.
pub(super) fn path<'a>(keys: impl IntoIterator<Item = &'a String>) -> String {
    let keys: Vec<String> = keys.into_iter().map(|part| key(part)).collect();
    keys.join(".")
}

/// A value on one line. There is no null in TOML: members that are null are left out.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(text).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let members = map.iter().filter(|(_, value)| !value.is_null());
            let members: Vec<String> = members.map(|(key, value)| pair(key, value)).collect();
            if members.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", members.join(", "))
            }
        }
    }
}

/// A basic string: unlike the other forms it takes every text on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => quoted.extend(["\\u", &format!("{:04X}", u32::from(c))]),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
