//! What a person wrote.
//!
//! A [`Config`] is read from JSONC or TOML files, the environment and the command line, checked as a
//! whole, and then never changes. Everything that is wrong is reported at once, each with its place.
//!
//! Invariant: nothing here opens a socket, starts a process, or knows a running server.

mod error;
mod listen;
mod load;
mod patterns;
mod place;
mod rules;
mod secret;
mod servers;
mod settings;
mod sources;
mod transport;

pub use error::{ConfigError, ConfigErrors, ConfigWarning, Problem};
pub use listen::{BadListen, Listen};
pub use load::Config;
pub use patterns::{BadPattern, Pattern, Patterns};
pub use place::{Origin, Place};
pub use rules::{Rules, SectionRules};
pub use secret::Secret;
pub use servers::{ServerConfig, Sharing};
pub use settings::{CircuitBreaker, Health, OnConflict, Settings};
pub use sources::{Environment, Flags, Sources};
pub use transport::{ChildConfig, HttpConfig, TransportConfig};
