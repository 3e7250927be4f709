//! JSON texts before and after.

use std::path::Path;

use serde_json::json;

use super::super::{Edit, EditError, EntryText, Existing, Holder, Power, SwitchKey, edit};

/// A small entry.
pub(super) fn entry() -> EntryText {
    let entry = json!({ "command": "npx", "args": ["-y", "x"], "env": { "A": "${B}" } });
    entry.as_object().unwrap().clone()
}

pub(super) fn put(entry: &EntryText) -> Edit<'_> {
    let (name, existing) = ("new", Existing::Keep);
    Edit::Put {
        name,
        entry,
        existing,
    }
}

fn on(text: &str, holder: &Holder, wanted: &Edit<'_>) -> Result<String, EditError> {
    edit(Path::new("x.json"), text, holder, wanted).map(|edited| edited.text)
}

fn added(text: &str) -> String {
    on(text, &Holder::mcp_servers(), &put(&entry())).unwrap()
}

fn removed(text: &str, name: &str) -> String {
    on(text, &Holder::mcp_servers(), &Edit::Remove { name }).unwrap()
}

fn switched(text: &str, power: Power) -> String {
    let edit = Edit::Switch { name: "a", power };
    on(text, &Holder::mcp_servers(), &edit).unwrap()
}

const CANONICAL: &str = "{
  \"mcpServers\": {
    \"new\": {
      \"command\": \"npx\",
      \"args\": [\"-y\", \"x\"],
      \"env\": {
        \"A\": \"${B}\"
      }
    }
  }
}
";

#[test]
fn a_file_is_made_in_the_canonical_form() {
    for empty in ["", "  \n\n"] {
        assert_eq!(added(empty), CANONICAL);
    }
    assert_eq!(added("\u{feff}"), format!("\u{feff}{CANONICAL}"));
    assert_eq!(added("// mine\n"), format!("// mine\n{CANONICAL}"));
    assert_eq!(added("{}"), CANONICAL.trim_end());
    assert_eq!(added("{}\r\n"), CANONICAL.replace('\n', "\r\n"));
    assert_eq!(added("{\n}\n"), CANONICAL);
    assert_eq!(added("{\n  \"mcpServers\": null\n}\n"), CANONICAL);
}

#[test]
fn an_entry_takes_on_the_looks_of_its_neighbours() {
    assert_eq!(
        added("{\n\t\"mcpServers\": {\n\t\t\"a\": {} // one\n\t\t// \"b\": {}\n\t}\n}"),
        "{\n\t\"mcpServers\": {\n\t\t\"a\": {}, // one\n\t\t// \"b\": {}\n\t\t\"new\": {\n\t\t\t\"command\": \"npx\",\n\t\t\t\"args\": [\"-y\", \"x\"],\n\t\t\t\"env\": {\n\t\t\t\t\"A\": \"${B}\"\n\t\t\t}\n\t\t}\n\t}\n}"
    );
    assert_eq!(
        added(r#"{"x": 1, "mcpServers": {"a": {}}}"#),
        r#"{"x": 1, "mcpServers": {"a": {}, "new": {"command": "npx", "args": ["-y", "x"], "env": {"A": "${B}"}}}}"#
    );
    assert_eq!(
        on(
            "{\"mcpServers\": {\n    \"a\": {},\n  },}",
            &Holder::mcp_servers(),
            &put(&EntryText::new())
        ),
        Ok("{\"mcpServers\": {\n    \"a\": {},\n    \"new\": {},\n  },}".to_owned())
    );
}

#[test]
fn an_entry_goes_with_its_lines_and_its_comma() {
    let text = "{\n  // servers\n  \"mcpServers\": {\n    // of a\n    \"a\": {\n      \"command\": \"x\" // in a\n    }, // behind a\n    \"b\": {},\n    \"c\": {}\n  }\n}";
    assert_eq!(
        removed(text, "a"),
        text.replace(
            "\"a\": {\n      \"command\": \"x\" // in a\n    }, // behind a",
            "// behind a"
        )
    );
    assert_eq!(removed(text, "b"), text.replace("    \"b\": {},\n", ""));
    assert_eq!(
        removed(text, "c"),
        text.replace("\"b\": {},\n    \"c\": {}\n", "\"b\": {}\n")
    );
    let line = r#"{"mcpServers": {"a": {}, "b": {}, "c": {}}}"#;
    assert_eq!(removed(line, "a"), line.replace(r#""a": {}, "#, ""));
    assert_eq!(removed(line, "b"), line.replace(r#""b": {}, "#, ""));
    assert_eq!(removed(line, "c"), line.replace(r#", "c": {}"#, ""));
    assert_eq!(
        removed("{\"mcpServers\": {\n  \"a\": {}\n}}", "a"),
        "{\"mcpServers\": {\n}}"
    );
    let twice = r#"{"mcpServers": {"a": {"command": "1"}, "b": {}, "a": {"command": "2"}}}"#;
    assert_eq!(removed(twice, "a"), r#"{"mcpServers": {"b": {}}}"#);
}

#[test]
fn a_switch_uses_the_key_that_is_there() {
    for (before, off, on) in [
        ("{\"enabled\" :true}", "{\"enabled\" :false}", None),
        ("{\"disabled\": false,}", "{\"disabled\": true,}", None),
        (
            "{\"command\": \"x\"}",
            "{\"command\": \"x\", \"disabled\": true}",
            Some("{\"command\": \"x\", \"disabled\": false}"),
        ),
        (
            "{\n  \"command\": \"x\" // x\n}",
            "{\n  \"command\": \"x\", // x\n  \"disabled\": true\n}",
            Some("{\n  \"command\": \"x\", // x\n  \"disabled\": false\n}"),
        ),
        (
            "{\"enabled\": \"${E}\"}",
            "{\"enabled\": false}",
            Some("{\"enabled\": true}"),
        ),
    ] {
        let within = |entry: &str| format!("{{\"mcpServers\": {{\"a\": {entry}}}}}");
        assert_eq!(switched(&within(before), Power::Off), within(off));
        assert_eq!(switched(&within(off), Power::Off), within(off));
        assert_eq!(
            switched(&within(off), Power::On),
            within(on.unwrap_or(before))
        );
    }
    let plain = "{\"mcpServers\": {\"a\": {}}}";
    assert_eq!(switched(plain, Power::On), plain);
}

#[test]
fn lists_and_nested_maps_are_edited_too() {
    let list = Holder::list(["servers"], SwitchKey::Enabled);
    let text = "{\n  \"servers\": [\n    { \"name\": \"a\" },\n    { \"name\": \"b\" }\n  ]\n}";
    let entry = EntryText::new();
    assert_eq!(
        on(text, &list, &put(&entry)).unwrap(),
        text.replace("\"b\" }", "\"b\" },\n    {\n      \"name\": \"new\"\n    }")
    );
    let off = Edit::Switch {
        name: "b",
        power: Power::Off,
    };
    assert_eq!(
        on(text, &list, &off).unwrap(),
        text.replace("\"b\" }", "\"b\", \"enabled\": false }")
    );
    assert_eq!(
        on(text, &list, &Edit::Remove { name: "a" }).unwrap(),
        text.replace("    { \"name\": \"a\" },\n", "")
    );
    let nested = Holder::map(["projects", "/home/me", "mcpServers"], SwitchKey::Disabled);
    assert_eq!(
        on(
            "{\"projects\": {\"/home/me\": {\"x\": 1}}}",
            &nested,
            &put(&entry)
        )
        .unwrap(),
        "{\"projects\": {\"/home/me\": {\"x\": 1, \"mcpServers\": {\"new\": {}}}}}"
    );
}

#[test]
fn an_entry_is_replaced_in_its_place() {
    let entry = entry();
    let replace = Edit::Put {
        name: "a",
        entry: &entry,
        existing: Existing::Replace,
    };
    let text = r#"{"mcpServers": {"a": {"command": "old"} /* a */, "b": {}}}"#;
    assert_eq!(
        on(text, &Holder::mcp_servers(), &replace).unwrap(),
        r#"{"mcpServers": {"a": {"command": "npx", "args": ["-y", "x"], "env": {"A": "${B}"}} /* a */, "b": {}}}"#
    );
}

#[test]
fn what_cannot_be_done_is_an_error() {
    let holder = Holder::mcp_servers();
    let entry = entry();
    let there = "{\n\"mcpServers\": {\n\"new\": {}}}";
    assert_eq!(
        on(there, &holder, &put(&entry)),
        Err(EditError::Exists {
            name: "new".into(),
            line: 3
        })
    );
    let remove = Edit::Remove { name: "x" };
    for text in ["", "{}", there] {
        let missing = EditError::Missing { name: "x".into() };
        assert_eq!(on(text, &holder, &remove), Err(missing));
    }
    for text in ["[]", "{\n\"mcpServers\": 7}", "{\"mcpServers\": []}"] {
        let shape = on(text, &holder, &put(&entry));
        assert!(matches!(shape, Err(EditError::Shape { .. })), "{shape:?}");
    }
    let Err(EditError::Broken(errors)) = on("{\n  oops", &holder, &put(&entry)) else {
        panic!("a broken file was edited");
    };
    assert_eq!(errors[0].place.as_ref().unwrap().line, 2);
}
