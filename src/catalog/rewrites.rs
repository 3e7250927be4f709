//! What became of one server's URIs that another server had already.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::templates::{Budget, MAX_URI, Template, symbols};
use crate::protocol::{OriginalName, PublicName};

/// The URIs of one server that are offered under others; to be applied wherever the server's results
/// and notifications have a URI.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct UriRewrites {
    exact: HashMap<OriginalName, PublicName>,
    /// URIs that the server lists and that are offered as they are.
    kept: HashSet<OriginalName>,
    templates: Vec<(Arc<Template>, String)>,
}

impl UriRewrites {
    /// The URI that clients know for a URI of the server; `None` if it is the same.
    pub fn public(&self, original: &str) -> Option<Cow<'_, str>> {
        if let Some(public) = self.exact.get(original) {
            return Some(Cow::Borrowed(public.as_str()));
        }
        let unlisted = !self.templates.is_empty() && !self.kept.contains(original);
        if !unlisted || original.len() > MAX_URI {
            return None;
        }
        let uri = symbols(original);
        let mut budget = Budget::new(Budget::PER_SERVER);
        let mut templates = self.templates.iter();
        let (_, added) = templates.find(|(template, _)| template.matches(&uri, &mut budget))?;
        Some(Cow::Owned(format!("{added}{original}")))
    }

    /// The listed or linked URIs that are offered under others: original and public.
    pub fn iter(&self) -> impl Iterator<Item = (&OriginalName, &PublicName)> {
        self.exact.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.templates.is_empty()
    }

    pub(super) fn note(&mut self, original: &OriginalName, public: &PublicName) {
        if original.as_str() == public.as_str() {
            self.kept.insert(original.clone());
        } else {
            self.exact.insert(original.clone(), public.clone());
        }
    }

    /// Notes that URIs of this template are offered with `added` before them.
    pub(super) fn note_template(&mut self, template: &Arc<Template>, added: &str) {
        self.templates
            .push((Arc::clone(template), added.to_owned()));
    }
}
