//! Secrets at rest: in the keychain of the system, or in private files where there is none.
//!
//! A [`Vault`] keeps texts under names, for all mcpmux processes of one user: a change is seen by the others
//! ([`Vault::mark`]), and who wants to replace what it has read takes a [`Turn`] first. [`keychain`] is the bare keychain, for
//! what other programs put there.
//!
//! Invariant: nothing here knows what is kept, and no error, log or `Debug` holds it.

mod error;
mod file;
pub mod keychain;
mod store;
mod turn;

pub use error::VaultError;
pub use store::{Keep, Mark, Vault};
pub use turn::Turn;
