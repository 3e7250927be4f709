//! The catalog from the outside: servers and rules in, names, routes and pages out.

mod names;
mod pages;
mod properties;
mod rebuilt;
mod resolve;
mod setup;
mod uris;
