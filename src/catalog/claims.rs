//! Who gets which name: the entries of one kind while a catalog is built.

use std::collections::{HashMap, HashSet, hash_map};

use foldhash::fast::RandomState;

use super::conflict::{Claim, Conflict, Resolution};
use super::entry::{Entry, Route};
use super::inventory::RawEntry;
use crate::protocol::{Kind, PublicName, ServerName};
use crate::wire::Json;

/// Who is called by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// The entry at this position.
    Entry(usize),
    /// Something that no list has, but that a definition links to.
    Link(Route),
}

/// Who is called by which name. Servers choose the names, but no more than an inventory holds.
pub(super) type Holders = HashMap<PublicName, Holder, RandomState>;

/// The names of one kind that are taken, and by whom. Who comes first has a name for good, so that
/// a server that is added at the end changes nothing.
pub(super) struct Claims<'a> {
    kind: Kind,
    /// In offered order.
    pub(super) entries: Vec<Entry>,
    /// What each of the entries was made of.
    raw: Vec<&'a RawEntry>,
    /// Every callable name, listed or not.
    pub(super) holders: Holders,
    pub(super) conflicts: Vec<Conflict>,
    /// Servers that wanted a name which another one has.
    pub(super) disputed: HashSet<ServerName>,
}

impl<'a> Claims<'a> {
    /// No names are taken.
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            entries: Vec::new(),
            raw: Vec::new(),
            holders: Holders::default(),
            conflicts: Vec::new(),
            disputed: HashSet::new(),
        }
    }

    /// Makes room for so many entries.
    pub(super) fn expect(&mut self, entries: usize) {
        self.entries.reserve(entries);
        self.raw.reserve(entries);
        self.holders.reserve(entries);
    }

    /// Offers entries as an older catalog did; says whether their names are free, and offers none of them otherwise.
    pub(super) fn take_over(&mut self, entries: &[Entry], raw: &'a [RawEntry]) -> bool {
        let mut names = entries.iter().map(|entry| &entry.public);
        if names.any(|name| self.holders.contains_key(name)) {
            return false;
        }
        for (entry, raw) in entries.iter().zip(raw) {
            let holder = Holder::Entry(self.entries.len());
            self.holders.insert(entry.public.clone(), holder);
            self.entries.push(entry.clone());
            self.raw.push(raw);
        }
        true
    }

    /// Offers an entry under the wanted name, or under the first free one of `spare`; returns its
    /// position. Not offered, and so `None`, if all are taken.
    pub(super) fn place(
        &mut self,
        server: &ServerName,
        raw: &'a RawEntry,
        wanted: &str,
        mut spare: impl Iterator<Item = String>,
    ) -> Option<usize> {
        let mut entry = Entry {
            public: PublicName::new(wanted),
            route: Route {
                server: server.clone(),
                original: raw.key.clone(),
            },
            // Written when all names are known.
            definition: Json::null(),
            harmless: raw.harmless,
        };
        let position = self.entries.len();
        if let hash_map::Entry::Vacant(free) = self.holders.entry(entry.public.clone()) {
            free.insert(Holder::Entry(position));
        } else {
            self.disputed.insert(server.clone());
            let holder = self.holder(entry.public.as_str())?;
            let mut conflict = Conflict {
                kind: self.kind,
                name: entry.public.clone(),
                holder: holder.clone(),
                loser: entry.route.clone(),
                claim: Claim::Own,
                resolution: Resolution::Dropped,
            };
            let Some(free) = spare.find(|name| !self.holders.contains_key(name.as_str())) else {
                self.conflicts.push(conflict);
                return None;
            };
            entry.public = PublicName::new(free);
            conflict.resolution = Resolution::Renamed(entry.public.clone());
            self.conflicts.push(conflict);
            self.holders
                .insert(entry.public.clone(), Holder::Entry(position));
        }
        self.entries.push(entry);
        self.raw.push(raw);
        Some(position)
    }

    /// The entries from a position on, each with what it was made of.
    pub(super) fn from(&mut self, from: usize) -> impl Iterator<Item = (&mut Entry, &RawEntry)> {
        let raw = self.raw[from..].iter().copied();
        self.entries[from..].iter_mut().zip(raw)
    }

    /// Lets an entry be called by a further name; says whether it can.
    pub(super) fn also(&mut self, name: PublicName, position: usize, claim: Claim) -> bool {
        let loser = &self.entries[position].route;
        let Some(holder) = self.holder(name.as_str()) else {
            self.holders.insert(name, Holder::Entry(position));
            return true;
        };
        // Entries differ in their routes, so this is the entry itself.
        if holder == loser {
            return true;
        }
        self.conflicts.push(Conflict {
            kind: self.kind,
            holder: holder.clone(),
            loser: loser.clone(),
            name,
            claim,
            resolution: Resolution::Dropped,
        });
        false
    }

    /// Lets something that no list has be called by a name; says whether the name was free.
    pub(super) fn link(&mut self, name: PublicName, route: Route) -> bool {
        let free = self.holder(name.as_str()).is_none();
        if free {
            self.holders.insert(name, Holder::Link(route));
        }
        free
    }

    /// Where a name leads.
    pub(super) fn holder(&self, name: &str) -> Option<&Route> {
        Some(match self.holders.get(name)? {
            Holder::Entry(position) => &self.entries.get(*position)?.route,
            Holder::Link(route) => route,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::OriginalName;

    fn raw(name: &str) -> RawEntry {
        let json = Json::object([("name", &Json::string(name))]);
        RawEntry::read(Kind::Tool, json).unwrap()
    }

    fn spare(names: &[&str]) -> impl Iterator<Item = String> {
        names.iter().map(ToString::to_string)
    }

    #[test]
    fn the_first_has_a_name_for_good() {
        let mut claims = Claims::new(Kind::Tool);
        let x = raw("x");
        let mut place = |server: &str, others: &[&str]| {
            claims.place(&ServerName::new(server), &x, "x", spare(others))
        };
        assert_eq!(place("a", &[]), Some(0));
        assert_eq!(place("b", &["x", "y"]), Some(1));
        assert_eq!(place("c", &["x", "y"]), None);
        assert!(claims.also(PublicName::new("z"), 1, Claim::Alias));
        assert!(claims.also(PublicName::new("y"), 1, Claim::Alias));
        assert!(!claims.also(PublicName::new("z"), 0, Claim::PrefixAlias));
        let publics: Vec<&str> = claims.entries.iter().map(|it| it.public.as_str()).collect();
        assert_eq!(publics, ["x", "y"]);
        let route = |server: &str| Route {
            server: ServerName::new(server),
            original: OriginalName::new("x"),
        };
        let conflict = |holder, name, loser, claim, resolution| Conflict {
            kind: Kind::Tool,
            name: PublicName::new(name),
            holder: route(holder),
            loser: route(loser),
            claim,
            resolution,
        };
        assert_eq!(
            claims.conflicts,
            [
                conflict(
                    "a",
                    "x",
                    "b",
                    Claim::Own,
                    Resolution::Renamed(PublicName::new("y"))
                ),
                conflict("a", "x", "c", Claim::Own, Resolution::Dropped),
                conflict("b", "z", "a", Claim::PrefixAlias, Resolution::Dropped),
            ]
        );
    }
}
