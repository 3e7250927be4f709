//! Rules that match nothing.

use std::fmt;

use crate::config::Place;
use crate::protocol::{Kind, ServerName};

/// A rule that matched nothing of what there is: most likely a slip of the pen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadRule {
    /// The server whose rule it is, and the kind it is for; `None` for `mux.aliases`.
    pub owner: Option<(ServerName, Kind)>,
    /// What sort of rule.
    pub rule: RuleKind,
    /// The glob, or the key of the rule.
    pub text: String,
    /// Where it was written, where that is known.
    pub place: Option<Place>,
    /// For an alias: the name that it leads to and that nothing has.
    pub target: Option<String>,
}

/// The rules that can match nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleKind {
    /// A glob of `allow`.
    Allow,
    /// A glob of `deny`.
    Deny,
    /// A key of `rename`.
    Rename,
    /// A key of `describe`.
    Describe,
    /// A key of `mux.aliases`.
    Alias,
}

impl RuleKind {
    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Rename => "rename",
            Self::Describe => "describe",
            Self::Alias => "alias",
        }
    }
}

impl DeadRule {
    pub(super) fn of_server(server: &ServerName, kind: Kind, rule: RuleKind, text: &str) -> Self {
        let owner = Some((server.clone(), kind));
        Self {
            owner,
            rule,
            text: text.to_owned(),
            place: None,
            target: None,
        }
    }

    pub(super) fn alias(alias: &str, target: &str) -> Self {
        Self {
            owner: None,
            rule: RuleKind::Alias,
            text: alias.to_owned(),
            place: None,
            target: Some(target.to_owned()),
        }
    }

    pub(super) fn at(mut self, place: Option<&Place>) -> Self {
        self.place = place.cloned();
        self
    }
}

impl fmt::Display for DeadRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.rule.word(), self.text)?;
        if let Some((server, kind)) = &self.owner {
            write!(f, " matches no {} of server `{server}`", kind.noun())?;
        }
        if let Some(target) = &self.target {
            write!(f, " leads to `{target}`, which no tool or prompt is called")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_rule_and_server() {
        let server = ServerName::new("gh");
        assert_eq!(
            DeadRule::of_server(&server, Kind::Template, RuleKind::Deny, "x*").to_string(),
            "deny `x*` matches no resource template of server `gh`"
        );
        assert_eq!(
            DeadRule::alias("s", "web__s").to_string(),
            "alias `s` leads to `web__s`, which no tool or prompt is called"
        );
    }
}
