//! The reference of all keys as Markdown tables, for the README.

use std::fmt::Write;

use super::keys::{Key, Preset, SERVER, Setting, Shape};
use super::quantity::{show_duration, show_size};
use super::server_keys::{AUTH, SECTION, TLS};

/// Five tables: the settings, the keys of a server entry, of `auth`, of `tls`, and of a section of rules.
pub fn reference_markdown() -> String {
    let mut text = String::from(
        "### Settings (`mux`)\n\n| key | value | default | environment | meaning |\n\
         |-----|-------|---------|-------------|---------|\n",
    );
    for setting in Setting::all() {
        let path = setting.path.join(".");
        let key = setting.key;
        row(
            &mut text,
            &path,
            key,
            &format!(" `{}` |", setting.variable()),
        );
    }
    let tables = [
        ("Server entry (`mcpServers.NAME`)", SERVER),
        ("`auth`", AUTH),
        ("`tls`", TLS),
        ("`tools`, `resources`, `templates`, `prompts`", SECTION),
    ];
    for (title, keys) in tables {
        let head = "| key | value | default | meaning |\n|-----|-------|---------|---------|\n";
        // Writing to a string cannot fail.
        let _ = write!(text, "\n### {title}\n\n{head}");
        for key in keys {
            row(&mut text, key.name, key, "");
        }
    }
    text
}

fn row(text: &mut String, path: &str, key: &Key, variable: &str) {
    let default = match key.default {
        Preset::Absent => String::new(),
        Preset::Value(value) => format!("`{value}`"),
        Preset::Said(words) => words.to_owned(),
    };
    let value = value_of(&key.shape);
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "| `{path}` | {value} | {default} |{variable} {} |",
        key.doc
    );
}

fn value_of(shape: &Shape) -> String {
    match shape {
        Shape::Text | Shape::Name => "string".into(),
        Shape::Path => "path".into(),
        Shape::TextOrNull => "string or `null`".into(),
        Shape::Flag => "`true` or `false`".into(),
        Shape::Count(min, max) => format!("number, {min} to {max}"),
        Shape::Time(min, max) => {
            format!(
                "duration, {} to {}",
                show_duration(*min),
                show_duration(*max)
            )
        }
        Shape::Size(min, max) => format!("size, {} to {}", show_size(*min), show_size(*max)),
        Shape::Word(words) => words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", "),
        Shape::Listen => "`IP:PORT`, `localhost:PORT`, port or `unix:PATH`".into(),
        Shape::Mode => "octal digits in a string".into(),
        Shape::List(_) => "array of strings".into(),
        Shape::Map(_) => "object of strings".into(),
        Shape::Object(_) => "object, see below".into(),
        Shape::Section(_) => "object, see below, or array = `allow`".into(),
        Shape::Foreign => "number or duration".into(),
    }
}
