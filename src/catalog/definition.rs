//! The definition that clients get: the server's own bytes, with single members replaced.

use crate::protocol::Kind;
use crate::wire::{Json, Splice};

/// What to replace in an entry. What says the same already stays byte for byte.
pub(super) struct Changes<'a> {
    pub(super) kind: Kind,
    /// The name or URI that the server gave.
    pub(super) original: &'a str,
    /// The name or URI to give instead.
    pub(super) public: &'a str,
    pub(super) describe: Option<&'a str>,
    /// The new `_meta`.
    pub(super) meta: Option<Json>,
}

/// The entry with the changes made.
pub(super) fn definition(entry: &Json, changes: Changes<'_>) -> Json {
    let Some(mut splice) = Splice::new(entry) else {
        return entry.clone();
    };
    if changes.public != changes.original {
        splice.set(changes.kind.key_member(), Json::string(changes.public));
    }
    if let Some(text) = changes.describe {
        let same = |old: Json| old.text().is_some_and(|old| old == text);
        if !entry.get("description").is_some_and(same) {
            splice.set("description", Json::string(text));
        }
    }
    if let Some(meta) = changes.meta {
        splice.set("_meta", meta);
    }
    splice.finish()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(entry: &'static str, public: &str, describe: Option<&str>) -> String {
        let entry = Json::from_static(entry);
        let changes = Changes {
            kind: Kind::Tool,
            original: "a",
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
