//! `EditError`: why a text cannot be edited.

use super::super::error::ConfigError;

/// Why there is no edited text. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text cannot be read, so nobody knows what to change.
    #[error("the file cannot be edited, since it cannot be read")]
    Broken(Vec<ConfigError>),
    /// There is an entry of this name.
    #[error("there is a server `{name}` already")]
    Exists {
        /// The name.
        name: String,
        /// Its line in the text, from 1.
        line: usize,
    },
    /// There is no entry of this name.
    #[error("there is no server `{name}`")]
    Missing {
        /// The name.
        name: String,
    },
    /// Something that is no object or array stands where the servers should be, or where one should.
    #[error("`{key}` must be {expected}")]
    Shape {
        /// The keys that lead there.
        key: String,
        /// What should be there.
        expected: &'static str,
        /// Its line in the text, from 1.
        line: usize,
    },
    /// The text is written in a way in which the edit cannot be made without touching other things.
    #[error("server `{name}` is written in a way that this edit cannot keep")]
    Unfit {
        /// The name.
        name: String,
    },
}
