//! What a person wrote.
//!
//! A [`Config`] is read from JSONC or TOML files, the environment and the command line, checked as a
//! whole, and then never changes. Everything that is wrong is reported at once, each with its place.
//!
//! Invariant: nothing here opens a socket, starts a process, or knows a running server.

mod auth;
pub mod edit;
mod entry;
mod env_file;
mod environment;
mod error;
mod expand;
mod explain;
mod file;
mod formats;
mod globs;
mod headers_helper;
mod include;
mod inputs;
mod jsonc;
mod keys;
mod layers;
mod listen;
mod load;
mod merge;
mod oauth;
mod outside;
mod patterns;
mod place;
mod plan;
mod policy;
mod problem;
mod program_files;
mod programs;
mod quantity;
mod reach;
mod reference;
mod rules;
mod schema;
mod secret;
mod server_keys;
mod servers;
mod settings;
mod settings_keys;
mod settings_plan;
mod shape;
mod small_file;
mod sources;
mod suggest;
mod taken;
mod tls;
mod toml;
mod transport;
mod tree;

#[cfg(test)]
mod tests;

pub use error::{ConfigError, ConfigErrors, ConfigWarning};
pub use explain::Explained;
pub use formats::{Format, ServerMap};
pub use listen::{BadListen, Listen};
pub use load::Config;
pub use oauth::{OAuthConfig, Unattended};
pub use outside::{Outside, Question, Typed};
pub use patterns::{BadPattern, Pattern, Patterns};
pub use place::{Origin, Place};
pub use plan::{Fate, Plan, ServerChange};
pub use policy::PolicyFile;
pub use problem::{Expected, Problem};
pub use program_files::System;
pub use programs::{Base, PROGRAMS, Program, Scope, Spot, Way};
pub use reference::reference_markdown;
pub use rules::{Rules, SectionRules};
pub use secret::Secret;
pub use servers::{Replacement, ServerConfig, Sharing};
pub use settings::{CircuitBreaker, Health, OnConflict, Settings, Watching};
pub use settings_plan::{SettingChange, When};
pub use sources::{Environment, Flags, Sources};
pub use taken::{Taken, taken};
pub use tls::TlsConfig;
pub use transport::{ChildConfig, HttpConfig, TransportConfig};
