//! Logins at servers that want OAuth.

mod authority;
mod foreign;
mod lies;
mod login;
mod person;
mod secrets;
mod tokens;
