//! What the tables of keys are made of.
//!
//! The tables ([`SETTINGS`] and [`SERVER`]) drive the check of what was written, the suggestions for
//! unknown keys, the names of the environment variables, the JSON Schema and the reference.

use std::time::Duration;

pub(crate) use super::server_keys::{
    AUTH_TYPES, ELSEWHERE, FOREIGN, OF_MUX, REPLACE, SERVER, SHARING, TYPES,
};
pub(crate) use super::settings_keys::SETTINGS;

/// One key of an object.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) default: Preset,
    /// One sentence without the full stop.
    pub(crate) doc: &'static str,
}

/// What holds when a key is not given.
pub(crate) enum Preset {
    /// Nothing.
    Absent,
    /// This value, as one would write it.
    Value(&'static str),
    /// What these words say.
    Said(&'static str),
}

impl Preset {
    /// The value or the words; empty for nothing.
    pub(crate) fn shown(&self) -> &'static str {
        match self {
            Self::Absent => "",
            Self::Value(text) | Self::Said(text) => text,
        }
    }
}

/// What a value must look like. Null is always allowed and means that the key is not given.
pub(crate) enum Shape {
    Text,
    /// A string that is not empty.
    Name,
    /// A path that is not empty; `~` is the home directory.
    Path,
    /// A string, where null says something else than leaving the key out.
    TextOrNull,
    Flag,
    Count(u64, u64),
    /// Shortest and longest.
    Time(Duration, Duration),
    /// A number of bytes, from … to ….
    Size(u64, u64),
    Word(&'static [&'static str]),
    Listen,
    /// Permissions of a file.
    Mode,
    List(&'static Shape),
    /// An object whose keys the person chooses.
    Map(&'static Shape),
    Object(&'static [Key]),
    /// An object, or an array that stands for its key `allow`.
    Section(&'static [Key]),
    /// Somebody else's key: not looked at.
    Foreign,
}

/// A week: longer waits are typing errors.
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Shortest and longest timeout.
pub(crate) const TIMEOUT_RANGE: (Duration, Duration) = (Duration::from_millis(1), WEEK);

pub(crate) const TIMEOUT: Shape = Shape::Time(TIMEOUT_RANGE.0, TIMEOUT_RANGE.1);
/// A time that may be none at all.
pub(crate) const GRACE: Shape = Shape::Time(Duration::ZERO, WEEK);
pub(crate) const CALLS: Shape = Shape::Count(1, 65_536);
pub(crate) const NAMES: Shape = Shape::List(&Shape::Name);
pub(crate) const NAME_MAP: Shape = Shape::Map(&Shape::Name);
pub(crate) const TEXT_MAP: Shape = Shape::Map(&Shape::Text);

/// The keys at the top of a file that are ours.
pub(crate) const TOP: &[&str] = &["mux", "mcpServers"];

/// One setting: a key of `mux`, or a key of an object in it.
pub(crate) struct Setting {
    /// The keys that lead to it, from `mux` on.
    pub(crate) path: Vec<&'static str>,
    pub(crate) key: &'static Key,
}

impl Setting {
    /// All settings, in the order of the table.
    pub(crate) fn all() -> Vec<Self> {
        let mut settings = Vec::new();
        for key in SETTINGS {
            match key.shape {
                Shape::Object(members) => settings.extend(members.iter().map(|member| Self {
                    path: vec![key.name, member.name],
                    key: member,
                })),
                _ => settings.push(Self {
                    path: vec![key.name],
                    key,
                }),
            }
        }
        settings
    }

    /// The environment variable that sets it, as in `MCPMUX_HEALTH__INTERVAL`.
    pub(crate) fn variable(&self) -> String {
        let words: Vec<String> = self.path.iter().map(|key| screaming(key)).collect();
        format!("MCPMUX_{}", words.join("__"))
    }
}

fn screaming(camel: &str) -> String {
    let mut word = String::new();
    for c in camel.chars() {
        if c.is_ascii_uppercase() {
            word.push('_');
        }
        word.push(c.to_ascii_uppercase());
    }
    word
}
