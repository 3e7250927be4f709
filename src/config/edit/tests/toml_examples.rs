//! TOML texts before and after.

use std::path::Path;

use super::super::{Edit, EditError, EntryText, Existing, Holder, Power, SwitchKey, edit};
use super::examples::{entry, put};

fn codex() -> Holder {
    Holder::map(["mcp_servers"], SwitchKey::Enabled)
}

fn providers() -> Holder {
    Holder::list(["mcp", "providers"], SwitchKey::Enabled)
}

fn on(text: &str, holder: &Holder, wanted: &Edit<'_>) -> Result<String, EditError> {
    edit(Path::new("x.toml"), text, holder, wanted).map(|edited| edited.text)
}

fn removed(text: &str, name: &str) -> String {
    on(text, &codex(), &Edit::Remove { name }).unwrap()
}

const BLOCK: &str =
    "[mcp_servers.new]\ncommand = \"npx\"\nargs = [\"-y\", \"x\"]\nenv = { A = \"${B}\" }\n";

#[test]
fn a_table_comes_behind_the_others() {
    let added = |text| on(text, &codex(), &put(&entry())).unwrap();
    assert_eq!(added(""), BLOCK);
    assert_eq!(added("model = 'x'\n"), format!("model = 'x'\n\n{BLOCK}"));
    assert_eq!(
        added("model = 'x'"),
        format!("model = 'x'\n\n{}", BLOCK.trim_end())
    );
    let text = "[mcp_servers.a]\r\ncommand = 'x' # x\r\n\r\n[mcp_servers.a.env]\r\nB = '1'\r\n# end of a\r\n\r\n[tui]\r\n";
    let block = BLOCK.replace('\n', "\r\n");
    assert_eq!(
        added(text),
        text.replace("# end", &format!("\r\n{block}# end"))
    );
    assert_eq!(
        added("mcp_servers.a.command = 'x'\nz = 1\n[tui]\n"),
        format!("mcp_servers.a.command = 'x'\nz = 1\n\n{BLOCK}[tui]\n")
    );
    assert_eq!(
        added("mcp_servers = { a = { command = 'x' } }"),
        "mcp_servers = { a = { command = 'x' }, new = { command = \"npx\", args = [\"-y\", \"x\"], env = { A = \"${B}\" } } }"
    );
    assert_eq!(
        on(
            "[mcp]\nenabled = true\n",
            &providers(),
            &put(&EntryText::new())
        )
        .unwrap(),
        "[mcp]\nenabled = true\n\n[[mcp.providers]]\nname = \"new\"\n"
    );
}

#[test]
fn a_table_goes_with_its_subtables() {
    let text = "[mcp_servers.a]\ncommand = 'x'\n# in a\n[mcp_servers.a.env]\nB = '1' # b\n# below a\n\n[mcp_servers.b]\ncommand = 'y'\n\n[tui]\n\n[mcp_servers.a.more]\n";
    assert_eq!(
        removed(text, "a"),
        "# below a\n\n[mcp_servers.b]\ncommand = 'y'\n\n[tui]\n"
    );
    assert_eq!(
        removed(text, "b"),
        text.replace("[mcp_servers.b]\ncommand = 'y'\n\n", "")
    );
    let dotted = "[mcp_servers]\na.command = 'x'\nb = { command = 'y' }\na.args = []\n";
    assert_eq!(
        removed(dotted, "a"),
        "[mcp_servers]\nb = { command = 'y' }\n"
    );
    assert_eq!(
        removed(dotted, "b"),
        dotted.replace("b = { command = 'y' }\n", "")
    );
    assert_eq!(
        removed("mcp_servers = { a = {}, b = {} }\n", "b"),
        "mcp_servers = { a = {} }\n"
    );
    let list = "[[mcp.providers]]\nname = 'a'\n\n[[mcp.providers]]\nname = 'b'\n[mcp.providers.env]\nX = '1'\n";
    let remove = |name| on(list, &providers(), &Edit::Remove { name }).unwrap();
    assert_eq!(remove("b"), "[[mcp.providers]]\nname = 'a'\n");
    assert_eq!(
        remove("a"),
        list.replace("[[mcp.providers]]\nname = 'a'\n\n", "")
    );
}

#[test]
fn adding_and_removing_leaves_nothing() {
    for text in [
        "a = 1\n",
        "[mcp_servers.a]\ncommand = 'x'\n\n[tui]\n",
        "[tui]\n# end\n",
    ] {
        let added = on(text, &codex(), &put(&entry())).unwrap();
        assert_eq!(removed(&added, "new"), text);
    }
}

#[test]
fn a_switch_is_put_where_the_entry_is() {
    let off = |text| {
        let (name, power) = ("a", Power::Off);
        on(text, &codex(), &Edit::Switch { name, power }).unwrap()
    };
    assert_eq!(
        off("[mcp_servers.a]\n  command = 'x' # x\n\n[mcp_servers.a.env]\n"),
        "[mcp_servers.a]\n  command = 'x' # x\n  enabled = false\n\n[mcp_servers.a.env]\n"
    );
    assert_eq!(off("[mcp_servers.a]"), "[mcp_servers.a]\nenabled = false");
    assert_eq!(
        off("[mcp_servers]\na.command = 'x'\n"),
        "[mcp_servers]\na.command = 'x'\na.enabled = false\n"
    );
    assert_eq!(
        off("mcp_servers = { a = { command = 'x' }, b = {} }"),
        "mcp_servers = { a = { command = 'x', enabled = false }, b = {} }"
    );
    assert_eq!(
        off("[mcp_servers]\na = {enabled=true}#c"),
        "[mcp_servers]\na = {enabled=false}#c"
    );
    let list = "[[mcp.providers]]\nname = 'a'\nenabled = true\n[mcp.providers.env]\n";
    let (name, power) = ("a", Power::Off);
    assert_eq!(
        on(list, &providers(), &Edit::Switch { name, power }).unwrap(),
        list.replace("enabled = true", "enabled = false")
    );
}

#[test]
fn a_table_is_replaced_in_its_place() {
    let entry = entry();
    let replace = |text| {
        let edit = Edit::Put {
            name: "new",
            entry: &entry,
            existing: Existing::Replace,
        };
        on(text, &codex(), &edit).unwrap()
    };
    assert_eq!(
        replace(
            "# 1\n[mcp_servers.new]\ncommand = 'old'\n[mcp_servers.new.env]\n# 2\n[tui]\n[mcp_servers.new.x]\n"
        ),
        format!("# 1\n{BLOCK}# 2\n[tui]\n")
    );
    assert_eq!(
        replace("[mcp_servers]\nnew = {} # c\n"),
        "[mcp_servers]\nnew = { command = \"npx\", args = [\"-y\", \"x\"], env = { A = \"${B}\" } } # c\n"
    );
    assert_eq!(replace("mcp_servers.new.command = 'x'\n"), BLOCK);
}

#[test]
fn null_is_left_out() {
    let entry = serde_json::json!({ "command": "x", "prefix": null });
    let edit = put(entry.as_object().unwrap());
    assert_eq!(
        on("", &codex(), &edit).unwrap(),
        "[mcp_servers.new]\ncommand = \"x\"\n"
    );
}

#[test]
fn what_cannot_be_done_is_an_error() {
    for (text, line) in [("a = 1\nmcp_servers = 7\n", 2), ("[[mcp_servers]]\n", 1)] {
        let shape = EditError::Shape {
            key: "mcp_servers".into(),
            expected: "an object",
            line,
        };
        assert_eq!(on(text, &codex(), &put(&entry())), Err(shape));
    }
    let there = on("\n[mcp_servers.new]\n", &codex(), &put(&entry()));
    assert!(
        matches!(there, Err(EditError::Exists { line: 2, .. })),
        "{there:?}"
    );
    let broken = on("[", &codex(), &put(&entry()));
    assert!(matches!(broken, Err(EditError::Broken(_))), "{broken:?}");
}
