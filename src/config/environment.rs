//! The settings of the environment and of the command line, as layers.

use indexmap::IndexMap;

use super::error::{Findings, Problem};
use super::keys::{Setting, Shape};
use super::layers::Layer;
use super::place::{Origin, Place};
use super::sources::{Environment, Flags};
use super::suggest::nearest;
use super::tree::{Node, Value};

/// What every variable of ours begins with.
const PREFIX: &str = "MCPMUX_";

/// Variables of ours that are no settings: read before or beside the configuration, or given to our
/// children to know them by.
const RESERVED: [&str; 3] = ["MCPMUX_CONFIG", "MCPMUX_LOG", "MCPMUX_TREE"];

/// Variables that only our own tests read.
const FOR_TESTS: &str = "MCPMUX_TEST_";

/// The settings that the environment holds.
pub(crate) fn variables(env: &Environment, findings: &mut Findings) -> Layer {
    let settings: Vec<(String, Setting)> = Setting::all()
        .into_iter()
        .map(|setting| (setting.variable(), setting))
        .collect();
    let mut layer = empty(Origin::Default);
    for (variable, text) in env.with_prefix(PREFIX) {
        if RESERVED.contains(&variable) || variable.starts_with(FOR_TESTS) {
            continue;
        }
        let origin = Origin::Environment(variable.into());
        if let Some((_, setting)) = settings.iter().find(|(name, _)| name == variable) {
            // Set but empty is how a composed environment says "not set".
            if text.is_empty() && !matches!(setting.key.shape, Shape::Text) {
                continue;
            }
            let place = place_of(origin, setting);
            insert(
                &mut layer,
                &setting.path,
                from_text(text, &setting.key.shape, place),
            );
        } else {
            let known = settings.iter().map(|(name, _)| name.as_str());
            let suggestion = nearest(variable, known).map(str::to_owned);
            let place = Place {
                origin,
                ..Place::default()
            };
            findings.warning(
                &place,
                Problem::UnknownVariable {
                    name: variable.into(),
                    suggestion,
                },
            );
        }
    }
    Layer(layer)
}

/// The settings that the command line holds.
pub(crate) fn flags(flags: &Flags) -> Layer {
    let given = [
        ("listen", "--http", &flags.listen),
        ("logLevel", "--log-level", &flags.log_level),
    ];
    let mut layer = empty(Origin::Default);
    for (key, flag, value) in given {
        if let Some(value) = value {
            let place = empty(Origin::Flag(flag.into())).place.member(key);
            insert(&mut layer, &[key], Node::literal(value, place));
        }
    }
    Layer(layer)
}

fn empty(origin: Origin) -> Node {
    let place = Place {
        origin,
        ..Place::default()
    }
    .member("mux");
    Node {
        value: Value::Map(IndexMap::new()),
        place,
    }
}

fn place_of(origin: Origin, setting: &Setting) -> Place {
    setting
        .path
        .iter()
        .fold(empty(origin).place, |place, key| place.member(key))
}

/// Lists are separated by commas, maps are `name=value` separated by commas.
fn from_text(text: &str, shape: &Shape, place: Place) -> Node {
    let parts = || {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
    };
    let value = match shape {
        Shape::List(_) => {
            let element = |(index, part)| Node::literal(part, place.element(index));
            Value::List(parts().enumerate().map(element).collect())
        }
        Shape::Map(_) => {
            let member = |part: &str| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                let place = place.member(name.trim());
                (name.trim().to_owned(), Node::literal(value.trim(), place))
            };
            Value::Map(parts().map(member).collect())
        }
        _ => return Node::literal(text, place),
    };
    Node { value, place }
}

/// Puts a value under its keys, making the objects on the way.
fn insert(parent: &mut Node, path: &[&str], node: Node) {
    let Value::Map(members) = &mut parent.value else {
        return;
    };
    match path {
        [] => {}
        [key] => {
            members.insert((*key).to_owned(), node);
        }
        [key, rest @ ..] => {
            let empty = || Node {
                value: Value::Map(IndexMap::new()),
                place: parent.place.member(key),
            };
            insert(
                members.entry((*key).to_owned()).or_insert_with(empty),
                rest,
                node,
            );
        }
    }
}
