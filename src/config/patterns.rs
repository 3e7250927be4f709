//! `Patterns`: globs over names and URIs, compiled once.

use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::place::Place;

/// One glob as it was written.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The text of the glob.
    pub text: String,
    /// Where it was written.
    pub place: Place,
}

/// A set of globs. `*` crosses every character, `/` too, since URIs have many; a text that is equal
/// to a pattern always matches it, so that URI templates with `{…}` can be written as they are.
#[derive(Clone, Default)]
pub struct Patterns {
    patterns: Vec<Pattern>,
    globs: GlobSet,
}

/// A pattern that is no glob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct BadPattern {
    /// Which of the patterns, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl Patterns {
    /// Compiles the globs; fails with the first that is none.
    pub fn compile(patterns: impl IntoIterator<Item = Pattern>) -> Result<Self, BadPattern> {
        let patterns: Vec<Pattern> = patterns.into_iter().collect();
        let mut builder = GlobSetBuilder::new();
        for (index, pattern) in patterns.iter().enumerate() {
            let bad = |error: &globset::Error| BadPattern {
                index,
                reason: error.kind().to_string(),
            };
            let glob = GlobBuilder::new(&pattern.text)
                .literal_separator(false)
                .backslash_escape(true)
                .build()
                .map_err(|error| bad(&error))?;
            builder.add(glob);
        }
        // Only the sum of all globs can fail here: it is too large to compile.
        let whole = |error: globset::Error| BadPattern {
            index: 0,
            reason: error.to_string(),
        };
        let globs = builder.build().map_err(whole)?;
        Ok(Self { patterns, globs })
    }

    /// Compiles globs that have no place, for settings made in code.
    pub fn of(texts: &[&str]) -> Result<Self, BadPattern> {
        let pattern = |text: &&str| Pattern {
            text: (*text).to_owned(),
            place: Place::default(),
        };
        Self::compile(texts.iter().map(pattern))
    }

    /// Whether any pattern matches.
    pub fn matches(&self, text: &str) -> bool {
        self.globs.is_match(text) || self.patterns.iter().any(|pattern| pattern.text == text)
    }

    /// The text of the first pattern that matches.
    pub fn matching(&self, text: &str) -> Option<&str> {
        self.all_matching(text)
            .into_iter()
            .next()
            .map(|pattern| pattern.text.as_str())
    }

    /// All patterns that match, in written order.
    pub fn all_matching(&self, text: &str) -> Vec<&Pattern> {
        let hits = self.globs.matches(text);
        let hit = |(index, pattern): &(usize, &Pattern)| {
            pattern.text == text || hits.binary_search(index).is_ok()
        };
        self.patterns
            .iter()
            .enumerate()
            .filter(hit)
            .map(|(_, pattern)| pattern)
            .collect()
    }

    /// Whether there is no pattern at all.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns as written, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(|pattern| pattern.text.as_str())
    }

    /// The patterns with their places, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Pattern> {
        self.patterns.iter()
    }
}

// Two sets are equal when they decide alike; where they were written does not matter.
impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.texts().eq(other.texts())
    }
}

impl Eq for Patterns {}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.texts()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_crosses_slashes() {
        let patterns = Patterns::of(&["file:///*.md", "delete_?"]).unwrap();
        assert!(patterns.matches("file:///a/b/c.md"));
        assert!(patterns.matches("delete_1"));
        assert!(!patterns.matches("delete_12"));
        assert!(!patterns.matches("Delete_1"));
    }

    #[test]
    fn a_template_matches_its_own_text() {
        let patterns = Patterns::of(&["file:///{path}"]).unwrap();
        assert!(patterns.matches("file:///{path}"));
        assert_eq!(patterns.matching("file:///{path}"), Some("file:///{path}"));
        assert!(!patterns.matches("file:///{other}"));
    }

    #[test]
    fn the_first_match_is_named_and_all_are_known() {
        let patterns = Patterns::of(&["b*", "*c", "*"]).unwrap();
        assert_eq!(patterns.matching("bc"), Some("b*"));
        let texts = |text| -> Vec<String> {
            patterns
                .all_matching(text)
                .into_iter()
                .map(|p| p.text.clone())
                .collect()
        };
        assert_eq!(texts("bc"), ["b*", "*c", "*"]);
        assert_eq!(texts("c"), ["*c", "*"]);
        assert_eq!(texts("x"), ["*"]);
    }

    #[test]
    fn a_broken_glob_is_named_by_its_position() {
        let bad = Patterns::of(&["ok", "[x"]).unwrap_err();
        assert_eq!(bad.index, 1);
    }

    #[test]
    fn no_patterns_match_nothing() {
        assert!(Patterns::default().is_empty());
        assert!(!Patterns::default().matches(""));
    }
}
