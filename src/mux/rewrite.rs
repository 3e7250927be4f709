//! URIs in what servers answer, given the form under which clients know them.

use crate::catalog::UriRewrites;
use crate::wire::{Json, Splice};

/// The members that lead to URIs in results of tools, prompts and reads.
const PATHS: [&str; 4] = ["content", "contents", "messages", "resource"];
/// `messages[].content[].resource.uri` is the deepest place.
const MAX_DEPTH: usize = 8;

/// The result with every URI of the server that another server had first in its public form. Bytes around
/// them stay as they are.
pub(super) fn with_public_uris(result: &Json, rewrites: &UriRewrites) -> Json {
    rewritten(result, rewrites, 0).unwrap_or_else(|| result.clone())
}

/// `None`: nothing in it changes.
fn rewritten(value: &Json, rewrites: &UriRewrites, depth: usize) -> Option<Json> {
    if depth > MAX_DEPTH {
        return None;
    }
    if let Some(elements) = value.elements() {
        let changed: Vec<Option<Json>> = elements
            .iter()
            .map(|element| rewritten(element, rewrites, depth + 1))
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
                let public = original.as_deref().and_then(|uri| rewrites.public(uri));
                public.map(|public| Json::string(&public))
            }
            key if PATHS.contains(&key) => rewritten(&member, rewrites, depth + 1),
            _ => None,
        };
        if let Some(replacement) = replacement {
            splice.set(&key, replacement);
            any = true;
        }
    }
    any.then(|| splice.finish())
}
