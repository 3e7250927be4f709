//! Documents as people write them, and worse: comments, trailing commas and white space anywhere.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// The names that entries may have.
pub(super) const NAMES: [&str; 4] = ["a", "b c", "d.e", "ü\"\\"];

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// White space and comments of JSON, or nothing.
fn gap() -> impl Strategy<Value = String> {
    let pieces = vec![
        "",
        "",
        " ",
        "\n",
        "\r\n",
        "\n    ",
        "\t",
        " // c, {\"\r\n",
        "/* ,} */",
        "/**/ ",
        "  ",
    ];
    vec(select(pieces), 0..3).prop_map(|pieces| pieces.concat())
}

/// Brackets around items, with gaps and perhaps a trailing comma.
fn enclosed(
    [open, close]: [&'static str; 2],
    items: impl Strategy<Value = Vec<String>>,
) -> impl Strategy<Value = String> {
    let gaps = vec((gap(), gap()), 6);
    (items, gaps, gap(), any::<bool>()).prop_map(move |(items, gaps, last, trailing)| {
        let mut text = open.to_owned();
        let count = items.len();
        for (index, (item, (before, after))) in items.into_iter().zip(gaps).enumerate() {
            let comma = if index + 1 < count || trailing {
                ","
            } else {
                ""
            };
            text.extend([&before, &item, &after, comma]);
        }
        text + &last + close
    })
}

fn entry() -> impl Strategy<Value = String> {
    let member = select(vec![
        r#""command" : "x""#,
        r#""args":["a", /* c */ "]"]"#,
        r#""env": { "K": "${V}" }"#,
        "\"disabled\"\n: true",
        r#""enabled": true"#,
        r#""disabled": null"#,
    ]);
    enclosed(["{", "}"], vec(member.prop_map(str::to_owned), 0..4))
}

/// A JSON document, and which entries it has.
pub(super) fn json() -> impl Strategy<Value = (String, Vec<&'static str>)> {
    let names = proptest::sample::subsequence(NAMES.to_vec(), 0..=NAMES.len());
    let entries = (names.prop_shuffle(), vec((entry(), gap()), NAMES.len()));
    entries.prop_flat_map(|(names, entries)| {
        let pairs = names.iter().zip(entries);
        let items: Vec<String> = pairs
            .map(|(name, (entry, gap))| format!("{}:{gap}{entry}", quoted(name)))
            .collect();
        let servers = enclosed(["{", "}"], Just(items));
        let members = (servers, gap(), any::<bool>(), any::<bool>()).prop_map(
            |(servers, gap, before, after)| {
                let mut members = vec![format!("\"mcpServers\"{gap}:{servers}")];
                if before {
                    members.insert(0, "\"mux\": { \"separator\": \"__\" }".to_owned());
                }
                if after {
                    members.push("\"other\":[1,2,]".to_owned());
                }
                members
            },
        );
        let root = enclosed(["{", "}"], members);
        let mark = select(vec!["", "\u{feff}"]);
        let text = (mark, gap(), root, gap());
        text.prop_map(move |(mark, before, root, after)| {
            (format!("{mark}{before}{root}{after}"), names.clone())
        })
    })
}

/// Lines of a TOML document, each with the entry that it belongs to.
pub(super) type Lines = Vec<(Option<&'static str>, String)>;

fn filler() -> impl Strategy<Value = String> {
    select(vec!["", "# note", "", "  # [mcp_servers.a]"]).prop_map(str::to_owned)
}

/// The lines of one entry with headers.
fn table(name: &'static str) -> impl Strategy<Value = Lines> {
    let key = toml_edit::Key::new(name).to_string();
    let body = vec(
        select(vec![
            "command = 'x' # c",
            "  args = [\n  'a', # b\n]",
            "enabled = true",
            "text = '''\n[mcp_servers.x]\n'''",
            "env.K = '1'",
        ]),
        0..3,
    );
    (body, any::<bool>()).prop_map(move |(mut body, sub)| {
        body.sort_unstable();
        body.dedup();
        let mut lines = vec![format!("[mcp_servers.{key}] # {name}")];
        lines.extend(body.into_iter().map(str::to_owned));
        if sub {
            lines.push(format!("[mcp_servers.{key}.headers]"));
            lines.push("X = \"${Y}\"".to_owned());
        }
        lines.into_iter().map(|line| (Some(name), line)).collect()
    })
}

/// A TOML document of tables.
pub(super) fn toml() -> impl Strategy<Value = (Lines, bool, bool)> {
    let names = proptest::sample::subsequence(NAMES.to_vec(), 0..=NAMES.len());
    let blocks = names.prop_shuffle().prop_flat_map(|names| {
        let tables: Vec<_> = names.into_iter().map(table).collect();
        (
            tables,
            vec(vec(filler(), 0..3), NAMES.len() + 1),
            any::<bool>(),
        )
    });
    let lines = blocks.prop_map(|(tables, fillers, other)| {
        let mut lines: Lines = vec![(None, "model = 'm' # top".to_owned())];
        let mut fillers = fillers.into_iter();
        for table in tables {
            let filler = fillers.next().unwrap_or_default();
            lines.extend(filler.into_iter().map(|line| (None, line)));
            lines.extend(table);
        }
        if other {
            lines.push((None, "[tui]".to_owned()));
            lines.push((None, "theme = 'dark'".to_owned()));
        }
        let filler = fillers.next().unwrap_or_default();
        lines.extend(filler.into_iter().map(|line| (None, line)));
        lines
    });
    (lines, any::<bool>(), any::<bool>())
}

/// The text of the lines, with its line ends.
pub(super) fn text_of(lines: &Lines, crlf: bool, ended: bool) -> String {
    let newline = if crlf { "\r\n" } else { "\n" };
    let lines: Vec<String> = lines
        .iter()
        .map(|(_, line)| line.replace('\n', newline))
        .collect();
    lines.join(newline) + if ended { newline } else { "" }
}
