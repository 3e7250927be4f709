//! One of the four lists of a catalog: its entries, the names they are called by, its pages.

use std::collections::{HashMap, HashSet};

use super::build::Source;
use super::claims::{Claims, Holder};
use super::entry::{Entry, Route};
use super::page::Pages;
use super::suggest;
use crate::protocol::{Hints, Kind, PublicName, ServerName};

/// One list, never changed once it is built.
#[derive(Debug)]
pub(super) struct Section {
    /// In offered order.
    pub(super) entries: Vec<Entry>,
    pub(super) pages: Pages,
    /// How long clients may keep the list.
    pub(super) hints: Hints,
    /// Every callable name, listed or not.
    holders: HashMap<PublicName, Holder>,
    /// Names that entries would have but for a `rename` → position of the entry.
    former: HashMap<String, usize>,
}

impl Section {
    pub(super) fn new(kind: Kind, claims: Claims<'_>, former: HashMap<String, usize>) -> Self {
        let Claims {
            mut entries,
            holders,
            ..
        } = claims;
        let pages = Pages::new(kind, &mut entries);
        Self {
            entries,
            pages,
            hints: Hints::default(),
            holders,
            former,
        }
    }

    /// Takes the hints of the servers whose entries are listed.
    pub(super) fn heed(&mut self, kind: Kind, sources: &[Source]) {
        let servers: HashSet<&ServerName> =
            self.entries.iter().map(|it| &it.route.server).collect();
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
        let same = |(one, other): (&Entry, &Entry)| {
            one.public == other.public && one.definition == other.definition
        };
        self.entries.len() == other.entries.len()
            && self.entries.iter().zip(&other.entries).all(same)
    }
}
