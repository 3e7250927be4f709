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
        let mut place = file(7);
        place.key_path = "mcpServers.a.args[2]".into();
        assert_eq!(place.to_string(), "mcp.json:7 (mcpServers.a.args[2])");
    }

    #[test]
    fn a_whole_file_has_no_line() {
        assert_eq!(file(0).to_string(), "mcp.json");
    }

    #[test]
    fn a_variable_is_named() {
        let mut place = file(0);
        place.origin = Origin::Environment("MCPMUX_LISTEN".into());
        place.key_path = "mux.listen".into();
        assert_eq!(
            place.to_string(),
            "environment variable MCPMUX_LISTEN (mux.listen)"
        );
        assert_eq!(place.file(), None);
    }
}
