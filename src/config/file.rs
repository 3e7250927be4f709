//! Which files to read, and reading one.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{Findings, Problem};
use super::place::{Origin, Place};
use super::quantity::show_size;
use super::small_file::plain_reason;
use super::sources::Sources;
use super::tree::Node;
use super::{jsonc, toml};

/// Largest configuration file in bytes.
pub(crate) const MAX_FILE: u64 = 16 << 20;

/// The files of `--config`, else the first of the search order that there is.
pub(crate) fn find(sources: &Sources) -> Result<Vec<PathBuf>, Problem> {
    if !sources.files.is_empty() {
        return Ok(sources.files.clone());
    }
    let home = sources.home.as_deref();
    // A file that was named must be there.
    if let Some(named) = sources
        .env
        .get("MCPMUX_CONFIG")
        .filter(|path| !path.is_empty())
    {
        return Ok(vec![named.into()]);
    }
    let xdg = sources
        .env
        .get("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|dir| dir.is_absolute());
    let user = xdg.or_else(|| home.map(|home| home.join(".config")));
    let user = user.map(|directory| directory.join("mcpmux").join("config.json"));
    let places: Vec<PathBuf> = std::iter::once("mcp-config.json".into())
        .chain(user)
        .collect();
    match places.iter().find(|path| sources.cwd.join(path).is_file()) {
        Some(path) => Ok(vec![path.clone()]),
        None => Err(Problem::NoFile { tried: places }),
    }
}

/// Reads a text by the syntax that the ending of its name says: TOML for `.toml`, else JSONC.
/// `None` if something was wrong and is reported.
pub(crate) fn parse(name: &Path, text: &str, findings: &mut Findings) -> Option<Node> {
    let parse = if is_toml(name) {
        toml::parse
    } else {
        jsonc::parse
    };
    parse(
        text.strip_prefix('\u{feff}').unwrap_or(text),
        &place_of(name),
        findings,
    )
}

/// Whether the ending of the name says TOML.
pub(crate) fn is_toml(name: &Path) -> bool {
    name.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
}

/// The place of a whole file.
pub(crate) fn place_of(path: &Path) -> Place {
    Place {
        origin: Origin::File(Arc::from(path)),
        ..Place::default()
    }
}

/// The text of a file.
pub(crate) fn text_of(path: &Path) -> Result<String, Problem> {
    let unreadable = |error: std::io::Error| Problem::Unreadable {
        reason: plain_reason(&error),
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Problem::TooLarge {
            limit: show_size(MAX_FILE),
        });
    }
    String::from_utf8(bytes).map_err(|_| Problem::NotUtf8)
}
