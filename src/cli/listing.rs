//! The merged catalog, as tables and as JSON.

use serde::Serialize;

use super::report::count;
use super::style::{Paint, Style};
use super::table::{Cell, Table};
use crate::catalog::{Catalog, Entry};
use crate::protocol::Kind;
use crate::wire::Json;

/// One entry. The members are part of the contract with scripts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryLine<'a> {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_template: Option<&'a str>,
    server: &'a str,
    original_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    definition: &'a Json,
}

impl<'a> EntryLine<'a> {
    fn new(kind: Kind, entry: &'a Entry) -> Self {
        let public = entry.public.as_str();
        let name = match kind {
            Kind::Tool | Kind::Prompt => public.to_owned(),
            Kind::Resource | Kind::Template => said(entry, "name").unwrap_or_default(),
        };
        Self {
            name,
            uri: (kind == Kind::Resource).then_some(public),
            uri_template: (kind == Kind::Template).then_some(public),
            server: entry.route.server.as_str(),
            original_name: entry.route.original.as_str(),
            description: said(entry, "description"),
            definition: &entry.definition,
        }
    }
}

/// A string member of what the server said.
fn said(entry: &Entry, key: &str) -> Option<String> {
    Some(entry.definition.get(key)?.text()?.into_owned())
}

/// The entries as one JSON array.
pub(super) fn json(catalog: &Catalog, kinds: &[Kind]) -> String {
    let lines: Vec<EntryLine<'_>> = kinds
        .iter()
        .flat_map(|kind| {
            catalog
                .entries(*kind)
                .iter()
                .map(|entry| EntryLine::new(*kind, entry))
        })
        .collect();
    pretty(&lines)
}

/// JSON over several lines, ended by a line end.
pub(super) fn pretty<T: Serialize + ?Sized>(value: &T) -> String {
    super::indent::indented(&Json::encode(value))
}

/// The entries as tables, each below its title if there are several kinds.
pub(super) fn tables(
    catalog: &Catalog,
    kinds: &[Kind],
    style: Style,
    width: Option<usize>,
) -> String {
    let tables = kinds
        .iter()
        .filter(|kind| !catalog.entries(**kind).is_empty())
        .map(|kind| {
            let entries = catalog.entries(*kind);
            let text = table(*kind, entries).render(style, width);
            if kinds.len() == 1 {
                return text;
            }
            let title = count(entries.len(), kind.noun());
            format!("{}\n\n{text}", style.paint(Paint::Faint, &title))
        });
    tables.collect::<Vec<_>>().join("\n")
}

fn table(kind: Kind, entries: &[Entry]) -> Table {
    let by_uri = matches!(kind, Kind::Resource | Kind::Template);
    let mut table = Table::new(match kind {
        Kind::Tool | Kind::Prompt => &["NAME", "SERVER", "DESCRIPTION"],
        Kind::Resource => &["URI", "SERVER", "NAME", "DESCRIPTION"],
        Kind::Template => &["URI TEMPLATE", "SERVER", "NAME", "DESCRIPTION"],
    });
    for entry in entries {
        let mut cells = vec![
            Cell::plain(entry.public.as_str()),
            Cell::painted(entry.route.server.as_str(), Paint::Faint),
        ];
        if by_uri {
            cells.push(Cell::plain(said(entry, "name").unwrap_or_default()));
        }
        cells.push(Cell::plain(said(entry, "description").unwrap_or_default()));
        table.row(cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::{Inventory, Naming, Source, build};
    use crate::config::{Rules, Settings};
    use crate::protocol::ServerName;

    fn catalog() -> Catalog {
        let pages = [
            (
                Kind::Tool,
                Json::from_static(
                    r#"{"tools":[{"name":"add","description":"Add\n\u001b[2Jtwo numbers","x":1e400},{"name":"go"}]}"#,
                ),
            ),
            (
                Kind::Resource,
                Json::from_static(
                    r#"{"resources":[{"uri":"a:b","name":"B","description":"The b"}]}"#,
                ),
            ),
            (
                Kind::Template,
                Json::from_static(
                    r#"{"resourceTemplates":[{"uriTemplate":"a:{x}","name":"Any"}]}"#,
                ),
            ),
        ];
        let (inventory, _) = Inventory::from_pages(&pages);
        let rules = Rules {
            prefix: Some("m".into()),
            ..Rules::default()
        };
        let source = Source {
            server: ServerName::new("maths"),
            rules: Arc::new(rules),
            inventory: Arc::new(inventory),
        };
        build(&[source], &Naming::of(&Settings::default()), 1).catalog
    }

    #[test]
    fn one_kind_is_one_table() {
        let text = tables(&catalog(), &[Kind::Tool], Style::Plain, None);
        assert_eq!(
            text,
            "NAME    SERVER  DESCRIPTION\n\
             m__add  maths   Add [2Jtwo numbers\n\
             m__go   maths\n"
        );
        assert_eq!(tables(&catalog(), &[Kind::Prompt], Style::Plain, None), "");
    }

    #[test]
    fn several_kinds_have_titles() {
        insta::assert_snapshot!(tables(&catalog(), &Kind::ALL, Style::Plain, None), @r"
        2 tools

        NAME    SERVER  DESCRIPTION
        m__add  maths   Add [2Jtwo numbers
        m__go   maths

        1 resource

        URI  SERVER  NAME  DESCRIPTION
        a:b  maths   B     The b

        1 resource template

        URI TEMPLATE  SERVER  NAME  DESCRIPTION
        a:{x}         maths   Any
        ");
    }

    #[test]
    fn json_has_the_members_of_the_contract() {
        insta::assert_snapshot!(json(&catalog(), &Kind::ALL), @r#"
        [
          {
            "name": "m__add",
            "server": "maths",
            "originalName": "add",
            "description": "Add\n\u001b[2Jtwo numbers",
            "definition": {
              "name": "m__add",
              "description": "Add\n\u001b[2Jtwo numbers",
              "x": 1e400
            }
          },
          {
            "name": "m__go",
            "server": "maths",
            "originalName": "go",
            "definition": {
              "name": "m__go"
            }
          },
          {
            "name": "B",
            "uri": "a:b",
            "server": "maths",
            "originalName": "a:b",
            "description": "The b",
            "definition": {
              "uri": "a:b",
              "name": "B",
              "description": "The b"
            }
          },
          {
            "name": "Any",
            "uriTemplate": "a:{x}",
            "server": "maths",
            "originalName": "a:{x}",
            "definition": {
              "uriTemplate": "a:{x}",
              "name": "Any"
            }
          }
        ]
        "#);
    }
}
