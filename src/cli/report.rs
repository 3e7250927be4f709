//! Errors, warnings and hints as the terminal shows them.

use std::io::Write;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::style::{Paint, Style};
use crate::config::{Origin, Place};
use crate::printable;

/// One thing that is wrong, with the place where it is and what to do about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What is wrong: lower case, names in backticks, no full stop.
    pub(crate) what: String,
    /// Where it was written, if it was.
    pub(crate) place: Option<Place>,
    /// What to do.
    pub(crate) hint: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The command failed because of it.
    Error,
    /// The command went on.
    Warning,
}

impl Finding {
    /// A finding without a place.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            ..Self::default()
        }
    }

    /// Says where it was written.
    #[must_use]
    pub(crate) fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The finding as lines, each with its line end.
    pub(crate) fn render(&self, severity: Severity, style: Style) -> String {
        let head = match severity {
            Severity::Error => style.paint(Paint::Bad, "error:"),
            Severity::Warning => style.paint(Paint::Doubtful, "warning:"),
        };
        let mut text = format!("{head} {}\n", printable::line(&self.what));
        if let Some(place) = &self.place {
            text.extend(["  at ", &printable::line(&place.to_string()), "\n"]);
        }
        if let Some(hint) = &self.hint {
            let head = style.paint(Paint::Faint, "hint:");
            text.extend(["  ", &head, " ", &printable::line(hint), "\n"]);
        }
        text
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("message", &self.what)?;
        if let Some(place) = &self.place {
            match &place.origin {
                Origin::File(path) => map.serialize_entry("file", path)?,
                Origin::Environment(name) => map.serialize_entry("variable", name)?,
                Origin::Flag(name) => map.serialize_entry("flag", name)?,
                Origin::Default => {}
            }
            if place.line > 0 {
                map.serialize_entry("line", &place.line)?;
                map.serialize_entry("column", &place.column)?;
            }
            if !place.key_path.is_empty() {
                map.serialize_entry("keyPath", &place.key_path)?;
            }
        }
        if let Some(hint) = &self.hint {
            map.serialize_entry("hint", hint)?;
        }
        map.end()
    }
}

/// Prints findings on stderr.
pub(crate) fn print(findings: &[Finding], severity: Severity) {
    let style = Style::of_stderr();
    let text: String = findings
        .iter()
        .map(|finding| finding.render(severity, style))
        .collect();
    to_stderr(&text);
}

/// Writes to stderr. A reader that went away is no reason to fail.
pub(crate) fn to_stderr(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Several things as a person writes them: `a`, `b` and `c`.
pub(crate) fn ticked<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    let ticked: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match ticked.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A number and what it counts: `1 tool`, `2 tools`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn finding() -> Finding {
        let place = Place {
            origin: Origin::File(Path::new("mcp.json").into()),
            line: 7,
            column: 19,
            key_path: "mcpServers.github.command".into(),
        };
        Finding::new("command `npx\u{1b}[2J` was not found")
            .at(Some(place))
            .hint("install Node.js, or give the full path of the command")
    }

    #[test]
    fn an_error_has_three_lines() {
        assert_eq!(
            finding().render(Severity::Error, Style::Plain),
            "error: command `npx[2J` was not found\n\
             \x20 at mcp.json:7 (mcpServers.github.command)\n\
             \x20 hint: install Node.js, or give the full path of the command\n"
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let bare = Finding::new("it broke");
        assert_eq!(
            bare.render(Severity::Warning, Style::Plain),
            "warning: it broke\n"
        );
        assert_eq!(
            serde_json::to_string(&bare).unwrap(),
            r#"{"message":"it broke"}"#
        );
    }

    #[test]
    fn json_has_the_same_parts() {
        let finding = Finding {
            what: "w".into(),
            ..finding()
        };
        assert_eq!(
            serde_json::to_string(&finding).unwrap(),
            r#"{"message":"w","file":"mcp.json","line":7,"column":19,"keyPath":"mcpServers.github.command","hint":"install Node.js, or give the full path of the command"}"#
        );
    }

    #[test]
    fn lists_read_like_sentences() {
        assert_eq!(ticked(["a"]), "`a`");
        assert_eq!(ticked(["a", "b"]), "`a` and `b`");
        assert_eq!(ticked(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
