//! What the catalog says about one tool, resource, template or prompt.

use crate::protocol::{OriginalName, PublicName, ServerName};
use crate::wire::Json;

/// Where a public name leads: looked up, never parsed out of the name. Cloning counts references.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// The server that has the entry.
    pub server: ServerName,
    /// The name or URI that this server knows it by.
    pub original: OriginalName,
}

/// One tool, resource, template or prompt as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name or URI that lists show.
    pub public: PublicName,
    /// Where it leads.
    pub route: Route,
    /// The server's own words, but for the name or URI and what the rules replace.
    pub definition: Json,
    /// Whether it is a tool that says of itself that calling it twice is as good as once.
    pub harmless: bool,
}

impl Entry {
    /// Whether clients see the same.
    pub(super) fn shows_as(&self, other: &Self) -> bool {
        let (own, others) = (self.definition.as_bytes(), other.definition.as_bytes());
        // What was taken over is the same text in the same place.
        self.public == other.public && (std::ptr::eq(own, others) || own == others)
    }
}
