//! `Config`: the whole configuration, read and checked.

use std::path::PathBuf;

use indexmap::IndexMap;

use crate::protocol::ServerName;

use super::error::ConfigWarning;
use super::servers::ServerConfig;
use super::settings::Settings;

/// Everything that was written, checked and filled in.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What holds for the whole mux.
    pub settings: Settings,
    /// The enabled servers in file order.
    pub servers: IndexMap<ServerName, ServerConfig>,
    /// The keys of the servers that are switched off, in file order.
    pub disabled: Vec<ServerName>,
    /// What is odd, but no error.
    pub warnings: Vec<ConfigWarning>,
    /// The files that were read, in order.
    pub files: Vec<PathBuf>,
}
