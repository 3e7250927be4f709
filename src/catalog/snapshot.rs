//! `Catalog`: the snapshot that calls and lists are answered from.

use std::collections::HashMap;

use super::entry::{Entry, Route};
use super::page::{BadCursor, Page};
use super::resolve::{UriIndex, UriRoute};
use super::rewrites::UriRewrites;
use super::section::Section;
use crate::protocol::{Hints, Kind, PublicName, ServerName};

/// Everything that is offered, under its public names; never changed once it is built.
#[derive(Debug)]
pub struct Catalog {
    pub(super) revision: u64,
    pub(super) tools: Section,
    pub(super) resources: Section,
    pub(super) templates: Section,
    pub(super) prompts: Section,
    pub(super) uris: UriIndex,
    pub(super) rewrites: HashMap<ServerName, UriRewrites>,
}

impl Catalog {
    /// The number of this snapshot.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Where a name leads: the name of a tool or prompt, aliases too; the exact URI of a resource;
    /// the text of a template.
    pub fn route(&self, kind: Kind, public: &str) -> Option<&Route> {
        self.section(kind).route(public)
    }

    /// Who is to be asked for a URI, listed or not.
    pub fn resolve_uri(&self, uri: &str) -> UriRoute<'_> {
        self.uris.resolve(&self.resources, uri)
    }

    /// One page of a list: the first one, or the one behind a cursor.
    ///
    /// A cursor stays good across snapshots as long as the entry before it is listed; see [`Page`]
    /// for the limits.
    pub fn page(&self, kind: Kind, cursor: Option<&str>) -> Result<Page, BadCursor> {
        let section = self.section(kind);
        section.pages.get(&section.entries, cursor)
    }

    /// How long clients may keep the list of one kind: no longer than any server allows whose entries are in it.
    pub fn hints(&self, kind: Kind) -> Hints {
        self.section(kind).hints
    }

    /// The entries of one kind, in offered order.
    pub fn entries(&self, kind: Kind) -> &[Entry] {
        &self.section(kind).entries
    }

    /// The entry that is called by this name, listed or not.
    pub fn entry(&self, kind: Kind, public: &str) -> Option<&Entry> {
        self.section(kind).get(public)
    }

    /// The listed name that was most likely meant by an unknown one: what a renamed entry is called
    /// now, the public name of an original one, or the name that differs least.
    pub fn suggest(&self, kind: Kind, wanted: &str) -> Option<&PublicName> {
        self.section(kind).suggest(wanted)
    }

    /// The kinds whose lists clients see differently than in an older catalog.
    pub fn changed_from(&self, older: &Self) -> Vec<Kind> {
        let changed = |kind: &Kind| !self.section(*kind).shows_the_same_as(older.section(*kind));
        Kind::ALL.into_iter().filter(changed).collect()
    }

    /// Whether every name and URI leads where it leads in another catalog, and every list is the same.
    pub fn is_like(&self, other: &Self) -> bool {
        let same = |kind| self.section(kind).leads_like(other.section(kind));
        Kind::ALL.into_iter().all(same)
            && self.uris == other.uris
            && self.rewrites == other.rewrites
    }

    /// Whether the filters of a server let it be asked for a URI that nobody lists, a link that it gave
    /// out for one.
    pub fn may_read(&self, server: &ServerName, uri: &str) -> bool {
        self.uris.may_read(server, uri)
    }

    /// What became of the URIs of a server; only for servers whose URIs another server had already.
    pub fn uri_rewrites(&self, server: &ServerName) -> Option<&UriRewrites> {
        self.rewrites.get(server)
    }

    pub(super) fn section_mut(&mut self, kind: Kind) -> &mut Section {
        match kind {
            Kind::Tool => &mut self.tools,
            Kind::Resource => &mut self.resources,
            Kind::Template => &mut self.templates,
            Kind::Prompt => &mut self.prompts,
        }
    }

    pub(super) fn section(&self, kind: Kind) -> &Section {
        match kind {
            Kind::Tool => &self.tools,
            Kind::Resource => &self.resources,
            Kind::Template => &self.templates,
            Kind::Prompt => &self.prompts,
        }
    }
}
