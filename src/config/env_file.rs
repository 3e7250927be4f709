//! `envFile`: lines of `NAME=value`.
//!
//! Blank lines and lines that begin with `#` are skipped, `export ` before a name too. A value in
//! single quotes stands as it is; in double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are
//! escapes; without quotes it ends at ` #`. Nothing is filled in.

use std::path::Path;

use indexmap::IndexMap;

use super::error::Problem;
use super::expand::is_variable_name;
use super::small_file::read_small;

/// A variable of a file. No `Debug`: it may be a secret.
#[derive(PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) value: String,
    /// Its line, from 1.
    pub(crate) line: usize,
}

/// The variables of a file, in its order; a name that comes again has its last value.
pub(crate) fn load(path: &Path) -> Result<IndexMap<String, Variable>, Problem> {
    let text = read_small(path)?;
    parse(&text).map_err(|line| Problem::EnvFileLine {
        path: path.to_owned(),
        line,
    })
}

/// Fails with the number of the first line that is none.
fn parse(text: &str) -> Result<IndexMap<String, Variable>, usize> {
    let mut variables = IndexMap::new();
    for (index, line) in text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .lines()
        .enumerate()
    {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = variable(line).ok_or(index + 1)?;
        let line = index + 1;
        variables.insert(name.to_owned(), Variable { value, line });
    }
    Ok(variables)
}

fn variable(line: &str) -> Option<(&str, String)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let value = value.trim();
    let value = match value.chars().next() {
        Some('\'') => quoted(value, '\'')?,
        Some('"') => quoted(value, '"')?,
        _ => bare(value).to_owned(),
    };
    is_variable_name(name).then_some((name, value))
}

fn bare(value: &str) -> &str {
    if value.starts_with('#') {
        return "";
    }
    value
        .split_once(" #")
        .map_or(value, |(value, _)| value.trim_end())
}

/// A quoted value; behind the closing quote only a comment may stand.
fn quoted(value: &str, quote: char) -> Option<String> {
    let mut text = String::new();
    let mut chars = value.get(1..)?.chars();
    loop {
        match chars.next()? {
            c if c == quote => break,
            '\\' if quote == '"' => text.push_str(&escape(chars.next()?)),
            c => text.push(c),
        }
    }
    let rest = chars.as_str().trim_start();
    (rest.is_empty() || rest.starts_with('#')).then_some(text)
}

fn escape(c: char) -> String {
    match c {
        'n' => "\n".into(),
        'r' => "\r".into(),
        't' => "\t".into(),
        '"' | '\\' | '$' => c.into(),
        other => format!("\\{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> Option<String> {
        let found = parse(&format!("NAME={line}")).ok()?.swap_remove("NAME");
        Some(found?.value)
    }

    #[test]
    fn values_are_read() {
        let written = [
            "a b",
            "",
            "a # b",
            "a#b",
            "# b",
            "'a # $x \\n'",
            "\"a\\n\\\"\\$\\q\" # b",
            "a=b",
        ];
        let read = ["a b", "", "a", "a#b", "", "a # $x \\n", "a\n\"$\\q", "a=b"];
        assert_eq!(written.map(value), read.map(|text| Some(text.to_owned())));
    }

    #[test]
    fn lines_are_read_in_order() {
        let file = "\u{feff}# first\r\n\r\nB = 1\r\nexport A=2\n_x9=3\nB=4";
        let read = parse(file).unwrap();
        let shown = |(name, variable): (&String, &Variable)| {
            format!("{name}={} {}", variable.value, variable.line)
        };
        let read: Vec<String> = read.iter().map(shown).collect();
        assert_eq!(read, ["B=4 6", "A=2 4", "_x9=3 5"]);
    }

    #[test]
    fn a_line_that_is_none_is_named_by_its_number() {
        for line in [
            "A",
            "=1",
            "1A=1",
            "A B=1",
            "A='x",
            "A=\"x",
            "A=\"x\" y",
            "A=\"x\\",
        ] {
            let failed = parse(&format!("OK=1\n\n{line}")).err();
            assert_eq!(failed, Some(3), "{line}");
        }
    }
}
