//! Where every setting has its value from, for `check --explain`.

use indexmap::{IndexMap, IndexSet};

use super::keys::{Setting, Shape};
use super::layers::Layer;
use super::place::Place;
use super::tree::Node;

/// One setting with its value and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The key path without `mux`, as in `health.interval`.
    pub key: String,
    /// The value as it was written, with variables not filled in; empty if there is none.
    pub value: String,
    /// Where it was written; its origin is [`Default`](super::Origin::Default) if nobody did.
    pub place: Place,
}

/// Every setting in the order of the table. The last layer that has a setting gave its value; a map
/// is merged key by key, so each of its keys is told by itself.
pub(crate) fn settings(layers: &[Layer]) -> Vec<Explained> {
    let mut explained = Vec::new();
    for setting in Setting::all() {
        let members = match setting.key.shape {
            Shape::Map(_) => members(layers, &setting.path),
            _ => Vec::new(),
        };
        if members.is_empty() {
            explained.push(explain(layers, &setting, None));
        }
        explained.extend(
            members
                .iter()
                .map(|key| explain(layers, &setting, Some(key))),
        );
    }
    explained
}

/// The keys of a map in all layers, each once.
fn members(layers: &[Layer], path: &[&str]) -> Vec<String> {
    let maps = layers
        .iter()
        .filter_map(|layer| find(&layer.0, path)?.map());
    let keys: IndexSet<&String> = maps.flat_map(IndexMap::keys).collect();
    keys.into_iter().cloned().collect()
}

fn explain(layers: &[Layer], setting: &Setting, member: Option<&str>) -> Explained {
    let path: Vec<&str> = setting.path.iter().copied().chain(member).collect();
    let found = layers.iter().rev().find_map(|layer| find(&layer.0, &path));
    let (value, place) = match found {
        Some(node) => (node.shown(), node.place.clone()),
        None => (setting.key.default.shown().to_owned(), Place::default()),
    };
    Explained {
        key: path.join("."),
        value,
        place,
    }
}

fn find<'a>(layer: &'a Node, path: &[&str]) -> Option<&'a Node> {
    path.iter().try_fold(layer, |node, key| node.get(key))
}
