//! What one server offers, in its own words.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Range;

use super::definition::may_link;
use crate::protocol::{Hints, Kind, OriginalName};
use crate::wire::{Json, JsonKind};

/// Everything that one server offers. The keys of one kind differ from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Its tools, in its order.
    pub tools: Vec<RawEntry>,
    /// Its resources, in its order.
    pub resources: Vec<RawEntry>,
    /// Its resource templates, in its order.
    pub templates: Vec<RawEntry>,
    /// Its prompts, in its order.
    pub prompts: Vec<RawEntry>,
    /// How long its lists may be kept, as far as it says.
    hints: BTreeMap<Kind, Hints>,
}

/// One entry of a list, verbatim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEntry {
    /// The member that identifies it (`name`, `uri` or `uriTemplate`), decoded.
    pub key: OriginalName,
    /// The whole entry, in memory that only the entries of its list share.
    pub json: Json,
    /// Whether it is a tool that says of itself that calling it twice is as good as once.
    pub harmless: bool,
    /// Whether it may link to a user interface.
    pub(super) links: bool,
    /// Where in it the value of that member stands.
    key_at: Range<usize>,
}

/// Something in a list that is not offered, since nobody could ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The list.
    pub kind: Kind,
    /// Which one, from 0: the entry within the whole list, for [`DropReason::NoList`] the page.
    pub position: usize,
    /// What is wrong with it.
    pub why: DropReason,
}

/// Why an entry was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The page does not have the list, or the list is no array.
    NoList,
    /// The entry is no object.
    NotAnObject,
    /// The entry has no key member.
    NoKey,
    /// The key member is no string.
    KeyNotText,
    /// The key member occurs more than once: two readers could take it for two entries.
    KeyRepeated,
    /// An earlier entry has the same key.
    Repeats(OriginalName),
}

impl Inventory {
    /// Reads the results of all list requests, in the order in which they came.
    pub fn from_pages(pages: &[(Kind, Json)]) -> (Self, Vec<Dropped>) {
        let mut inventory = Self::default();
        let mut dropped = Vec::new();
        for kind in Kind::ALL {
            let of_kind = pages
                .iter()
                .filter(|(of, _)| *of == kind)
                .map(|(_, page)| page);
            let (entries, bad) = RawEntry::read_all(kind, of_kind.clone());
            inventory.set_hints(kind, of_kind);
            *inventory.list(kind) = entries;
            dropped.extend(bad);
        }
        (inventory, dropped)
    }

    /// The entries of one kind, in the server's order.
    pub fn entries(&self, kind: Kind) -> &[RawEntry] {
        match kind {
            Kind::Tool => &self.tools,
            Kind::Resource => &self.resources,
            Kind::Template => &self.templates,
            Kind::Prompt => &self.prompts,
        }
    }

    /// Takes other entries for one kind: a list was fetched again.
    pub fn replace(&mut self, kind: Kind, entries: Vec<RawEntry>) {
        *self.list(kind) = entries;
    }

    /// How long the list of one kind may be kept.
    pub fn hints(&self, kind: Kind) -> Hints {
        self.hints.get(&kind).copied().unwrap_or_default()
    }

    /// Takes what the pages of one kind say about how long they may be kept: the strictest counts.
    pub fn set_hints<'a>(&mut self, kind: Kind, pages: impl IntoIterator<Item = &'a Json>) {
        let hints = Hints::merged(pages.into_iter().map(Hints::read));
        if hints == Hints::default() {
            self.hints.remove(&kind);
        } else {
            self.hints.insert(kind, hints);
        }
    }

    fn list(&mut self, kind: Kind) -> &mut Vec<RawEntry> {
        match kind {
            Kind::Tool => &mut self.tools,
            Kind::Resource => &mut self.resources,
            Kind::Template => &mut self.templates,
            Kind::Prompt => &mut self.prompts,
        }
    }
}

impl RawEntry {
    /// Reads the entries of all pages (list results) of one kind.
    pub fn read_all<'a>(
        kind: Kind,
        pages: impl IntoIterator<Item = &'a Json>,
    ) -> (Vec<Self>, Vec<Dropped>) {
        let lists = pages.into_iter().map(|page| page.get(kind.list_member()));
        Self::read_lists(kind, lists)
    }

    /// Reads the entries of a list of one kind.
    pub fn read_list(kind: Kind, list: &Json) -> (Vec<Self>, Vec<Dropped>) {
        Self::read_lists(kind, [Some(list.clone())])
    }

    fn read_lists(
        kind: Kind,
        lists: impl IntoIterator<Item = Option<Json>>,
    ) -> (Vec<Self>, Vec<Dropped>) {
        let mut entries: Vec<Self> = Vec::new();
        let mut dropped = Vec::new();
        let mut keys = HashSet::new();
        let mut position = 0;
        let mut drop_one = |position, why| {
            dropped.push(Dropped {
                kind,
                position,
                why,
            });
        };
        for (number, list) in lists.into_iter().enumerate() {
            // One copy for all of them: a frame may hold much else, and a copy of each takes more memory.
            let Some(list) = list.and_then(|list| list.detached().elements()) else {
                drop_one(number, DropReason::NoList);
                continue;
            };
            for json in list {
                match Self::read(kind, json) {
                    Ok(entry) if keys.insert(entry.key.clone()) => entries.push(entry),
                    Ok(entry) => drop_one(position, DropReason::Repeats(entry.key)),
                    Err(why) => drop_one(position, why),
                }
                position += 1;
            }
        }
        entries.shrink_to_fit();
        (entries, dropped)
    }

    /// Reads one entry of a list.
    pub fn read(kind: Kind, json: Json) -> Result<Self, DropReason> {
        if json.kind() != JsonKind::Object {
            return Err(DropReason::NotAnObject);
        }
        let member = kind.key_member().as_bytes();
        let mut keys = json.entries().filter(|entry| *entry.key() == *member);
        let key = keys.next().ok_or(DropReason::NoKey)?.value();
        if keys.next().is_some() {
            return Err(DropReason::KeyRepeated);
        }
        let text = key.text().ok_or(DropReason::KeyNotText)?;
        // Members are slices of the entry.
        let start = key.as_bytes().as_ptr().addr() - json.as_bytes().as_ptr().addr();
        let (name, key_at) = (OriginalName::new(text.as_ref()), start..start + key.len());
        drop((text, keys));
        Ok(Self {
            key: name,
            harmless: kind == Kind::Tool && promises_no_harm(&json),
            links: kind == Kind::Tool && may_link(&json),
            key_at,
            json,
        })
    }

    /// The entry with another key; all other bytes are the same.
    pub(super) fn renamed(&self, key: &str) -> Json {
        let (text, key) = (self.json.as_bytes(), Json::string(key));
        let pieces = [
            &text[..self.key_at.start],
            key.as_bytes(),
            &text[self.key_at.end..],
        ];
        Json::composed(pieces.concat())
    }
}

/// Whether a tool says of itself that calling it twice is as good as once.
fn promises_no_harm(tool: &Json) -> bool {
    let Some(annotations) = tool.get("annotations") else {
        return false;
    };
    let says = |hint| {
        let value = annotations.get(hint);
        value.is_some_and(|value| value.as_bytes() == b"true")
    };
    says("readOnlyHint") || says("idempotentHint")
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.position + 1;
        let key = self.kind.key_member();
        if self.why == DropReason::NoList {
            let member = self.kind.list_member();
            return write!(f, "page {number} of the list has no array `{member}`");
        }
        write!(f, "{} number {number} is left out: ", self.kind.noun())?;
        match &self.why {
            DropReason::NoList | DropReason::NotAnObject => f.write_str("it is no object"),
            DropReason::NoKey => write!(f, "it has no `{key}`"),
            DropReason::KeyNotText => write!(f, "its `{key}` is no string"),
            DropReason::KeyRepeated => write!(f, "it has more than one `{key}`"),
            DropReason::Repeats(name) => write!(f, "`{name}` is in the list already"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(kind: Kind, list: &str) -> (Kind, Json) {
        (
            kind,
            Json::parse(format!(r#"{{"{}":{list},"x":1}}"#, kind.list_member())).unwrap(),
        )
    }

    #[test]
    fn all_pages_are_read_and_entries_kept_verbatim() {
        let (inventory, dropped) = Inventory::from_pages(&[
            page(Kind::Tool, r#"[{"name":"a", "odd" : 1e400}]"#),
            page(Kind::Resource, r#"[{"uri":"a://b","name":"n"}]"#),
            page(Kind::Tool, r#"[{"n\u0061me":"\u0062"}]"#),
            page(Kind::Template, r#"[{"uriTemplate":"a://{x}"}]"#),
            page(Kind::Prompt, r#"[{"name":"a"}]"#),
        ]);
        assert_eq!(dropped, []);
        let shown = |kind| -> Vec<String> {
            let entries = inventory.entries(kind).iter();
            entries
                .map(|entry| format!("{} {}", entry.key, entry.json))
                .collect()
        };
        assert_eq!(
            shown(Kind::Tool),
            [
                r#"a {"name":"a", "odd" : 1e400}"#,
                r#"b {"n\u0061me":"\u0062"}"#
            ]
        );
        assert_eq!(
            shown(Kind::Resource),
            [r#"a://b {"uri":"a://b","name":"n"}"#]
        );
        assert_eq!(
            shown(Kind::Template),
            [r#"a://{x} {"uriTemplate":"a://{x}"}"#]
        );
        assert_eq!(shown(Kind::Prompt), [r#"a {"name":"a"}"#]);
    }

    #[test]
    fn what_nobody_could_ask_for_is_dropped_with_the_reason() {
        let (inventory, dropped) = Inventory::from_pages(&[
            page(
                Kind::Tool,
                r#"[1,{"title":"t"},{"name":null},{"name":"a","name":"b"}]"#,
            ),
            page(Kind::Tool, r#"[{"name":"c"},{"name":"c","second":true}]"#),
            page(Kind::Prompt, r#"{"name":"a"}"#),
        ]);
        assert_eq!(inventory.tools.len(), 1);
        assert_eq!(
            dropped.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "tool number 1 is left out: it is no object",
                "tool number 2 is left out: it has no `name`",
                "tool number 3 is left out: its `name` is no string",
                "tool number 4 is left out: it has more than one `name`",
                "tool number 6 is left out: `c` is in the list already",
                "page 1 of the list has no array `prompts`",
            ]
        );
    }

    #[test]
    fn one_list_can_be_replaced() {
        let (mut inventory, _) = Inventory::from_pages(&[page(Kind::Tool, r#"[{"name":"a"}]"#)]);
        let (_, other) = page(Kind::Tool, r#"[{"name":"b"}]"#);
        let (entries, _) = RawEntry::read_all(Kind::Tool, [&other]);
        inventory.replace(Kind::Tool, entries);
        assert_eq!(inventory.tools[0].key.as_str(), "b");
    }
}
