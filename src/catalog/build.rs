//! From what the servers offer and what the rules say to one catalog.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::claims::Claims;
use super::conflict::Conflict;
use super::dead::DeadRule;
use super::definition::{Changes, definition, relinked};
use super::entry::Entry;
use super::filter::{Sifted, section, sift};
use super::former::{Before, Former};
use super::inventory::{Inventory, RawEntry};
use super::names::Names;
use super::section::Section;
use super::snapshot::Catalog;
use super::uris::Uris;
use crate::config::{OnConflict, Rules, Settings};
use crate::protocol::{Kind, ServerName};
use crate::wire::Json;

/// One server: what it offers, and what its rules make of that.
#[derive(Clone, Debug)]
pub struct Source {
    /// The server.
    pub server: ServerName,
    /// Its rules.
    pub rules: Arc<Rules>,
    /// What it offers.
    pub inventory: Arc<Inventory>,
}

impl Source {
    /// Whether both are the same server with the very same rules and inventory, not only equal ones.
    /// The same sources in the same order make the same catalog, so it need not be built again.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.server == other.server
            && Arc::ptr_eq(&self.rules, &other.rules)
            && Arc::ptr_eq(&self.inventory, &other.inventory)
    }
}

/// The settings that names depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Naming<'a> {
    /// Stands between prefix and name.
    pub separator: &'a str,
    /// The longest public name of a tool or prompt, in characters; aliases are as they were written.
    pub max_name_length: usize,
    /// What becomes of the second entry of one name.
    pub on_conflict: OnConflict,
    /// Further name → public name.
    pub aliases: &'a IndexMap<String, String>,
}

impl<'a> Naming<'a> {
    /// What the settings say about names.
    pub fn of(settings: &'a Settings) -> Self {
        Self {
            separator: &settings.separator,
            max_name_length: settings.max_name_length,
            on_conflict: settings.on_conflict,
            aliases: &settings.aliases,
        }
    }
}

/// A catalog, and what to tell the user about it.
#[derive(Debug)]
pub struct Built {
    /// The catalog.
    pub catalog: Catalog,
    /// Names that two entries wanted: tools, resources, templates, prompts, each in file order.
    pub conflicts: Vec<Conflict>,
    /// Rules that match nothing, in file order; those of servers that are not among the sources are
    /// unknown, and so are not here.
    pub dead_rules: Vec<DeadRule>,
}

/// Builds the catalog of the servers, given in file order: the first one has precedence.
///
/// The order of every list is that of the servers, then each server's own.
pub fn build(sources: &[Source], naming: &Naming<'_>, revision: u64) -> Built {
    rebuild(None, sources, naming, revision)
}

/// Builds the catalog that comes after another one. Entries of servers that are as they were, and pages that show the
/// same, are those of `before`.
pub fn rebuild(
    before: Option<Before<'_>>,
    sources: &[Source],
    naming: &Naming<'_>,
    revision: u64,
) -> Built {
    let mut builder = Builder {
        former: Former::of(before, naming),
        uris: Uris::new(naming.on_conflict),
        tools: Names::new(Kind::Tool, *naming),
        prompts: Names::new(Kind::Prompt, *naming),
        dead_rules: Vec::new(),
    };
    for kind in [Kind::Tool, Kind::Prompt] {
        let before = builder.former.section(kind);
        let expected = before.map_or(0, |section| section.entries.len());
        builder.claims(kind).expect(expected);
    }
    for source in sources {
        builder.add(source);
    }
    let mut built = builder.finish(naming, revision);
    for kind in Kind::ALL {
        built.catalog.section_mut(kind).heed(kind, sources);
    }
    built
}

struct Builder<'a> {
    former: Former<'a>,
    uris: Uris<'a>,
    tools: Names<'a>,
    prompts: Names<'a>,
    dead_rules: Vec<DeadRule>,
}

impl<'a> Builder<'a> {
    fn add(&mut self, source: &'a Source) {
        let Source {
            server,
            rules,
            inventory,
        } = source;
        let sifted = |kind| {
            if self.takes_over(kind, source) {
                return Sifted::default();
            }
            sift(server, section(rules, kind), inventory, kind)
        };
        let [mut tools, mut resources, mut templates, mut prompts] = Kind::ALL.map(sifted);
        for sifted in [&mut tools, &mut resources, &mut templates, &mut prompts] {
            self.dead_rules.append(&mut sifted.dead);
        }
        let from = Kind::ALL.map(|kind| self.claims(kind).entries.len());
        let mut adding = self.uris.add(source, &resources, &templates);
        self.tools.add(source, &tools);
        self.prompts.add(source, &prompts);
        for (kind, from) in Kind::ALL.into_iter().zip(from) {
            let describe = &section(rules, kind).describe;
            if kind == Kind::Tool {
                let uris = &mut self.uris;
                let meta = |tool: &Json| relinked(tool, |uri| uris.link(&mut adding, uri));
                define(self.tools.claims.from(from), describe, meta);
            } else {
                define(self.claims(kind).from(from), describe, |_| None);
            }
        }
        self.uris.finish(adding);
    }

    /// Takes over what the catalog before had of a server, if it is the same now; says whether it is.
    fn takes_over(&mut self, kind: Kind, source: &'a Source) -> bool {
        let Some(entries) = self.former.entries(kind, source) else {
            return false;
        };
        let raw = source.inventory.entries(kind);
        self.claims(kind).take_over(entries, raw)
    }

    fn claims(&mut self, kind: Kind) -> &mut Claims<'a> {
        match kind {
            Kind::Tool => &mut self.tools.claims,
            Kind::Resource => &mut self.uris.resources,
            Kind::Template => &mut self.uris.templates,
            Kind::Prompt => &mut self.prompts.claims,
        }
    }

    fn finish(mut self, naming: &Naming<'_>, revision: u64) -> Built {
        let conflicts = Kind::ALL
            .map(|kind| std::mem::take(&mut self.claims(kind).conflicts))
            .concat();
        let mut dead_rules = self.dead_rules;
        let (tools, prompts) = (self.tools, self.prompts);
        let idle = naming.aliases.iter().filter(|(_, target)| {
            !tools.met.contains(target.as_str()) && !prompts.met.contains(target.as_str())
        });
        dead_rules.extend(idle.map(|(alias, target)| DeadRule::alias(alias, target)));
        let before = |kind| self.former.section(kind);
        let section = |kind, claims, renamed| Section::new(kind, claims, renamed, before(kind));
        let plain = |kind, claims| section(kind, claims, HashMap::new());
        let catalog = Catalog {
            revision,
            tools: section(Kind::Tool, tools.claims, tools.former),
            resources: plain(Kind::Resource, self.uris.resources),
            templates: plain(Kind::Template, self.uris.templates),
            prompts: section(Kind::Prompt, prompts.claims, prompts.former),
            uris: self.uris.index,
            rewrites: self.uris.rewrites,
        };
        Built {
            catalog,
            conflicts,
            dead_rules,
        }
    }
}

/// Writes the definitions of entries; `meta` gives a new `_meta` for one.
fn define<'e>(
    entries: impl Iterator<Item = (&'e mut Entry, &'e RawEntry)>,
    describe: &IndexMap<String, String>,
    mut meta: impl FnMut(&Json) -> Option<Json>,
) {
    for (entry, raw) in entries {
        let changes = Changes {
            public: entry.public.as_str(),
            describe: describe.get(raw.key.as_str()).map(String::as_str),
            meta: meta(&raw.json),
        };
        entry.definition = definition(raw, changes);
    }
}
