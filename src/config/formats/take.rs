//! Takes the servers out of a file, whoever's it is.

use indexmap::IndexMap;

use super::super::error::{Findings, Problem};
use super::super::place::Place;
use super::super::problem::Expected;
use super::super::shape;
use super::super::sources::Environment;
use super::super::tree::{Node, Value};
use super::dialect::{Around, Container, DIALECTS, Dialect, Fate};
use super::entry::Entry;

/// Takes all servers out of the members of a file, in the order of the file, lowered to our own keys.
/// `None` if there is no place for servers in it. `place` is that of the whole file.
pub(crate) fn take(
    file: &mut IndexMap<String, Node>,
    place: &Place,
    env: &Environment,
    findings: &mut Findings,
) -> Option<Vec<(String, Node)>> {
    let mut taken = None;
    for dialect in DIALECTS {
        let around = Around { file, place, env };
        if !dialect.fits(&around) {
            continue;
        }
        let Some(servers) = remove(file, dialect.path) else {
            continue;
        };
        let around = Around { file, place, env };
        let entries = dialect.lower(servers, &around, findings);
        taken.get_or_insert_with(Vec::new).extend(entries);
    }
    // What has our own name for the servers and is none of all that was meant for us.
    if let Some(other) = file.shift_remove("mcpServers") {
        if !other.is_null() {
            findings.error(&other.place, shape::mismatch(&other, Expected::Object));
        }
        taken.get_or_insert_with(Vec::new);
    }
    taken
}

impl Dialect {
    /// Whether the file has servers in this way of writing.
    pub(super) fn fits(&self, around: &Around<'_>) -> bool {
        let Some(servers) = around.get(self.path) else {
            return false;
        };
        let shape = match self.container {
            Container::Map => servers.map().is_some(),
            Container::Array(_) => servers.list().is_some(),
        };
        shape && (self.recognises)(around, servers)
    }

    fn lower(
        &self,
        servers: Node,
        around: &Around<'_>,
        findings: &mut Findings,
    ) -> Vec<(String, Node)> {
        let named = match (self.container, servers.value) {
            (_, Value::Map(map)) => map.into_iter().collect(),
            (Container::Array(key), Value::List(list)) => named(list, key, findings),
            _ => Vec::new(),
        };
        let lower = |(name, node): (String, Node)| {
            let Value::Map(members) = node.value else {
                return Some((name, node));
            };
            let mut entry = Entry::of(node.place, members, self.keys);
            match (self.finish)(&name, &mut entry, around, findings) {
                Fate::Kept => Some((name, entry.into_node())),
                Fate::LeftOut => None,
            }
        };
        named.into_iter().filter_map(lower).collect()
    }
}

/// The elements with their names. What has none is reported and left out.
fn named(list: Vec<Node>, key: &str, findings: &mut Findings) -> Vec<(String, Node)> {
    let mut named = Vec::new();
    for mut node in list {
        let Value::Map(members) = &mut node.value else {
            findings.error(&node.place, shape::mismatch(&node, Expected::Object));
            continue;
        };
        let name = members.shift_remove(key).filter(|name| !name.is_null());
        match name.as_ref().map(|name| (name, name.text())) {
            Some((_, Some(text))) => named.push((text.to_owned(), node)),
            Some((name, None)) => {
                findings.error(&name.place, shape::mismatch(name, Expected::Text));
            }
            None => {
                let key = key.to_owned();
                findings.error(&node.place, Problem::Missing { key });
            }
        }
    }
    named
}

/// Takes out what stands under these keys. The objects on the way stay.
fn remove(file: &mut IndexMap<String, Node>, path: &[&str]) -> Option<Node> {
    match path {
        [] => None,
        [key] => file.shift_remove(*key),
        [key, rest @ ..] => match &mut file.get_mut(*key)?.value {
            Value::Map(members) => remove(members, rest),
            _ => None,
        },
    }
}
