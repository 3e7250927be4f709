//! Rules for the code: arrows, sizes, names, words, doors.

use crate::project::{Source, files, none, read, sources};

/// Which rooms a room may use beside itself. `app`, `cli` and the roots may use all.
const ARROWS: [(&str, &[&str]); 14] = [
    ("wire", &[]),
    ("printable", &[]),
    ("protocol", &["wire"]),
    ("vault", &[]),
    ("config", &["protocol", "vault"]),
    ("transport", &["wire", "config"]),
    ("oauth", &["vault", "transport", "config"]),
    ("catalog", &["protocol", "config", "wire"]),
    (
        "upstream",
        &[
            "oauth",
            "vault",
            "catalog",
            "transport",
            "protocol",
            "config",
            "wire",
        ],
    ),
    (
        "mux",
        &["upstream", "catalog", "protocol", "config", "wire"],
    ),
    (
        "downstream",
        &["mux", "transport", "protocol", "config", "wire"],
    ),
    ("reload", &["mux", "catalog", "config", "protocol"]),
    ("control", &["reload", "transport", "config"]),
    ("telemetry", &["config"]),
];
/// Files that put rooms together.
const ROOTS: [&str; 5] = ["app", "cli", "lib", "main", "shutdown"];
/// Made of the standard library only, for every room that prints.
const FREE: [&str; 1] = ["printable"];
/// Longest file, tests included.
const MOST_LINES: usize = 400;
/// Names of rooms that are named after nothing.
const EMPTY_NAMES: [&str; 8] = [
    "util", "utils", "helper", "helpers", "common", "misc", "manager", "types",
];
/// Words of one era, which the hub must not know.
const ERA_WORDS: [&str; 3] = ["Legacy", "Modern", "session"];

fn arrows(source: &Source) -> Vec<String> {
    let Some(room) = source.room().filter(|room| !ROOTS.contains(room)) else {
        return Vec::new();
    };
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
        return vec![source.offence(1, &format!("room `{room}` has no row in the arrows"))];
    };
    let mut offences = Vec::new();
    for (number, line) in source.code() {
        for used in line.split("crate::").skip(1) {
            let end = used
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(used.len());
            let used = &used[..end];
            if used.is_empty() {
                offences.push(source.offence(number, "`crate::{` hides a room: one `use` each"));
            } else if used != room && !allowed.contains(&used) && !FREE.contains(&used) {
                offences.push(source.offence(number, &format!("`{room}` must not use `{used}`")));
            }
        }
    }
    offences
}

#[test]
fn rooms_use_only_what_lies_below_them() {
    none(sources().iter().flat_map(arrows));
}

#[test]
fn a_wrong_arrow_is_found() {
    let text =
        "use crate::wire::Json;\n// crate::mux\nfn f() { crate::mux::x(); }\nuse crate::{a};";
    assert_eq!(
        arrows(&Source::of("src/catalog/build.rs", text)),
        [
            "src/catalog/build.rs:3: `catalog` must not use `mux`",
            "src/catalog/build.rs:4: `crate::{` hides a room: one `use` each",
        ]
    );
    assert_eq!(
        arrows(&Source::of("src/cellar/mod.rs", "")),
        ["src/cellar/mod.rs:1: room `cellar` has no row in the arrows"]
    );
}

// === size, names, words ===

fn length(source: &Source) -> Option<String> {
    let lines = source.lines().count();
    (lines > MOST_LINES).then(|| source.offence(lines, &format!("more than {MOST_LINES} lines")))
}

fn name(path: &str) -> Option<String> {
    let mut parts = path.split('/').map(|part| part.trim_end_matches(".rs"));
    let empty = parts.find(|part| EMPTY_NAMES.contains(part))?;
    Some(format!(
        "{path}:1: `{empty}` says nothing of what is inside"
    ))
}

/// Whether the word stands in the line, and not as a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let inside = |c: char| c.is_alphanumeric() || c == '_';
        !line[..at].ends_with(inside) && !line[at + word.len()..].starts_with(inside)
    })
}

fn words(source: &Source) -> Vec<String> {
    // In two pieces, so that this file does not offend.
    let everywhere = [
        ["to", "do!"],
        ["TO", "DO"],
        ["unimple", "mented!"],
        ["db", "g!("],
        ["FIX", "ME"],
        ["XX", "X"],
    ];
    let mut forbidden: Vec<String> = everywhere.iter().map(|pieces| pieces.concat()).collect();
    if source
        .room()
        .is_some_and(|room| !["cli", "main"].contains(&room))
        && !source.is_test()
    {
        forbidden.extend(["print!", "println!", "eprint!", "eprintln!"].map(str::to_owned));
    }
    let mut offences = Vec::new();
    for (number, line) in source.lines() {
        let word = forbidden.iter().find(|word| has_word(line, word));
        offences.extend(word.map(|word| source.offence(number, &format!("`{word}`"))));
    }
    if source.room() == Some("mux") {
        for (number, line) in source.code() {
            let word = ERA_WORDS.iter().find(|word| line.contains(**word));
            offences
                .extend(word.map(|w| source.offence(number, &format!("the hub knows no `{w}`"))));
        }
    }
    offences
}

#[test]
fn files_are_short() {
    none(sources().iter().filter_map(length));
}

#[test]
fn functions_are_short() {
    let clippy = read("clippy.toml");
    for line in [
        "too-many-lines-threshold = 60",
        "too-many-arguments-threshold = 5",
    ] {
        assert!(
            clippy.lines().any(|l| l == line),
            "clippy.toml says `{line}`"
        );
    }
}

#[test]
fn names_say_what_is_inside() {
    none(files("rs").iter().filter_map(|path| name(path)));
}

#[test]
fn nothing_is_left_for_later() {
    none(sources().iter().flat_map(words));
}

#[test]
fn long_files_empty_names_and_forbidden_words_are_found() {
    assert_eq!(length(&Source::of("src/a.rs", &"\n".repeat(400))), None);
    let long = Source::of("src/a.rs", &"\n".repeat(401));
    assert_eq!(length(&long).unwrap(), "src/a.rs:401: more than 400 lines");
    assert_eq!(
        name("src/mux/utils.rs").unwrap(),
        "src/mux/utils.rs:1: `utils` says nothing of what is inside"
    );
    assert_eq!(
        name("src/mux/common/a.rs").is_some(),
        name("src/mux/call.rs").is_none()
    );
    let text = format!(
        "{}\nlet Session;\nx.session();\n// session\neprintln!(1);",
        ["FIX", "ME"].concat()
    );
    assert_eq!(
        words(&Source::of("src/mux/call.rs", &text)),
        [
            format!("src/mux/call.rs:1: `{}`", ["FIX", "ME"].concat()),
            "src/mux/call.rs:5: `eprintln!`".to_owned(),
            "src/mux/call.rs:3: the hub knows no `session`".to_owned(),
        ]
    );
    assert_eq!(words(&Source::of("src/cli/x.rs", "println!(1)")), [""; 0]);
}

// === doors ===

fn door(source: &Source) -> Vec<String> {
    if !source.path.starts_with("src/") || !source.path.ends_with("/mod.rs") {
        return Vec::new();
    }
    let mut offences = Vec::new();
    if !source.text.starts_with("//! ") {
        offences.push(source.offence(1, "a door says what the room is: `//! …`"));
    }
    for (number, line) in source.code() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let logic = ["fn", "struct", "enum", "trait", "impl"];
        if words.iter().take(3).any(|word| logic.contains(word)) {
            offences.push(source.offence(number, "a door has no logic"));
        }
    }
    offences
}

#[test]
fn doors_are_documented_and_empty() {
    none(sources().iter().flat_map(door));
}

#[test]
fn a_bad_door_is_found() {
    let text = "mod a;\npub use a::fn_like;\npub(crate) async fn f() {}\n";
    assert_eq!(
        door(&Source::of("src/a/mod.rs", text)),
        [
            "src/a/mod.rs:1: a door says what the room is: `//! …`",
            "src/a/mod.rs:3: a door has no logic",
        ]
    );
}
