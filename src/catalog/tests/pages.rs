use std::ops::Range;

use proptest::prelude::*;

use crate::catalog::page::{
    BadCursor, MAX_PAGE_BYTES, MAX_PAGE_ENTRIES, Older, Page, Pages, cursor,
};
use crate::catalog::{Entry, Route};
use crate::protocol::{Kind, OriginalName, PublicName, ServerName};
use crate::wire::Json;

fn entry(name: &str, size: usize) -> Entry {
    let filler = Json::string(&"x".repeat(size));
    let definition = Json::object([("name", &Json::string(name)), ("description", &filler)]);
    let route = Route {
        server: ServerName::new("s"),
        original: OriginalName::new(name),
    };
    Entry {
        public: PublicName::new(name),
        route,
        definition,
        harmless: false,
    }
}

fn numbered(range: Range<usize>, size: usize) -> Vec<Entry> {
    range
        .map(|number| entry(&format!("tool_{number}"), size))
        .collect()
}

/// A list and its pages.
fn cut(mut entries: Vec<Entry>) -> (Vec<Entry>, Pages) {
    let pages = Pages::new(Kind::Tool, &mut entries, None);
    (entries, pages)
}

/// All pages, as a client reads them.
fn read(entries: Vec<Entry>) -> Vec<Page> {
    let (entries, pages) = cut(entries);
    let mut read = vec![pages.get(&entries, None).unwrap()];
    while let Some(cursor) = read.last().and_then(|page| page.next.clone()) {
        read.push(pages.get(&entries, Some(&cursor)).unwrap());
    }
    read
}

#[test]
fn an_empty_list_is_one_page_without_a_cursor() {
    let items = Json::from_static("[]");
    let body = Json::from_static(r#"{"tools":[]}"#);
    assert_eq!(
        read(Vec::new()),
        [Page {
            items,
            next: None,
            body,
            plain: None,
        }]
    );
}

#[test]
fn a_page_has_at_most_so_many_entries() {
    let counts = |total| -> Vec<usize> {
        let count = |page: &Page| page.items.elements().unwrap().len();
        read(numbered(0..total, 0)).iter().map(count).collect()
    };
    assert_eq!(counts(1_000), [1_000]);
    assert_eq!(counts(1_001), [1_000, 1]);
    assert_eq!(counts(2_500), [1_000, 1_000, 500]);
}

#[test]
fn a_page_has_at_most_so_many_bytes() {
    let count = |page: &Page| page.items.elements().unwrap().len();
    let pages = read(numbered(0..9, MAX_PAGE_BYTES / 3));
    assert_eq!(pages.iter().map(count).collect::<Vec<_>>(), [2, 2, 2, 2, 1]);
    assert!(
        pages
            .iter()
            .all(|page| page.items.len() <= MAX_PAGE_BYTES + 1)
    );
    let pages = read(numbered(0..2, MAX_PAGE_BYTES + 1));
    assert_eq!(pages.iter().map(count).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn the_body_is_the_list_result() {
    let [first, last] = &read(numbered(0..1_001, 0))[..] else {
        panic!("two pages")
    };
    let next = first.next.as_deref().unwrap();
    let shown = format!(r#"{{"tools":{},"nextCursor":"{next}"}}"#, first.items);
    assert_eq!(first.body.to_string(), shown);
    assert_eq!(
        last.body.to_string(),
        format!(r#"{{"tools":{}}}"#, last.items)
    );
}

#[test]
fn a_strange_cursor_is_refused() {
    let (entries, pages) = cut(numbered(0..1_001, 0));
    let good = pages.get(&entries, None).unwrap().next.unwrap();
    let prompt = good.replace('t', "p");
    let gone = cursor(Kind::Tool, &[entry("gone", 0)], 0);
    for bad in [
        "",
        "1",
        "t",
        "t0",
        "t0-",
        "t-0",
        "t0-zz",
        "t99999999999999999999-0",
        &prompt,
        &gone,
    ] {
        assert_eq!(pages.get(&entries, Some(bad)), Err(BadCursor), "{bad}");
    }
    assert!(pages.get(&entries, Some(&good)).is_ok());
}

#[test]
fn a_cursor_outlives_a_change_of_the_list() {
    let (old, pages) = cut(numbered(0..1_500, 0));
    let cursor = pages.get(&old, None).unwrap().next.unwrap();
    let (new, pages) = cut([numbered(5_000..5_010, 0), old].concat());
    let page = pages.get(&new, Some(&cursor)).unwrap();
    let items = page.items.elements().unwrap();
    let names: Vec<String> = items
        .iter()
        .map(|it| it.get("name").unwrap().to_string())
        .collect();
    let expected: Vec<String> = (1_000..1_500)
        .map(|number| format!("\"tool_{number}\""))
        .collect();
    assert_eq!(names, expected);
    assert_eq!(page.next, None);
}

#[test]
fn the_last_entry_as_a_cursor_gives_an_empty_page() {
    let (entries, pages) = cut(numbered(0..2, 0));
    let page = pages
        .get(&entries, Some(&cursor(Kind::Tool, &entries, 1)))
        .unwrap();
    assert_eq!(page.items.to_string(), "[]");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn pages_in_a_row_are_the_list(sizes in proptest::collection::vec(0_usize..200_000, 0..60), many in 0_usize..2_100) {
        let mut entries: Vec<Entry> =
            sizes.iter().enumerate().map(|(at, size)| entry(&format!("big_{at}"), *size)).collect();
        entries.extend(numbered(0..many, 0));
        let definitions = |entries: &[Entry]| -> Vec<Json> {
            entries.iter().map(|entry| entry.definition.clone()).collect()
        };
        let expected = definitions(&entries);
        prop_assert_eq!(definitions(&cut(entries.clone()).0), expected.clone());
        let read: Vec<Json> =
            read(entries).iter().flat_map(|page| page.items.elements().unwrap()).collect();
        prop_assert_eq!(read, expected);
    }
}

#[test]
fn a_page_that_shows_the_same_stays_where_it_is() {
    let all = numbered(0..3 * MAX_PAGE_ENTRIES, 1);
    let place = |(entries, pages): &(Vec<Entry>, Pages), number: usize| {
        let start = number * MAX_PAGE_ENTRIES;
        let behind = start
            .checked_sub(1)
            .map(|last| cursor(Kind::Tool, entries, last));
        let page = pages.get(entries, behind.as_deref()).unwrap();
        (page.body.as_bytes().as_ptr(), page.next)
    };
    let before = cut(all.clone());
    let kept = |mut entries: Vec<Entry>| {
        let older = Older {
            pages: &before.1,
            entries: &before.0,
        };
        let pages = Pages::new(Kind::Tool, &mut entries, Some(older));
        let after = (entries, pages);
        let pages = after.0.len().div_ceil(MAX_PAGE_ENTRIES);
        let same = |number: &usize| place(&after, *number) == place(&before, *number);
        (0..pages).filter(same).collect::<Vec<_>>()
    };
    assert_eq!(kept(all.clone()), [0, 1, 2]);
    let mut other = all.clone();
    other[MAX_PAGE_ENTRIES] = entry("other", 1);
    assert_eq!(kept(other), [0, 2]);
    // What was the middle is the end now: it has no cursor.
    assert_eq!(kept(all[..2 * MAX_PAGE_ENTRIES].to_vec()), [0]);
    assert_eq!(kept(all[1..].to_vec()), [0; 0]);
}
