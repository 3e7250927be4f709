//! The definition that clients get: the server's own bytes, with single members replaced.

use super::inventory::RawEntry;
use crate::wire::{Json, Splice};

/// What to replace in an entry. What says the same already stays byte for byte.
pub(super) struct Changes<'a> {
    /// The name or URI to give instead.
    pub(super) public: &'a str,
    /// The description to give instead.
    pub(super) describe: Option<&'a str>,
    /// The new `_meta`.
    pub(super) meta: Option<Json>,
}

/// The entry with the changes made.
pub(super) fn definition(raw: &RawEntry, changes: Changes<'_>) -> Json {
    let named = if changes.public == raw.key.as_str() {
        raw.json.clone()
    } else {
        raw.renamed(changes.public)
    };
    let says_already = |text: &&str| {
        let old = named.get("description");
        old.is_some_and(|old| old.text().is_some_and(|old| old == **text))
    };
    let describe = changes.describe.filter(|text| !says_already(text));
    if describe.is_none() && changes.meta.is_none() {
        return named;
    }
    let Some(mut splice) = Splice::new(&named) else {
        return named;
    };
    if let Some(text) = describe {
        splice.set("description", Json::string(text));
    }
    if let Some(meta) = changes.meta {
        splice.set("_meta", meta);
    }
    splice.finish()
}

/// A tool without its output schema, if that is not the schema of an object (SEP-2106); `None` if it may stay.
pub(super) fn without_odd_schema(tool: &Json) -> Option<Json> {
    let schema = tool.get("outputSchema")?;
    let kind = schema.get("type");
    if kind.as_ref().and_then(Json::text).as_deref() == Some("object") {
        return None;
    }
    Some(Splice::new(tool)?.remove("outputSchema").finish())
}

/// The `_meta` of a tool with the links to its user interface (`ui.resourceUri` and the older flat
/// `ui/resourceUri`, SEP-1865) as `public` gives them; `None` if nothing changes.
///
/// `public` gets each link once and returns what to write in its place.
pub(super) fn relinked(
    tool: &Json,
    mut public: impl FnMut(&str) -> Option<String>,
) -> Option<Json> {
    let meta = tool.get("_meta")?;
    let mut relink = |object: &Json, member: &str| {
        let uri = object.get(member)?;
        let to = public(uri.text()?.as_ref())?;
        Some(Json::string(&to))
    };
    let mut splice = Splice::new(&meta)?;
    let flat = relink(&meta, "ui/resourceUri");
    let nested = meta.get("ui").and_then(|ui| {
        let to = relink(&ui, "resourceUri")?;
        Some(Splice::new(&ui)?.set("resourceUri", to).finish())
    });
    if flat.is_none() && nested.is_none() {
        return None;
    }
    if let Some(flat) = flat {
        splice.set("ui/resourceUri", flat);
    }
    if let Some(nested) = nested {
        splice.set("ui", nested);
    }
    Some(splice.finish())
}

/// Whether any tool in a text can have an output schema.
pub(super) fn may_have_schemas(text: &Json) -> bool {
    may_have(text.as_bytes(), "outputSchema")
}

/// Whether a tool can have a link to a user interface: the name of either member ends so.
pub(super) fn may_link(tool: &Json) -> bool {
    may_have(tool.as_bytes(), "resourceUri")
}

/// Whether a member can occur at all: as it is, or with its letters escaped. Most tools have neither user interface nor
/// output schema, and need not be scanned.
fn may_have(text: &[u8], member: &str) -> bool {
    let has = |part: &str| memchr::memmem::find(text, part.as_bytes()).is_some();
    has(member) || has("\\u")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Kind;

    fn changed(entry: &'static str, public: &str, describe: Option<&str>) -> String {
        let entry = RawEntry::read(Kind::Tool, Json::from_static(entry)).unwrap();
        let changes = Changes {
            public,
            describe,
            meta: None,
        };
        definition(&entry, changes).to_string()
    }

    #[test]
    fn only_what_differs_is_replaced() {
        let odd = r#"{ "n\u0061me" : "\u0061", "big":1e400, "x":{"name":"a"} }"#;
        assert_eq!(changed(odd, "a", None), odd);
        assert_eq!(
            changed(odd, "p__a", None),
            r#"{ "n\u0061me" : "p__a", "big":1e400, "x":{"name":"a"} }"#
        );
        let described = r#"{"name":"a","description":"d\u0065"}"#;
        assert_eq!(changed(described, "a", Some("de")), described);
        assert_eq!(
            changed(described, "a", Some("f")),
            r#"{"name":"a","description":"f"}"#
        );
        assert_eq!(
            changed(r#"{"name":"a"}"#, "a", Some("f")),
            r#"{"name":"a","description":"f"}"#
        );
    }

    #[test]
    fn both_forms_of_a_link_are_rewritten() {
        let rewrite = |tool: &'static str| {
            let only = |uri: &str| (uri == "ui://x").then(|| "b+ui://x".to_owned());
            relinked(&Json::from_static(tool), only).map(|meta| meta.to_string())
        };
        assert_eq!(
            rewrite(r#"{"_meta":{ "v":1, "ui":{"resourceUri":"ui://x","visibility":["app"]}}}"#),
            Some(r#"{ "v":1, "ui":{"resourceUri":"b+ui://x","visibility":["app"]}}"#.to_owned())
        );
        assert_eq!(
            rewrite(r#"{"_meta":{"ui/resourceUri":"ui:\/\/x","ui":{"resourceUri":"ui://y"}}}"#),
            Some(r#"{"ui/resourceUri":"b+ui://x","ui":{"resourceUri":"ui://y"}}"#.to_owned())
        );
        assert_eq!(
            rewrite(r#"{"_meta":{"ui":{"re\u0073ourceUri":"ui://x"}}}"#),
            Some(r#"{"ui":{"re\u0073ourceUri":"b+ui://x"}}"#.to_owned())
        );
        for untouched in [
            r#"{"_meta":{"ui":{"resourceUri":"ui://y"}}}"#,
            r#"{"_meta":{"ui":"ui://x"}}"#,
            r#"{"_meta":{"resourceUri":"ui://x"}}"#,
            r#"{"_meta":null}"#,
            r#"{"ui":{"resourceUri":"ui://x"}}"#,
        ] {
            assert_eq!(rewrite(untouched), None, "{untouched}");
        }
    }
}
