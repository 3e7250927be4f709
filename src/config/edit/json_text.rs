//! Values → JSON text in the layout of their surroundings.

use serde_json::Value;

use super::bracket::{Layout, Spread};

/// An array of plain values that is longer than this gets a line for each.
const WIDEST: usize = 80;

/// A member of an object.
pub(super) fn member(key: &str, value: &Value, layout: &Layout) -> String {
    format!("{}: {}", Value::from(key), text(value, layout))
}

/// A value whose own line has the layout's indentation.
pub(super) fn text(value: &Value, layout: &Layout) -> String {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let deeper = layout.deeper();
            let members = map.iter().map(|(key, value)| member(key, value, &deeper));
            enclosed(["{", "}"], &members.collect::<Vec<_>>(), layout)
        }
        Value::Array(list) if !list.is_empty() => array(list, layout),
        plain => plain.to_string(),
    }
}

fn array(list: &[Value], layout: &Layout) -> String {
    let on_line = Layout {
        spread: Spread::OneLine,
        ..layout.clone()
    };
    let has_objects = list
        .iter()
        .any(|value| value.is_object() || value.is_array());
    let short = || -> Vec<String> { list.iter().map(|value| text(value, &on_line)).collect() };
    if layout.spread == Spread::OneLine || !has_objects {
        let line = enclosed(["[", "]"], &short(), &on_line);
        if layout.spread == Spread::OneLine || line.len() <= WIDEST {
            return line;
        }
    }
    let deeper = layout.deeper();
    let items: Vec<_> = list.iter().map(|value| text(value, &deeper)).collect();
    enclosed(["[", "]"], &items, layout)
}

fn enclosed([open, close]: [&str; 2], items: &[String], layout: &Layout) -> String {
    if layout.spread == Spread::OneLine {
        return format!("{open}{}{close}", items.join(", "));
    }
    let line = format!("{}{}{}", layout.newline, layout.indent, layout.unit);
    let items = items.join(&format!(",{line}"));
    format!(
        "{open}{line}{items}{}{}{close}",
        layout.newline, layout.indent
    )
}
