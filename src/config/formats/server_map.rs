//! `ServerMap`: where a file keeps its servers, for those who edit it.

use std::path::Path;

use super::super::error::{ConfigErrors, Findings};
use super::super::file;
use super::super::sources::Environment;
use super::super::tree::Value;
use super::dialect::{Around, Container, DIALECTS, Format};

/// Where a file keeps its servers, and in whose way of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerMap {
    /// Whose way of writing it is.
    pub format: Format,
    /// The keys that lead to the servers, as in `mcp`, `servers`.
    pub keys: &'static [&'static str],
    /// `None`: an object whose keys are the servers' names. Else an array of objects that have their name
    /// under this key.
    pub named_by: Option<&'static str>,
}

impl ServerMap {
    /// Where this format has its servers.
    pub fn of(format: Format) -> Option<Self> {
        let dialect = DIALECTS.iter().find(|dialect| dialect.format == format)?;
        let named_by = match dialect.container {
            Container::Map => None,
            Container::Array(key) => Some(key),
        };
        Some(Self {
            format,
            keys: dialect.path,
            named_by,
        })
    }

    /// The servers of a file, the first ones if there are several; `None` if there are none. The ending of
    /// `name` says the syntax. Fails with the errors of the syntax.
    pub fn find(name: &Path, text: &str) -> Result<Option<Self>, ConfigErrors> {
        let mut findings = Findings::default();
        let root = file::parse(name, text, &mut findings);
        let Some(root) = root else {
            return Err(findings.into());
        };
        let Value::Map(file) = &root.value else {
            return Ok(None);
        };
        let around = Around {
            file,
            place: &root.place,
            env: &Environment::default(),
        };
        let dialect = DIALECTS.iter().find(|dialect| dialect.fits(&around));
        Ok(dialect.and_then(|dialect| Self::of(dialect.format)))
    }
}
