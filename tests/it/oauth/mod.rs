//! Logins at servers that want OAuth.

mod authority;
mod lies;
mod login;
mod person;
mod secrets;
mod tokens;
