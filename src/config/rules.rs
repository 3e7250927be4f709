//! `Rules`: how one server's entries are filtered and named.

use indexmap::IndexMap;

use super::error::{Findings, Problem};
use super::patterns::{Pattern, Patterns};
use super::place::Place;
use super::tree::Node;

/// What a server entry says about names. Equality ignores where the rules were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Goes before every name, with the separator between; `None` = off. The server's key where the
    /// entry does not say.
    pub prefix: Option<String>,
    /// Stands between prefix and name; `None` = the one of the settings.
    pub separator: Option<String>,
    /// Further prefixes that calls may use and lists do not show.
    pub aliases: Vec<String>,
    /// Rules for tools, on their names.
    pub tools: SectionRules,
    /// Rules for prompts, on their names.
    pub prompts: SectionRules,
    /// Rules for resources, on their URIs.
    pub resources: SectionRules,
    /// Rules for resource templates, on their URI templates.
    pub templates: SectionRules,
}

/// Rules for one kind of entries. All of them look at the original name or URI.
#[derive(Clone, Debug, Default)]
pub struct SectionRules {
    /// What is offered; `None` = all. An empty set offers nothing.
    pub allow: Option<Patterns>,
    /// What is not offered, even if allowed.
    pub deny: Patterns,
    /// Original name → the name to offer instead, before the prefix.
    pub rename: IndexMap<String, String>,
    /// Original name → the description to offer instead.
    pub describe: IndexMap<String, String>,
    /// Where each `rename` was written, by its original name.
    pub rename_places: IndexMap<String, Place>,
    /// Where each `describe` was written, by its original name.
    pub describe_places: IndexMap<String, Place>,
}

// The places are left out: a rule that moved to another line is the same rule.
impl PartialEq for SectionRules {
    fn eq(&self, other: &Self) -> bool {
        self.allow == other.allow
            && self.deny == other.deny
            && self.rename == other.rename
            && self.describe == other.describe
    }
}

impl Eq for SectionRules {}

impl Rules {
    /// Reads the rules of an entry whose shape is checked and whose variables are filled in.
    pub(crate) fn read(name: &str, entry: &Node, findings: &mut Findings) -> Self {
        let prefix = match entry.map().and_then(|entry| entry.get("prefix")) {
            None => Some(name),
            Some(prefix) => prefix.text().filter(|prefix| !prefix.is_empty()),
        };
        let mut section = |key| SectionRules::read(entry.get(key), findings);
        Self {
            prefix: prefix.map(str::to_owned),
            separator: entry
                .get("separator")
                .and_then(Node::text)
                .map(str::to_owned),
            tools: section("tools"),
            prompts: section("prompts"),
            resources: section("resources"),
            templates: section("templates"),
            aliases: entry.get("aliases").map(texts).unwrap_or_default(),
        }
    }
}

impl SectionRules {
    fn read(section: Option<&Node>, findings: &mut Findings) -> Self {
        let Some(section) = section else {
            return Self::default();
        };
        let allow = if section.list().is_some() {
            Some(section)
        } else {
            section.get("allow")
        };
        let (rename, rename_places) = section.get("rename").map(pairs).unwrap_or_default();
        let (describe, describe_places) = section.get("describe").map(pairs).unwrap_or_default();
        Self {
            allow: allow.map(|allow| patterns(allow, findings)),
            deny: section
                .get("deny")
                .map(|deny| patterns(deny, findings))
                .unwrap_or_default(),
            rename,
            describe,
            rename_places,
            describe_places,
        }
    }
}

/// Compiles the good patterns and reports the others.
fn patterns(list: &Node, findings: &mut Findings) -> Patterns {
    let written = list.list().into_iter().flatten().filter_map(|node| {
        let text = node.text()?.to_owned();
        let place = node.place.clone();
        Some((Pattern { text, place }, node))
    });
    let mut good = Vec::new();
    for (pattern, node) in written {
        match Patterns::compile([pattern.clone()]) {
            Ok(_) => good.push(pattern),
            Err(bad) => {
                let problem = Problem::Pattern {
                    pattern: node.shown(),
                    reason: bad.reason,
                };
                findings.error(&pattern.place, problem);
            }
        }
    }
    Patterns::compile(good).unwrap_or_else(|bad| {
        let problem = Problem::Pattern {
            pattern: list.place.key().to_owned(),
            reason: bad.reason,
        };
        findings.error(&list.place, problem);
        Patterns::default()
    })
}

/// The strings of an array.
pub(crate) fn texts(list: &Node) -> Vec<String> {
    list.list()
        .into_iter()
        .flatten()
        .filter_map(|node| node.text().map(str::to_owned))
        .collect()
}

/// The strings of an object, and where each was written.
fn pairs(map: &Node) -> (IndexMap<String, String>, IndexMap<String, Place>) {
    let members = map.map().into_iter().flatten();
    members
        .filter_map(|(key, node)| Some((key, node.text()?, &node.place)))
        .map(|(key, text, place)| ((key.clone(), text.to_owned()), (key.clone(), place.clone())))
        .unzip()
}
