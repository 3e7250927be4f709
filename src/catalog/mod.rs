//! What is offered, under which name.
//!
//! Each server's [`Inventory`] and rules go into [`build`], which makes one immutable [`Catalog`]: it
//! answers lists from pages that are serialised already, and says where a name or a URI leads.
//!
//! Order and names are deterministic: servers in file order, each one's entries in its own order. Who
//! comes first has a name for good, so a server that is added at the end renames nothing.
//!
//! Invariant: nothing here waits, locks, spawns, or knows a connection.

mod build;
mod claims;
mod conflict;
mod dead;
mod definition;
mod entry;
mod filter;
mod former;
mod inventory;
mod names;
mod naming;
mod page;
mod resolve;
mod rewrites;
mod section;
mod snapshot;
mod suggest;
mod templates;
#[cfg(test)]
mod tests;
mod uris;

pub use build::{Built, Naming, Source, build, rebuild};
pub use conflict::{Claim, Conflict, Resolution};
pub use dead::{DeadRule, RuleKind};
pub use entry::{Entry, Route};
pub use filter::{Verdict, section, verdict};
pub use former::Before;
pub use inventory::{DropReason, Dropped, Inventory, RawEntry};
pub use naming::{prefixed, scheme_safe, shortened};
pub use page::{BadCursor, MAX_PAGE_BYTES, MAX_PAGE_ENTRIES, Page};
pub use resolve::UriRoute;
pub use rewrites::UriRewrites;
pub use snapshot::Catalog;
