//! URIs in what servers answer, given the form under which clients know them.

use crate::protocol::Method;
use crate::wire::{Json, Splice};

/// The members that lead to URIs in results of tools, prompts and reads.
const PATHS: &[&str] = &["content", "contents", "messages", "resource"];
/// The members that lead to URIs in what servers say of skills and folders (SEP-2640).
const SKILL_PATHS: &[&str] = &["skill", "resources"];
/// `messages[].content[].resource.uri` is the deepest place.
const MAX_DEPTH: usize = 8;

/// The result with every URI of the server that another server had first in its public form. Bytes around
/// them stay as they are.
pub(super) fn with_public_uris(
    result: &Json,
    method: &Method,
    public: &dyn Fn(&str) -> Option<String>,
) -> Json {
    let paths = match method {
        Method::SkillsList | Method::SkillsGet | Method::DirectoryRead => SKILL_PATHS,
        _ => PATHS,
    };
    let rewriter = Rewriter { paths, public };
    rewriter
        .rewritten(result, 0)
        .unwrap_or_else(|| result.clone())
}

struct Rewriter<'a> {
    paths: &'a [&'a str],
    public: &'a dyn Fn(&str) -> Option<String>,
}

impl Rewriter<'_> {
    /// `None`: nothing in it changes.
    fn rewritten(&self, value: &Json, depth: usize) -> Option<Json> {
        if depth > MAX_DEPTH {
            return None;
        }
        if let Some(elements) = value.elements() {
            let changed: Vec<Option<Json>> = elements
                .iter()
                .map(|element| self.rewritten(element, depth + 1))
                .collect();
            if changed.iter().all(Option::is_none) {
                return None;
            }
            let merged: Vec<Json> = changed
                .into_iter()
                .zip(elements)
                .map(|(changed, element)| changed.unwrap_or(element))
                .collect();
            return Some(Json::array(&merged));
        }
        let members = value.members()?;
        let mut splice = Splice::new(value)?;
        let mut any = false;
        for (key, member) in members {
            let replacement = match key.as_ref() {
                "uri" => {
                    let original = member.text();
                    let public = original.as_deref().and_then(|uri| (self.public)(uri));
                    public.map(|public| Json::string(&public))
                }
                key if self.paths.contains(&key) => self.rewritten(&member, depth + 1),
                _ => None,
            };
            if let Some(replacement) = replacement {
                splice.set(key.into_owned(), replacement);
                any = true;
            }
        }
        any.then(|| splice.finish())
    }
}
