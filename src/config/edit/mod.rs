//! Edits of configuration files: a text goes in, and comes out with one entry added, replaced,
//! removed or switched, and every other byte as it was.
//!
//! The edits are pure and work by place: a parser says where things stand, and the changes are cut
//! into the text. What comes out is parsed again and compared with what was wanted, so that a file
//! is never spoiled. [`Draft`] is a file between reading and writing.
//!
//! Invariant: nothing here knows which program a file belongs to; a [`Holder`] says where its servers are.

mod bracket;
mod change;
mod draft;
mod error;
mod holder;
mod json_text;
mod jsonc;
mod jsonc_place;
mod lookup;
mod secrets;
mod statements;
mod toml;
mod toml_place;
mod toml_text;
mod wanted;

#[cfg(test)]
mod tests;

pub use draft::{Draft, DraftError};
pub use error::EditError;
pub use holder::{Form, Holder, SwitchKey};
pub(super) use lookup::written;
pub use lookup::{OwnFiles, check, entry, files, find, objections};
pub use secrets::{looks_secret, masked, secrets_of};
pub use wanted::{Edit, Edited, EntryText, Existing, Power, edit};
