//! `Rules`: how one server's entries are filtered and named.

use indexmap::IndexMap;

use super::patterns::Patterns;
use super::place::Place;

/// What a server entry says about names. Equality ignores where the rules were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Goes before every name, with the separator between; `None` = off. The server's key where the
    /// entry does not say.
    pub prefix: Option<String>,
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
