//! Who gets which name: the entries of one kind while a catalog is built.

use std::collections::HashMap;

use super::conflict::{Claim, Conflict, Resolution};
use super::entry::{Entry, Route};
use crate::protocol::{Kind, PublicName};

/// Who is called by a name.
#[derive(Clone, Debug)]
pub(super) enum Holder {
    /// The entry at this position.
    Entry(usize),
    /// Something that no list has, but that a definition links to.
    Link(Route),
}

/// The names of one kind that are taken, and by whom. Who comes first has a name for good, so that
/// a server that is added at the end changes nothing.
pub(super) struct Claims {
    kind: Kind,
    /// In offered order.
    pub(super) entries: Vec<Entry>,
    /// Every callable name, listed or not.
    pub(super) holders: HashMap<PublicName, Holder>,
    pub(super) conflicts: Vec<Conflict>,
}

impl Claims {
    /// No names are taken.
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            entries: Vec::new(),
            holders: HashMap::new(),
            conflicts: Vec::new(),
        }
    }

    /// Offers an entry under the name it has, or under the first free one of `spare`; returns its
    /// position. Not offered, and so `None`, if all are taken.
    pub(super) fn place(
        &mut self,
        mut entry: Entry,
        mut spare: impl Iterator<Item = String>,
    ) -> Option<usize> {
        if let Some(holder) = self.holder(entry.public.as_str()) {
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
        }
        let position = self.entries.len();
        self.holders
            .insert(entry.public.clone(), Holder::Entry(position));
        self.entries.push(entry);
        Some(position)
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
    use crate::protocol::{OriginalName, ServerName};
    use crate::wire::Json;

    fn entry(server: &str, name: &str) -> Entry {
        Entry {
            public: PublicName::new(name),
            route: Route {
                server: ServerName::new(server),
                original: OriginalName::new(name),
            },
            definition: Json::null(),
        }
    }

    fn spare(names: &[&str]) -> impl Iterator<Item = String> {
        names.iter().map(ToString::to_string)
    }

    #[test]
    fn the_first_has_a_name_for_good() {
        let mut claims = Claims::new(Kind::Tool);
        assert_eq!(claims.place(entry("a", "x"), spare(&[])), Some(0));
        assert_eq!(claims.place(entry("b", "x"), spare(&["x", "y"])), Some(1));
        assert_eq!(claims.place(entry("c", "x"), spare(&["x", "y"])), None);
        assert!(claims.also(PublicName::new("z"), 1, Claim::Alias));
        assert!(claims.also(PublicName::new("y"), 1, Claim::Alias));
        assert!(!claims.also(PublicName::new("z"), 0, Claim::PrefixAlias));
        let publics: Vec<&str> = claims.entries.iter().map(|it| it.public.as_str()).collect();
        assert_eq!(publics, ["x", "y"]);
        let conflict = |holder, name, loser, claim, resolution| Conflict {
            kind: Kind::Tool,
            name: PublicName::new(name),
            holder: entry(holder, "x").route,
            loser: entry(loser, "x").route,
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
