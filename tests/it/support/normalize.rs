//! What differs between two runs, out of texts that are compared whole.

use std::path::Path;

/// Replaces the directory by `[DIR]`, loopback ports by `[PORT]` and durations by `[TIME]`.
pub(crate) fn normalize(text: &str, dir: &Path) -> String {
    let text = text.replace(&dir.display().to_string(), "[DIR]");
    let text = ports(&text);
    durations(&text)
}

fn ports(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out += "127.0.0.1:[PORT]";
        out += part.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out
}

/// A number directly before ` ms`, `ms`, ` s` or `s` at the end of a word.
fn durations(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let in_word = rest[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let number = &rest[start..];
        let length = number
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(number.len());
        let after = &number[length..];
        out += &rest[..start];
        if let Some(unit) = unit(after).filter(|_| !in_word) {
            out += "[TIME]";
            rest = &after[unit..];
        } else {
            out += &number[..length];
            rest = after;
        }
    }
    out + rest
}

/// The length of a unit of time that ends a word here.
fn unit(text: &str) -> Option<usize> {
    ["ms", " ms", "s", " s"].into_iter().find_map(|unit| {
        let rest = text.strip_prefix(unit)?;
        (!rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')).then_some(unit.len())
    })
}
