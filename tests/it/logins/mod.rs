//! Logins at real authorization servers, by a person with a real browser.
//!
//! `oidc-provider` of npm with its own pages, and the servers that the SDKs bring along; `tests/peers/logins` starts them, and in front of the tools
//! stand the SDKs' own guards. `.ci/peers` installs all of it, Chromium included, so these run only when they are asked for:
//! `cargo test --test it logins:: -- --ignored`.

mod browser;
mod keychain;
mod kits;
mod lies;
mod login;
mod peer;
mod place;
mod secrets;
mod tokens;
