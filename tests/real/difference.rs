//! Where two JSON values part.

use serde_json::Value;

/// Longest text of one side.
const LONGEST: usize = 240;

/// The first place where the values differ, with what stands there; `None` if they are equal.
/// The order of members does not count: clients keep none.
pub(crate) fn difference(expected: &Value, got: &Value) -> Option<String> {
    walk("", expected, got)
}

fn walk(path: &str, expected: &Value, got: &Value) -> Option<String> {
    match (expected, got) {
        (Value::Object(left), Value::Object(right)) => {
            let inner = |key: &str| format!("{path}.{key}");
            let gone = left.iter().find(|(key, _)| !right.contains_key(*key));
            if let Some((key, value)) = gone {
                return Some(format!(
                    "{} is missing, expected {}",
                    inner(key),
                    short(value)
                ));
            }
            let new = right.iter().find(|(key, _)| !left.contains_key(*key));
            if let Some((key, value)) = new {
                return Some(format!("{} was not expected: {}", inner(key), short(value)));
            }
            left.iter()
                .find_map(|(key, value)| walk(&inner(key), value, &right[key]))
        }
        (Value::Array(left), Value::Array(right)) => {
            let mut pairs = left.iter().zip(right).enumerate();
            let inner =
                pairs.find_map(|(at, (left, right))| walk(&format!("{path}[{at}]"), left, right));
            let (wanted, had) = (left.len(), right.len());
            let length = || format!("{path}: expected {wanted} items, got {had}");
            inner.or_else(|| (wanted != had).then(length))
        }
        _ if expected == got => None,
        _ => Some(format!(
            "{path}: expected {}, got {}",
            short(expected),
            short(got)
        )),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}
