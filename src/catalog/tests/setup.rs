//! Short ways to say what servers offer, for the tests beside this file.

use std::sync::Arc;

use crate::catalog::{Built, Entry, Inventory, Naming, Source, build};
use crate::config::{Patterns, Rules, Settings};
use crate::protocol::{Kind, ServerName};
use crate::wire::Json;

/// A server under its own key as prefix, that offers nothing yet.
pub(super) fn server(name: &str) -> Server {
    let rules = Rules {
        prefix: Some(name.to_owned()),
        ..Rules::default()
    };
    Server {
        name: name.to_owned(),
        rules,
        inventory: Inventory::default(),
    }
}

/// A server to be.
pub(super) struct Server {
    name: String,
    rules: Rules,
    inventory: Inventory,
}

impl Server {
    /// Offers entries of a kind that have nothing but their key.
    pub(super) fn offers(self, kind: Kind, keys: &[&str]) -> Self {
        let entry = |key: &&str| Json::object([(kind.key_member(), &Json::string(key))]);
        self.offers_json(
            kind,
            &Json::array(&keys.iter().map(entry).collect::<Vec<_>>()),
        )
    }

    /// Offers tools.
    pub(super) fn tools(self, names: &[&str]) -> Self {
        self.offers(Kind::Tool, names)
    }

    /// Offers resources.
    pub(super) fn resources(self, uris: &[&str]) -> Self {
        self.offers(Kind::Resource, uris)
    }

    /// Offers templates.
    pub(super) fn templates(self, templates: &[&str]) -> Self {
        self.offers(Kind::Template, templates)
    }

    /// Offers the entries of an array.
    pub(super) fn offers_json(mut self, kind: Kind, list: &Json) -> Self {
        let page = Json::object([(kind.list_member(), list)]);
        let (inventory, dropped) = Inventory::from_pages(&[(kind, page)]);
        assert_eq!(dropped, []);
        self.inventory
            .replace(kind, inventory.entries(kind).to_vec());
        self
    }

    /// Turns the prefix off.
    pub(super) fn bare(self) -> Self {
        self.rules(|rules| rules.prefix = None)
    }

    /// Changes the rules.
    pub(super) fn rules(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(&mut self.rules);
        self
    }

    pub(super) fn source(self) -> Source {
        Source {
            server: ServerName::new(self.name),
            rules: Arc::new(self.rules),
            inventory: Arc::new(self.inventory),
        }
    }
}

/// Compiled globs.
pub(super) fn globs(texts: &[&str]) -> Patterns {
    Patterns::of(texts).unwrap()
}

/// The catalog of some servers under the default settings.
pub(super) fn built(servers: impl IntoIterator<Item = Server>) -> Built {
    built_with(servers, |_| ())
}

/// The catalog of some servers under other settings.
pub(super) fn built_with(
    servers: impl IntoIterator<Item = Server>,
    change: impl FnOnce(&mut Settings),
) -> Built {
    let mut settings = Settings::default();
    change(&mut settings);
    let sources: Vec<Source> = servers.into_iter().map(Server::source).collect();
    build(&sources, &Naming::of(&settings), 1)
}

/// What is listed, as `public = server original`.
pub(super) fn listed(built: &Built, kind: Kind) -> Vec<String> {
    let shown = |entry: &Entry| {
        format!(
            "{} = {} {}",
            entry.public, entry.route.server, entry.route.original
        )
    };
    built.catalog.entries(kind).iter().map(shown).collect()
}

/// Where a name leads, as `server original`.
pub(super) fn route(built: &Built, kind: Kind, name: &str) -> Option<String> {
    let route = built.catalog.route(kind, name)?;
    Some(format!("{} {}", route.server, route.original))
}

/// The texts of some reports.
pub(super) fn texts(reports: &[impl ToString]) -> Vec<String> {
    reports.iter().map(ToString::to_string).collect()
}
