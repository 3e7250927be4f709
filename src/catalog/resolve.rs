//! Which server a URI is read from.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::build::Source;
use super::entry::Route;
use super::filter::{Verdict, verdict};
use super::section::Section;
use super::templates::{Budget, MAX_URI, Symbol, Template, symbols};
use crate::config::Rules;
use crate::protocol::{OriginalName, ServerName};

/// Who is to be asked for a URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UriRoute<'a> {
    /// A server lists it, or links to it in the definition of a tool.
    Exact(&'a Route),
    /// A server offers a template that it matches; the route has the URI as that server knows it.
    Template(Route),
    /// Nobody is known to have it. These may, and its filter lets each of them be asked: the servers
    /// that list URIs of its scheme, else all that list any. In file order; empty if there is none.
    Owners(Vec<ServerName>),
    /// A filter denies it: it is asked of nobody.
    Denied,
}

/// What is known of the servers' URIs beside those that are listed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct UriIndex {
    /// In file order.
    servers: Vec<UriServer>,
    /// Scheme in lower case → servers that list URIs of it, in file order.
    schemes: HashMap<String, Vec<usize>>,
    /// URIs that are listed by a server and denied by its filter.
    pub(super) refused: HashSet<OriginalName>,
}

/// What one server can be asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UriServer {
    name: ServerName,
    rules: Arc<Rules>,
    /// Whether it lists or links to anything at all.
    serves: bool,
    schemes: HashSet<String>,
    pub(super) templates: Vec<OfferedTemplate>,
    /// Templates that the filter took away.
    pub(super) refused: Vec<Template>,
}

/// A template that clients see.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OfferedTemplate {
    /// What we put before it, since another server has the same one.
    pub(super) added: String,
    /// As the server gave it.
    pub(super) template: Arc<Template>,
}

impl UriIndex {
    pub(super) fn push(&mut self, server: UriServer) {
        let number = self.servers.len();
        for scheme in &server.schemes {
            self.schemes.entry(scheme.clone()).or_default().push(number);
        }
        self.servers.push(server);
    }

    /// The order is that of PRODUCT.md: exact URI, template, owner of the scheme, everybody.
    pub(super) fn resolve<'a>(&self, resources: &'a Section, uri: &str) -> UriRoute<'a> {
        if let Some(route) = resources.route(uri) {
            return UriRoute::Exact(route);
        }
        let text = Text::of(uri);
        if let Some(route) = self
            .servers
            .iter()
            .find_map(|server| server.by_template(&text))
        {
            return UriRoute::Template(route);
        }
        let is_denied = |server: &UriServer| server.denies(uri);
        if self.refused.contains(uri) || self.servers.iter().any(is_denied) {
            return UriRoute::Denied;
        }
        let owners: Vec<&UriServer> = match scheme(uri).and_then(|it| self.schemes.get(it.as_ref()))
        {
            Some(owners) => owners.iter().map(|number| &self.servers[*number]).collect(),
            None => self.servers.iter().filter(|server| server.serves).collect(),
        };
        let may_be_asked = |server: &&&UriServer| server.may_be_asked(&text);
        let asked: Vec<ServerName> = owners
            .iter()
            .filter(may_be_asked)
            .map(|server| server.name.clone())
            .collect();
        if asked.is_empty() && !owners.is_empty() {
            return UriRoute::Denied;
        }
        UriRoute::Owners(asked)
    }

    /// Whether a server may be asked for a URI that it does not list.
    pub(super) fn may_read(&self, server: &ServerName, uri: &str) -> bool {
        let text = Text::of(uri);
        let mut servers = self.servers.iter().filter(|it| it.name == *server);
        servers.any(|it| it.may_be_asked(&text)) && !self.refused.contains(uri)
    }
}

impl UriServer {
    pub(super) fn new(source: &Source) -> Self {
        Self {
            name: source.server.clone(),
            rules: Arc::clone(&source.rules),
            serves: false,
            schemes: HashSet::new(),
            templates: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Notes that the server has this URI or template, and so others of its scheme.
    pub(super) fn has(&mut self, uri: &str) {
        self.serves = true;
        if let Some(scheme) = scheme(uri)
            && !self.schemes.contains(scheme.as_ref())
        {
            self.schemes.insert(scheme.into_owned());
        }
    }

    fn by_template(&self, uri: &Text<'_>) -> Option<Route> {
        let mut budget = Budget::new(Budget::PER_SERVER);
        let mut matching = self.templates.iter().filter_map(|offered| {
            let symbols = uri.behind(&offered.added)?;
            offered
                .template
                .matches(symbols, &mut budget)
                .then(|| &uri.text[offered.added.len()..])
        });
        let original = matching.find(|it| verdict(&self.rules.resources, it).is_offered())?;
        Some(Route {
            server: self.name.clone(),
            original: OriginalName::new(original),
        })
    }

    fn denies(&self, uri: &str) -> bool {
        matches!(verdict(&self.rules.resources, uri), Verdict::Denied(_))
    }

    /// Whether its filters let the server be asked for a URI that it does not list: those for
    /// resources, and what they do not name, those for templates.
    fn may_be_asked(&self, uri: &Text<'_>) -> bool {
        let mut budget = Budget::new(Budget::PER_SERVER);
        match verdict(&self.rules.resources, uri.text) {
            Verdict::Offered(Some(_)) => true,
            Verdict::Offered(None) => {
                let symbols = uri.behind("").unwrap_or_default();
                !self
                    .refused
                    .iter()
                    .any(|it| it.matches(symbols, &mut budget))
            }
            Verdict::Denied(_) | Verdict::NotAllowed => false,
        }
    }
}

/// A URI with its symbols; without, where it is too long to be matched with templates.
struct Text<'a> {
    text: &'a str,
    symbols: Option<Vec<Symbol>>,
}

impl<'a> Text<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            text,
            symbols: (text.len() <= MAX_URI).then(|| symbols(text)),
        }
    }

    /// The symbols behind a prefix of ours, which has one symbol for each byte.
    fn behind(&self, added: &str) -> Option<&[Symbol]> {
        let symbols = self.symbols.as_deref()?;
        self.text
            .starts_with(added)
            .then(|| symbols.get(added.len()..))
            .flatten()
    }
}

/// The scheme of a URI or URI template (RFC 3986, 3.1) in lower case.
fn scheme(uri: &str) -> Option<Cow<'_, str>> {
    let (scheme, _) = uri.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_scheme.then(|| {
        if scheme.contains(|c: char| c.is_ascii_uppercase()) {
            Cow::Owned(scheme.to_ascii_lowercase())
        } else {
            Cow::Borrowed(scheme)
        }
    })
}
