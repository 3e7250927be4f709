//! Where every setting and every key of a server has its value from, for `check --explain`.

use std::path::Path;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use url::Url;

use super::env_file::Variable;
use super::keys::{OF_MUX, Preset, SERVER, Setting, Shape};
use super::layers::Layer;
use super::place::{Origin, Place};
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

/// Keys of a server entry whose values may be secrets: they are shown as `***`.
const SECRETS: [&str; 5] = ["args", "env", "headers", "headersHelper", "auth"];

/// What stands in the place of a secret.
const MASK: &str = "***";

/// Keys in them that are not.
const PLAIN: [&str; 2] = ["auth.type", "auth.header"];

/// References that say where a secret is and do not hold it.
const TELLING: [&str; 5] = ["", "env:", "file:", "input:", "keychain:"];

/// Every key of a server entry whose variables are filled in, in the order of the file; of `only` these if
/// there are any.
pub(crate) fn entry(server: &str, entry: &Node, only: &[&str]) -> Vec<Explained> {
    let mut explained = Vec::new();
    for (key, node) in entry.map().into_iter().flatten() {
        if node.is_null() && key != "prefix" || !(only.is_empty() || only.contains(&key.as_str())) {
            continue;
        }
        leaves(key, node, &mut |path, leaf| {
            explained.push(Explained {
                key: format!("mcpServers.{server}.{path}"),
                value: shown(key, path, leaf),
                place: leaf.place.clone(),
            });
        });
    }
    explained
}

/// The variables that a server has from its `envFile`.
pub(crate) fn env_file(
    server: &str,
    path: &Path,
    variables: &IndexMap<String, Variable>,
) -> Vec<Explained> {
    let origin = Origin::File(Arc::from(path));
    let explained = |(name, variable): (&String, &Variable)| Explained {
        key: format!("mcpServers.{server}.envFile.{name}"),
        value: MASK.into(),
        place: Place {
            origin: origin.clone(),
            line: variable.line,
            ..Place::default()
        },
    };
    variables.iter().map(explained).collect()
}

/// What holds for a server whose entry does not say it: what was said for all servers, or the default.
pub(crate) fn inherited(server: &str, entry: &Node, settings: &[Explained]) -> Vec<Explained> {
    let says = |key: &str| {
        let null_says = key == "prefix" && entry.map().is_some_and(|map| map.contains_key(key));
        let called = key == "callTimeout" && entry.get("timeout").is_some();
        null_says || called || entry.get(key).is_some()
    };
    let mut explained = Vec::new();
    for key in SERVER.iter().filter(|key| !says(key.name)) {
        let of_all = settings.iter().find(|setting| setting.key == key.name);
        let (value, place) = match (key.name, &key.default, of_all) {
            ("enabled" | "disabled", ..) => continue,
            ("prefix", ..) => (server.to_owned(), Place::default()),
            (_, Preset::Value(value), _) => ((*value).to_owned(), Place::default()),
            (_, Preset::Said(OF_MUX), Some(setting)) => {
                (setting.value.clone(), setting.place.clone())
            }
            _ => continue,
        };
        explained.push(Explained {
            key: format!("mcpServers.{server}.{}", key.name),
            value,
            place,
        });
    }
    explained
}

/// Every value that is no object, with the keys that lead to it.
fn leaves(path: &str, node: &Node, tell: &mut dyn FnMut(&str, &Node)) {
    match node.map().filter(|map| !map.is_empty()) {
        Some(map) => {
            for (key, node) in map {
                leaves(&format!("{path}.{key}"), node, tell);
            }
        }
        None => tell(path, node),
    }
}

fn shown(key: &str, path: &str, leaf: &Node) -> String {
    match (key, leaf.list()) {
        ("args", Some(list)) => list.iter().map(masked).collect::<Vec<_>>().join(" "),
        ("url", _) => origin(leaf),
        _ if SECRETS.contains(&key) && !PLAIN.contains(&path) => masked(leaf),
        _ => leaf.shown(),
    }
}

/// The mask, or the reference that the value is written as.
fn masked(node: &Node) -> String {
    let written = node.shown();
    let inner = written
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let telling = inner.filter(|inner| {
        let name = TELLING
            .iter()
            .rev()
            .find_map(|scheme| inner.strip_prefix(scheme));
        name.is_some_and(|name| !name.contains(['{', '}', ':']) && !name.is_empty())
    });
    match telling {
        Some(_) => written,
        None => MASK.into(),
    }
}

/// An address without what may be secret in it.
fn origin(url: &Node) -> String {
    let url = url.text().and_then(|text| Url::parse(text).ok());
    let origin = url.map(|url| url.origin());
    match origin.filter(url::Origin::is_tuple) {
        Some(origin) => format!("{}/…", origin.ascii_serialization()),
        None => MASK.into(),
    }
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
