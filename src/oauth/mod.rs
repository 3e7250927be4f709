//! Logins at servers: OAuth 2.1 as the Authorization pages of MCP (2026-07-28) want it of a client.
//!
//! [`Access`] gives the requests to one server their token, gets a new one in time and after a refusal, and notices what
//! other processes have stored. [`Attempt`] is a person's login: in a browser with a [`Redirect`] to ourselves, or on
//! another [`Device`]. What is found out on the way ([`Authority`]) is believed only as far as it can be checked.
//!
//! Invariants: a token is kept for one server and one issuer, and shown to no other. No error, log or `Debug` holds a token,
//! a code or a client's secret. Nothing is fetched from an address that is nearer to us than the server that named it.

mod access;
mod assertion;
mod authority;
mod challenge;
mod client;
mod device;
mod error;
mod grant;
mod login;
mod nearness;
mod net;
mod record;
mod redirect;
mod site;

pub use access::Access;
pub use authority::Authority;
pub use challenge::Challenge;
pub use device::{Device, DeviceCode};
pub use error::OAuthError;
pub use login::Attempt;
pub use record::{Ledger, Record};
pub use redirect::Redirect;
pub use site::{Forgotten, Site};
