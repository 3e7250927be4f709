//! Which of a server's entries are offered: allow and deny, on original names and URIs.

use std::collections::HashSet;

use super::dead::{DeadRule, RuleKind};
use super::inventory::{Inventory, RawEntry};
use crate::config::{Pattern, Patterns, Rules, SectionRules};
use crate::protocol::{Kind, ServerName};

/// What a filter says about one name or URI, and by which pattern.
#[derive(Clone, Copy, Debug)]
pub enum Verdict<'a> {
    /// Offered: nothing denies it, and this pattern (or the absence of an allow list) allows it.
    Offered(Option<&'a Pattern>),
    /// Denied by this pattern, whatever allows it.
    Denied(&'a Pattern),
    /// There is an allow list, and it does not have it.
    NotAllowed,
}

impl Verdict<'_> {
    /// Whether the entry is offered.
    pub fn is_offered(&self) -> bool {
        matches!(self, Self::Offered(_))
    }
}

/// The decision about one original name or URI: deny beats allow, and no allow list allows all.
pub fn verdict<'a>(rules: &'a SectionRules, original: &str) -> Verdict<'a> {
    let first = |patterns: &'a Patterns| patterns.all_matching(original).into_iter().next();
    if let Some(pattern) = first(&rules.deny) {
        return Verdict::Denied(pattern);
    }
    match &rules.allow {
        None => Verdict::Offered(None),
        Some(allow) => first(allow).map_or(Verdict::NotAllowed, |by| Verdict::Offered(Some(by))),
    }
}

/// The rules for one kind of entries.
pub fn section(rules: &Rules, kind: Kind) -> &SectionRules {
    match kind {
        Kind::Tool => &rules.tools,
        Kind::Resource => &rules.resources,
        Kind::Template => &rules.templates,
        Kind::Prompt => &rules.prompts,
    }
}

/// A server's entries of one kind, parted by its filter. Entries with a repeated key are in neither.
#[derive(Default)]
pub(super) struct Sifted<'a> {
    pub(super) offered: Vec<&'a RawEntry>,
    pub(super) refused: Vec<&'a RawEntry>,
    /// The rules that matched nothing.
    pub(super) dead: Vec<DeadRule>,
}

/// Parts the entries of one kind.
pub(super) fn sift<'a>(
    server: &ServerName,
    rules: &SectionRules,
    inventory: &'a Inventory,
    kind: Kind,
) -> Sifted<'a> {
    let mut seen = HashSet::new();
    let mut allowing = Tally::new(rules.allow.as_ref());
    let mut denying = Tally::new(Some(&rules.deny));
    let (mut offered, mut refused) = (Vec::new(), Vec::new());
    for entry in inventory.entries(kind) {
        let key = entry.key.as_str();
        if !seen.insert(key) {
            continue;
        }
        // Both are asked, so that both know which of their patterns are of use.
        let allowed = allowing.matches(key) || rules.allow.is_none();
        let denied = denying.matches(key);
        if allowed && !denied {
            offered.push(entry);
        } else {
            refused.push(entry);
        }
    }
    let mut dead = Vec::new();
    let of = |rule, text: &str| DeadRule::of_server(server, kind, rule, text);
    dead.extend(
        allowing
            .unused()
            .map(|it| of(RuleKind::Allow, &it.text).at(Some(&it.place))),
    );
    dead.extend(
        denying
            .unused()
            .map(|it| of(RuleKind::Deny, &it.text).at(Some(&it.place))),
    );
    // URIs are kept, so a rename of one does nothing.
    let renames = matches!(kind, Kind::Tool | Kind::Prompt);
    let unmet = |key: &&String| !seen.contains(key.as_str());
    let idle = rules.rename.keys().filter(|key| !renames || unmet(key));
    dead.extend(idle.map(|it| of(RuleKind::Rename, it).at(rules.rename_places.get(it))));
    let idle = rules.describe.keys().filter(unmet);
    dead.extend(idle.map(|it| of(RuleKind::Describe, it).at(rules.describe_places.get(it))));
    Sifted {
        offered,
        refused,
        dead,
    }
}

/// A set of patterns, with a note of those that have matched something.
struct Tally<'a> {
    patterns: Option<&'a Patterns>,
    used: HashSet<&'a str>,
}

impl<'a> Tally<'a> {
    fn new(patterns: Option<&'a Patterns>) -> Self {
        Self {
            patterns: patterns.filter(|patterns| !patterns.is_empty()),
            used: HashSet::new(),
        }
    }

    fn matches(&mut self, key: &str) -> bool {
        let Some(patterns) = self.patterns else {
            return false;
        };
        let matching = patterns.all_matching(key);
        self.used
            .extend(matching.iter().map(|pattern| pattern.text.as_str()));
        !matching.is_empty()
    }

    fn unused(&self) -> impl Iterator<Item = &'a Pattern> {
        let all = self.patterns.into_iter().flat_map(Patterns::iter);
        all.filter(|pattern| !self.used.contains(pattern.text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: Option<&[&str]>, deny: &[&str]) -> SectionRules {
        SectionRules {
            allow: allow.map(|globs| Patterns::of(globs).unwrap()),
            deny: Patterns::of(deny).unwrap(),
            ..SectionRules::default()
        }
    }

    #[test]
    fn deny_beats_allow_and_no_allow_list_allows_all() {
        let shown = |rules: &SectionRules, name| match verdict(rules, name) {
            Verdict::Offered(by) => format!("offered {:?}", by.map(|by| by.text.as_str())),
            Verdict::Denied(by) => format!("denied {}", by.text),
            Verdict::NotAllowed => "not allowed".to_owned(),
        };
        let all = rules(None, &["delete_*"]);
        assert_eq!(shown(&all, "list"), "offered None");
        assert_eq!(shown(&all, "delete_it"), "denied delete_*");
        let some = rules(Some(&["x", "*_issue*"]), &["delete_*"]);
        assert_eq!(shown(&some, "new_issue"), "offered Some(\"*_issue*\")");
        assert_eq!(shown(&some, "delete_issue"), "denied delete_*");
        assert_eq!(shown(&some, "list"), "not allowed");
        assert_eq!(shown(&rules(Some(&[]), &[]), "list"), "not allowed");
    }
}
