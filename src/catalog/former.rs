//! What a new catalog takes over from the one before it: the entries of servers of which nothing is different.

use std::collections::HashMap;
use std::ops::Range;

use super::build::{Naming, Source};
use super::entry::Entry;
use super::filter::section;
use super::section::Section;
use super::snapshot::Catalog;
use crate::config::SectionRules;
use crate::protocol::{Kind, ServerName};

/// A catalog that is to be followed by another one.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The catalog.
    pub catalog: &'a Catalog,
    /// What it was built from; empty if names were given differently then, so that none can be taken over.
    pub sources: &'a [Source],
}

/// Each server as it was, and where its tools and its prompts stand in their lists.
#[derive(Default)]
pub(super) struct Former<'a> {
    catalog: Option<&'a Catalog>,
    servers: HashMap<&'a ServerName, (&'a Source, [Range<usize>; 2])>,
}

impl<'a> Former<'a> {
    pub(super) fn of(before: Option<Before<'a>>, naming: &Naming<'_>) -> Self {
        let Some(Before { catalog, sources }) = before else {
            return Self::default();
        };
        let mut former = Self {
            catalog: Some(catalog),
            servers: HashMap::new(),
        };
        // An alias takes the place of a name, whoever else changes.
        if !naming.aliases.is_empty() {
            return former;
        }
        let mut ends = [0, 0];
        for source in sources {
            let ranges = [Kind::Tool, Kind::Prompt].map(|kind| {
                let end = &mut ends[usize::from(kind == Kind::Prompt)];
                let start = *end;
                let entries = catalog.entries(kind)[start..].iter();
                *end += entries
                    .take_while(|entry| entry.route.server == source.server)
                    .count();
                start..*end
            });
            let known = former.servers.insert(&source.server, (source, ranges));
            if known.is_some() {
                former.servers.clear();
                return former;
            }
        }
        former
    }

    /// The list before, if there was one.
    pub(super) fn section(&self, kind: Kind) -> Option<&'a Section> {
        self.catalog.map(|catalog| catalog.section(kind))
    }

    /// The entries that a server has in a list, if they depend on nothing but what is as it was. They can be taken over
    /// where their names are free.
    pub(super) fn entries(&self, kind: Kind, source: &Source) -> Option<&'a [Entry]> {
        let place = match kind {
            Kind::Tool => 0,
            Kind::Prompt => 1,
            Kind::Resource | Kind::Template => return None,
        };
        let (before, ranges) = self.servers.get(&source.server)?;
        let list = self.section(kind)?;
        let raw = source.inventory.entries(kind);
        let entries = &list.entries[ranges[place].clone()];
        let is_plain = source.rules.aliases.is_empty()
            && *section(&source.rules, kind) == SectionRules::default();
        let same = source.is_same_as(before)
            && is_plain
            && entries.len() == raw.len()
            && !list.disputed.contains(&source.server)
            && !raw.iter().any(|entry| entry.links);
        same.then_some(entries)
    }
}
