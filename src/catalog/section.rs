//! One of the four lists of a catalog: its entries, the names they are called by, its pages.

use std::collections::{HashMap, HashSet};

use super::build::Source;
use super::claims::{Claims, Holder, Holders};
use super::entry::{Entry, Route};
use super::page::{Older, Pages};
use super::suggest;
use crate::protocol::{Hints, Kind, PublicName, ServerName};

/// One list, never changed once it is built.
#[derive(Debug)]
pub(super) struct Section {
    /// In offered order.
    pub(super) entries: Vec<Entry>,
    pub(super) pages: Pages,
    /// Servers that wanted a name which another one has.
    pub(super) disputed: HashSet<ServerName>,
    /// How long clients may keep the list.
    pub(super) hints: Hints,
    /// Every callable name, listed or not.
    holders: Holders,
    /// Names that entries would have but for a `rename` → position of the entry.
    former: HashMap<String, usize>,
}

impl Section {
    /// What is as it was in an older list is taken from there.
    pub(super) fn new(
        kind: Kind,
        claims: Claims<'_>,
        former: HashMap<String, usize>,
        before: Option<&Self>,
    ) -> Self {
        let Claims {
            mut entries,
            holders,
            disputed,
            ..
        } = claims;
        let before = before.map(|before| Older {
            pages: &before.pages,
            entries: &before.entries,
        });
        let pages = Pages::new(kind, &mut entries, before);
        Self {
            entries,
            pages,
            disputed,
            hints: Hints::default(),
            holders,
            former,
        }
    }

    /// Takes the hints of the servers whose entries are listed.
    pub(super) fn heed(&mut self, kind: Kind, sources: &[Source]) {
        // Those of one server stand together.
        let mut servers: Vec<&ServerName> =
            self.entries.iter().map(|it| &it.route.server).collect();
        servers.dedup();
        let servers: HashSet<&ServerName> = servers.into_iter().collect();
        let listed = sources.iter().filter(|it| servers.contains(&it.server));
        self.hints = Hints::merged(listed.map(|source| source.inventory.hints(kind)));
    }

    /// The entry that is called by this name.
    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        match self.holders.get(name)? {
            Holder::Entry(position) => self.entries.get(*position),
            Holder::Link(_) => None,
        }
    }

    /// Where this name leads.
    pub(super) fn route(&self, name: &str) -> Option<&Route> {
        match self.holders.get(name)? {
            Holder::Entry(position) => self.entries.get(*position).map(|entry| &entry.route),
            Holder::Link(route) => Some(route),
        }
    }

    /// The listed name that was most likely meant.
    pub(super) fn suggest(&self, wanted: &str) -> Option<&PublicName> {
        let renamed = self
            .former
            .get(wanted)
            .and_then(|position| self.entries.get(*position));
        let entry = renamed.or_else(|| suggest::nearest(&self.entries, wanted))?;
        Some(&entry.public)
    }

    /// Whether every name leads where it leads in another section, and clients see the same list.
    pub(super) fn leads_like(&self, other: &Self) -> bool {
        self.entries == other.entries && self.holders == other.holders
    }

    /// Whether clients see the same list.
    pub(super) fn shows_the_same_as(&self, other: &Self) -> bool {
        let mut pairs = self.entries.iter().zip(&other.entries);
        self.entries.len() == other.entries.len() && pairs.all(|(one, other)| one.shows_as(other))
    }
}
