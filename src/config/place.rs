//! `Place`: where a value was written.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A configuration file, under the path that was given for it.
    File(Arc<Path>),
    /// An environment variable, by its name.
    Environment(Arc<str>),
    /// A command line flag, by its name with the dashes.
    Flag(Arc<str>),
    /// Nobody wrote it: the default.
    #[default]
    Default,
}

/// Where a value was written, down to the line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file, variable or flag.
    pub origin: Origin,
    /// Line in the file, from 1; 0 where there are no lines.
    pub line: usize,
    /// Column in the line in characters, from 1; 0 where there are no lines.
    pub column: usize,
    /// The keys that lead to the value, as in `mcpServers.github.args[1]`; empty for a whole file.
    pub key_path: String,
}

impl Place {
    /// The file, if the value was written in one.
    pub fn file(&self) -> Option<&Path> {
        match &self.origin {
            Origin::File(path) => Some(path),
            Origin::Environment(_) | Origin::Flag(_) | Origin::Default => None,
        }
    }

    /// The same place, one key deeper. A key that is not a plain word is quoted.
    pub(crate) fn member(&self, key: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$');
        let shown = if !key.is_empty() && key.chars().all(plain) {
            key.to_owned()
        } else {
            format!("{key:?}")
        };
        let dot = if self.key_path.is_empty() { "" } else { "." };
        Self {
            key_path: format!("{}{dot}{shown}", self.key_path),
            ..self.clone()
        }
    }

    /// The same place, in the array element `index`.
    pub(crate) fn element(&self, index: usize) -> Self {
        Self {
            key_path: format!("{}[{index}]", self.key_path),
            ..self.clone()
        }
    }

    /// The last key of the path, with the array index if it is an element.
    pub(crate) fn key(&self) -> &str {
        let mut quoted = false;
        let mut escaped = false;
        let mut start = 0;
        for (at, c) in self.key_path.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '.' if !quoted => start = at + 1,
                _ => {}
            }
        }
        self.key_path.get(start..).unwrap_or_default()
    }

    /// The same origin and keys, at another line and column.
    pub(crate) fn at(self, line: usize, column: usize) -> Self {
        Self {
            line,
            column,
            ..self
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::File(path) => write!(f, "{}", path.display())?,
            Origin::Environment(name) => write!(f, "environment variable {name}")?,
            Origin::Flag(name) => write!(f, "{name}")?,
            Origin::Default => write!(f, "default")?,
        }
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.key_path.is_empty() {
            write!(f, " ({})", self.key_path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(line: usize) -> Place {
        Place {
            origin: Origin::File(Arc::from(Path::new("mcp.json"))),
            line,
            ..Place::default()
        }
    }

    #[test]
    fn a_place_in_a_file_names_line_and_keys() {
        let place = file(7)
            .member("mcpServers")
            .member("my server")
            .member("args")
            .element(2);
        assert_eq!(
            place.to_string(),
            "mcp.json:7 (mcpServers.\"my server\".args[2])"
        );
    }

    #[test]
    fn the_last_key_is_found_behind_quoted_dots() {
        let key = |place: Place| place.key().to_owned();
        assert_eq!(key(file(1)), "");
        assert_eq!(key(file(1).member("a.\"b").member("c").element(0)), "c[0]");
        assert_eq!(key(file(1).member("a").member("b.\"c")), "\"b.\\\"c\"");
    }

    #[test]
    fn a_whole_file_has_no_line() {
        assert_eq!(file(0).to_string(), "mcp.json");
    }

    #[test]
    fn a_variable_is_named() {
        let origin = Origin::Environment("MCPMUX_LISTEN".into());
        let place = Place {
            origin,
            ..Place::default()
        }
        .member("mux")
        .member("listen");
        assert_eq!(
            place.to_string(),
            "environment variable MCPMUX_LISTEN (mux.listen)"
        );
        assert_eq!(place.file(), None);
    }
}
