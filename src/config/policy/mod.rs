//! The managed policy: which servers the administrator of this machine lets its users have.
//!
//! Its file lies where only administrators write. No file, flag or variable of a user leads to another one, and one that
//! cannot be read lets nothing start.

mod address;
mod foresee;
mod glob;
mod judge;
mod program;
mod read;

pub use read::PolicyFile;
pub(crate) use read::{Policy, fixes_servers};
