//! The URIs of all servers while a catalog is built: who offers which, and under which other URI
//! where an earlier server has it already.

use std::collections::HashMap;
use std::sync::Arc;

use super::build::Source;
use super::claims::Claims;
use super::entry::Route;
use super::filter::{self, Sifted};
use super::inventory::RawEntry;
use super::naming;
use super::resolve::{OfferedTemplate, UriIndex, UriServer};
use super::rewrites::UriRewrites;
use super::templates::Template;
use crate::config::OnConflict;
use crate::protocol::{Kind, OriginalName, PublicName, ServerName};

/// How many further URIs are tried for one that is taken.
const MAX_TRIES: usize = 1_000;

/// Resources and templates of the servers that were added so far.
pub(super) struct Uris<'a> {
    on_conflict: OnConflict,
    pub(super) resources: Claims<'a>,
    pub(super) templates: Claims<'a>,
    pub(super) rewrites: HashMap<ServerName, UriRewrites>,
    pub(super) index: UriIndex,
}

/// The server that is being added.
pub(super) struct Adding<'a> {
    source: &'a Source,
    /// What a URI of this server starts with when it is not kept.
    scheme: String,
    rewrites: UriRewrites,
    server: UriServer,
}

impl<'a> Uris<'a> {
    pub(super) fn new(on_conflict: OnConflict) -> Self {
        Self {
            on_conflict,
            resources: Claims::new(Kind::Resource),
            templates: Claims::new(Kind::Template),
            rewrites: HashMap::new(),
            index: UriIndex::default(),
        }
    }

    /// Adds the resources and templates of a server, sifted.
    pub(super) fn add(
        &mut self,
        source: &'a Source,
        resources: &Sifted<'a>,
        templates: &Sifted<'a>,
    ) -> Adding<'a> {
        let prefix = source
            .rules
            .prefix
            .as_deref()
            .filter(|prefix| !prefix.is_empty());
        let mut adding = Adding {
            source,
            scheme: naming::scheme_safe(prefix.unwrap_or(source.server.as_str())),
            rewrites: UriRewrites::default(),
            server: UriServer::new(source),
        };
        for raw in &resources.offered {
            self.add_resource(&mut adding, raw);
        }
        for raw in &templates.offered {
            self.add_template(&mut adding, raw);
        }
        for raw in resources.offered.iter().chain(&resources.refused) {
            adding.server.has(raw.key.as_str());
        }
        for raw in templates.offered.iter().chain(&templates.refused) {
            adding.server.has(raw.key.as_str());
        }
        let refused = templates.refused.iter().map(|raw| raw.key.as_str());
        adding
            .server
            .refused
            .extend(refused.filter_map(Template::parse));
        self.index
            .refused
            .extend(resources.refused.iter().map(|raw| raw.key.clone()));
        adding
    }

    /// Ends the adding of a server.
    pub(super) fn finish(&mut self, adding: Adding<'_>) {
        self.index.push(adding.server);
        if !adding.rewrites.is_empty() {
            self.rewrites
                .insert(adding.source.server.clone(), adding.rewrites);
        }
    }

    /// The URI under which clients can read what a tool's definition links to, if it is another one.
    /// The link need not be in any list; from now on it leads to its server.
    pub(super) fn link(&mut self, adding: &mut Adding<'_>, uri: &str) -> Option<String> {
        if let Some(public) = adding.rewrites.public(uri) {
            return Some(public.into_owned());
        }
        let route = adding.route(OriginalName::new(uri));
        let own = self
            .resources
            .holder(uri)
            .is_some_and(|holder| *holder == route);
        let readable = filter::verdict(&adding.source.rules.resources, uri).is_offered();
        if own || !readable {
            return None;
        }
        adding.server.has(uri);
        if self.resources.link(PublicName::new(uri), route.clone()) {
            adding.rewrites.note(&route.original, &PublicName::new(uri));
            return None;
        }
        let public = PublicName::new(format!("{}+{uri}", adding.scheme));
        if !self.resources.link(public.clone(), route.clone()) {
            return None;
        }
        adding.rewrites.note(&route.original, &public);
        Some(public.as_str().to_owned())
    }

    fn add_resource(&mut self, adding: &mut Adding<'_>, raw: &'a RawEntry) {
        let original = raw.key.as_str();
        let spare = adding.spare(original, self.on_conflict);
        let server = &adding.source.server;
        if let Some(position) = self.resources.place(server, raw, original, spare) {
            adding
                .rewrites
                .note(&raw.key, &self.resources.entries[position].public);
        }
    }

    fn add_template(&mut self, adding: &mut Adding<'_>, raw: &'a RawEntry) {
        let original = raw.key.as_str();
        let spare = adding.spare(original, self.on_conflict);
        let server = &adding.source.server;
        let Some(position) = self.templates.place(server, raw, original, spare) else {
            return;
        };
        let Some(template) = Template::parse(original).map(Arc::new) else {
            return;
        };
        let public = self.templates.entries[position].public.as_str();
        let added = public.strip_suffix(original).unwrap_or_default().to_owned();
        if !added.is_empty() {
            adding.rewrites.note_template(&template, &added);
        }
        adding
            .server
            .templates
            .push(OfferedTemplate { added, template });
    }
}

impl Adding<'_> {
    fn route(&self, original: OriginalName) -> Route {
        Route {
            server: self.source.server.clone(),
            original,
        }
    }

    /// Other URIs for one that is taken: `scheme+URI`, and numbered ones where conflicts are solved
    /// by numbers.
    fn spare(&self, uri: &str, on_conflict: OnConflict) -> impl Iterator<Item = String> {
        let more = if on_conflict == OnConflict::Suffix {
            MAX_TRIES
        } else {
            0
        };
        let first = std::iter::once_with(move || format!("{}+{uri}", self.scheme));
        first.chain((2..2 + more).map(move |number| format!("{}-{number}+{uri}", self.scheme)))
    }
}
