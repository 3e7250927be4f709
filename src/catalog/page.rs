//! Lists cut into pages that are serialised once, and the cursors between them.

use std::ops::Range;

use super::definition::{may_have_schemas, without_odd_schema};
use super::entry::Entry;
use super::naming::stable_hash;
use crate::protocol::Kind;
use crate::wire::Json;

/// The most entries of one page.
pub const MAX_PAGE_ENTRIES: usize = 1_000;

/// The most bytes of one page's entries; only an entry that is larger itself exceeds it.
pub const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// One page of a list, ready to be sent. Cloning counts references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The array of the definitions.
    pub items: Json,
    /// The cursor of the next page; `None` on the last one.
    pub next: Option<String>,
    /// The list result: `{"tools":[…],"nextCursor":"…"}`.
    pub body: Json,
    /// The same for readers that expect every output schema to be that of an object (2025-06-18 to 2025-11-25),
    /// where it differs: others are left out, since such readers refuse the whole list.
    pub plain: Option<Json>,
}

/// A cursor that we did not mint for this kind, or whose entry is gone. The empty string is such a
/// cursor, since we never mint it: it is not the start of the list (2026-07-28, "Pagination").
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one of this list; start again without one")]
pub struct BadCursor;

/// All pages of one list.
#[derive(Debug)]
pub(super) struct Pages {
    kind: Kind,
    /// In order; at least one.
    pages: Vec<Cut>,
}

#[derive(Debug)]
struct Cut {
    /// Position of the first entry.
    start: usize,
    page: Page,
}

impl Pages {
    /// Cuts a list. The definitions become slices of the pages: one copy of each is enough. A page that is as it was
    /// in an older list stays in its place in memory.
    pub(super) fn new(kind: Kind, entries: &mut [Entry], before: Option<Older<'_>>) -> Self {
        let mut pages = Vec::new();
        let mut start = 0;
        loop {
            let end = end_of_page(entries, start);
            let same = before.and_then(|before| before.page(entries, start..end));
            let page = same.unwrap_or_else(|| page(kind, entries, start..end));
            let mut at = 1;
            for entry in &mut entries[start..end] {
                let behind = at + entry.definition.len();
                entry.definition = page.items.part(at..behind);
                at = behind + 1;
            }
            pages.push(Cut { start, page });
            if end == entries.len() {
                return Self { kind, pages };
            }
            start = end;
        }
    }

    /// The page behind a cursor, or the first one.
    ///
    /// A cursor names the last entry that was given out. So it holds for every process that serves
    /// the same servers, and when the list changes while a client reads it, the client meets no
    /// entry twice: it goes on behind that entry, wherever it stands now.
    pub(super) fn get(&self, entries: &[Entry], cursor: Option<&str>) -> Result<Page, BadCursor> {
        let start = match cursor {
            None => 0,
            Some(cursor) => self.position(entries, cursor).ok_or(BadCursor)? + 1,
        };
        let cut = self.pages.binary_search_by_key(&start, |cut| cut.start);
        Ok(match cut {
            Ok(index) => self.pages[index].page.clone(),
            Err(_) => page(self.kind, entries, start..end_of_page(entries, start)),
        })
    }

    /// The position of the entry that a cursor names: where it was when the cursor was minted, else
    /// wherever it is now.
    fn position(&self, entries: &[Entry], cursor: &str) -> Option<usize> {
        let (position, hash) = cursor.strip_prefix(letter(self.kind))?.split_once('-')?;
        let position: usize = position.parse().ok()?;
        let hash = u64::from_str_radix(hash, 16).ok()?;
        let named = |entry: &Entry| stable_hash(entry.public.as_str().as_bytes()) == hash;
        if entries.get(position).is_some_and(named) {
            return Some(position);
        }
        entries.iter().position(named)
    }
}

/// A list that was cut before.
#[derive(Clone, Copy)]
pub(super) struct Older<'a> {
    pub(super) pages: &'a Pages,
    pub(super) entries: &'a [Entry],
}

impl Older<'_> {
    /// The page that shows the same as these entries do, in the same place.
    fn page(&self, entries: &[Entry], range: Range<usize>) -> Option<Page> {
        let pages = &self.pages.pages;
        let found = pages.binary_search_by_key(&range.start, |cut| cut.start);
        let found = found.ok()?;
        let end = pages
            .get(found + 1)
            .map_or(self.entries.len(), |cut| cut.start);
        let more = range.end < entries.len();
        let (new, old) = (&entries[range.clone()], &self.entries[range.start..end]);
        let same = new.len() == old.len()
            && more == (end < self.entries.len())
            && new.iter().zip(old).all(|(new, old)| new.shows_as(old));
        same.then(|| pages[found].page.clone())
    }
}

pub(super) fn cursor(kind: Kind, entries: &[Entry], last: usize) -> String {
    let hash = stable_hash(entries[last].public.as_str().as_bytes());
    format!("{}{last}-{hash:016x}", letter(kind))
}

fn letter(kind: Kind) -> char {
    match kind {
        Kind::Tool => 't',
        Kind::Resource => 'r',
        Kind::Template => 'u',
        Kind::Prompt => 'p',
    }
}

fn end_of_page(entries: &[Entry], start: usize) -> usize {
    let mut bytes = 0;
    let fits = |entry: &&Entry| {
        bytes += entry.definition.len() + 1;
        bytes <= MAX_PAGE_BYTES
    };
    let fitting = entries[start..]
        .iter()
        .take(MAX_PAGE_ENTRIES)
        .take_while(fits)
        .count();
    (start + fitting.max(1)).min(entries.len())
}

fn page(kind: Kind, entries: &[Entry], range: Range<usize>) -> Page {
    let next = (range.end < entries.len()).then(|| cursor(kind, entries, range.end - 1));
    let definitions: Vec<&Json> = entries[range].iter().map(|it| &it.definition).collect();
    let (body, items) = composed(kind, &definitions, next.as_deref());
    Page {
        items: body.part(items),
        plain: match kind {
            // One look at the page: most have no output schemas.
            Kind::Tool if may_have_schemas(&body) => plain(&definitions, next.as_deref()),
            _ => None,
        },
        next,
        body,
    }
}

/// The page without output schemas that are not those of objects; `None` if there are none.
fn plain(definitions: &[&Json], next: Option<&str>) -> Option<Json> {
    let simpler: Vec<Option<Json>> = definitions
        .iter()
        .map(|it| without_odd_schema(it))
        .collect();
    if simpler.iter().all(Option::is_none) {
        return None;
    }
    let both = simpler.iter().zip(definitions);
    let definitions: Vec<&Json> = both.map(|(new, old)| new.as_ref().unwrap_or(old)).collect();
    Some(composed(Kind::Tool, &definitions, next).0)
}

/// A list result, and where in it the array of the definitions is.
fn composed(kind: Kind, definitions: &[&Json], next: Option<&str>) -> (Json, Range<usize>) {
    let size: usize = definitions.iter().map(|it| it.len() + 1).sum();
    let mut body = Vec::with_capacity(size + 100);
    body.extend_from_slice(format!("{{\"{}\":", kind.list_member()).as_bytes());
    let start = body.len();
    body.push(b'[');
    for (number, definition) in definitions.iter().enumerate() {
        if number > 0 {
            body.push(b',');
        }
        body.extend_from_slice(definition.as_bytes());
    }
    body.push(b']');
    let end = body.len();
    if let Some(next) = next {
        body.extend_from_slice(format!(",\"nextCursor\":\"{next}\"").as_bytes());
    }
    body.push(b'}');
    (Json::composed(body), start..end)
}
