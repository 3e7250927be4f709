//! The names of all tools, or of all prompts, while a catalog is built.

use std::collections::{HashMap, HashSet};

use super::build::{Naming, Source};
use super::claims::Claims;
use super::conflict::Claim;
use super::filter::{self, Sifted};
use super::inventory::RawEntry;
use super::naming::{prefixed, shortened};
use crate::config::OnConflict;
use crate::protocol::{Kind, PublicName};

/// How many numbers are tried for one name: only absurdly short names need more than two.
const MAX_TRIES: usize = 1_000;

/// The entries of the servers that were added so far.
pub(super) struct Names<'a> {
    kind: Kind,
    naming: Naming<'a>,
    pub(super) claims: Claims<'a>,
    /// Names that entries would have but for a `rename`.
    pub(super) former: HashMap<String, usize>,
    /// Target → its names in `mux.aliases`.
    aliases: HashMap<&'a str, Vec<&'a str>>,
    /// The targets that were met.
    pub(super) met: HashSet<&'a str>,
    /// Name → the number that its next double gets.
    numbers: HashMap<String, usize>,
}

impl<'a> Names<'a> {
    pub(super) fn new(kind: Kind, naming: Naming<'a>) -> Self {
        let mut aliases: HashMap<&str, Vec<&str>> = HashMap::new();
        for (alias, target) in naming.aliases {
            aliases.entry(target).or_default().push(alias);
        }
        Self {
            kind,
            naming,
            claims: Claims::new(kind),
            former: HashMap::new(),
            aliases,
            met: HashSet::new(),
            numbers: HashMap::new(),
        }
    }

    /// Adds the entries of a server. Their own names come first, then `mux.aliases`, then the
    /// server's further prefixes: a name in a list is never lost to one that is in none.
    pub(super) fn add(&mut self, source: &Source, sifted: &Sifted<'a>) {
        let from = self.claims.entries.len();
        for raw in &sifted.offered {
            self.place(source, raw);
        }
        for position in from..self.claims.entries.len() {
            self.give_aliases(position);
        }
        for prefix in &source.rules.aliases {
            for position in from..self.claims.entries.len() {
                let original = self.claims.entries[position].route.original.clone();
                let name = self.renamed(source, original.as_str());
                let name = PublicName::new(self.fit(&self.with_prefix(source, Some(prefix), name)));
                self.claims.also(name, position, Claim::PrefixAlias);
            }
        }
    }

    fn place(&mut self, source: &Source, raw: &'a RawEntry) {
        let original = raw.key.as_str();
        let renamed = self.renamed(source, original);
        let prefix = source.rules.prefix.as_deref();
        let full = self.with_prefix(source, prefix, renamed);
        let limit = self.naming.max_name_length;
        let wanted = shortened(&full, limit);
        let tries = if self.naming.on_conflict == OnConflict::Suffix {
            MAX_TRIES
        } else {
            0
        };
        let numbers = &mut self.numbers;
        let spare = std::iter::repeat_with(|| {
            let number = numbers.entry(full.clone()).or_insert(2);
            let name = shortened(&format!("{full}_{number}"), limit).into_owned();
            *number += 1;
            name
        });
        let Some(position) = self
            .claims
            .place(&source.server, raw, &wanted, spare.take(tries))
        else {
            return;
        };
        if renamed != original {
            self.former
                .entry(self.fit(&self.with_prefix(source, prefix, original)))
                .or_insert(position);
        }
    }

    /// Gives an entry the names that `mux.aliases` has for it; the first one is listed.
    fn give_aliases(&mut self, position: usize) {
        let public = self.claims.entries[position].public.clone();
        let Some((target, aliases)) = self.aliases.get_key_value(public.as_str()) else {
            return;
        };
        self.met.insert(target);
        let mut listed = None;
        for alias in aliases {
            let alias = PublicName::new(*alias);
            if self.claims.also(alias.clone(), position, Claim::Alias) {
                listed.get_or_insert(alias);
            }
        }
        if let Some(alias) = listed {
            self.claims.entries[position].public = alias;
        }
    }

    fn renamed<'s>(&self, source: &'s Source, original: &'s str) -> &'s str {
        let rules = filter::section(&source.rules, self.kind);
        rules.rename.get(original).map_or(original, String::as_str)
    }

    fn with_prefix(&self, source: &Source, prefix: Option<&str>, name: &str) -> String {
        let own = source.rules.separator.as_deref();
        prefixed(prefix, own.unwrap_or(self.naming.separator), name)
    }

    fn fit(&self, full: &str) -> String {
        shortened(full, self.naming.max_name_length).into_owned()
    }
}
