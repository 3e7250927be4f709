//! A running mux follows its files: plan, apply, roll back.
//!
//! A [`Reloader`] reads again what the mux was started with, plans what is different, brings up what is new beside
//! what runs, and has the hub change over in one step. Whatever is in the way of that leaves all as it was.
//!
//! Invariant: nothing here takes a file's name, a command or an address from a client.

mod files;
mod reloader;
mod watch;

pub use reloader::{ReloadError, Reloaded, Reloader, Shutdown};
pub use watch::watch;
