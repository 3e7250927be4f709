//! The four lists of a server, and the names that the mux gives to what is on them.

use serde_json::Value;

/// What stands between a server's key and a name.
const SEPARATOR: &str = "__";

/// How a list is asked for, and what its entries are known by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    pub(crate) method: &'static str,
    /// The member of the result that has the entries.
    pub(crate) member: &'static str,
    /// The member of an entry that no other entry has the same.
    pub(crate) key: &'static str,
}

pub(crate) const LISTS: [List; 4] = [
    List {
        method: "tools/list",
        member: "tools",
        key: "name",
    },
    List {
        method: "resources/list",
        member: "resources",
        key: "uri",
    },
    List {
        method: "resources/templates/list",
        member: "resourceTemplates",
        key: "uriTemplate",
    },
    List {
        method: "prompts/list",
        member: "prompts",
        key: "name",
    },
];

impl List {
    /// The entries of a line that answers this list.
    pub(crate) fn entries(self, line: &Value) -> Result<&Vec<Value>, String> {
        let entries = line["result"][self.member].as_array();
        entries.ok_or_else(|| format!("no {} in {line}", self.member))
    }

    /// What the mux has an entry under: names are its own, URIs stay as they are.
    pub(crate) fn public(self, server: &str, key: &str) -> String {
        if self.key == "name" {
            public(server, key)
        } else {
            key.to_owned()
        }
    }
}

/// The public name of what a server calls `name`.
pub(crate) fn public(server: &str, name: &str) -> String {
    format!("{server}{SEPARATOR}{name}")
}

/// What a server calls the thing with this public name; `None` if it is not the server's.
pub(crate) fn original<'a>(server: &str, name: &'a str) -> Option<&'a str> {
    name.strip_prefix(server)?.strip_prefix(SEPARATOR)
}
