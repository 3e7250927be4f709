//! The layers of the settings: files, then the environment, then flags.
//!
//! Each layer is checked by itself, so that every error has its place; figment merges the layers and
//! fills the typed `Settings`. Defaults are those of the type.

use figment::value::{Dict, Map, Value as Merged};
use figment::{Figment, Metadata, Profile, Provider};

use super::error::{Findings, Problem};
use super::explain::{self, Explained};
use super::keys::{Key, SETTINGS, Shape};
use super::place::Place;
use super::quantity;
use super::settings::Settings;
use super::shape::{self, UnknownKey};
use super::tree::Node;

/// One layer: an object that looks like `mux`.
pub(crate) struct Layer(pub(crate) Node);

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.0.place.to_string())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, dict(&self.0, SETTINGS))]))
    }
}

/// Checks the layers and merges them, the later over the earlier. With an error in any of them the
/// defaults come back, so that the rest of the configuration can be checked as well.
pub(crate) fn merge(layers: &[Layer], findings: &mut Findings) -> (Settings, Vec<Explained>) {
    let errors = findings.errors.len();
    for Layer(node) in layers {
        shape::check(node, &Shape::Object(SETTINGS), UnknownKey::Error, findings);
    }
    if findings.errors.len() > errors {
        return (Settings::default(), Vec::new());
    }
    let merged = layers
        .iter()
        .fold(Figment::new(), |merged, layer| merged.merge(layer));
    let settings = merged.extract().unwrap_or_else(|error| {
        findings.error(
            &Place::default(),
            Problem::Settings {
                detail: error.to_string(),
            },
        );
        Settings::default()
    });
    (settings, explain::settings(layers))
}

/// The checked members of an object, in the form that `Settings` is read from.
fn dict(node: &Node, keys: &[Key]) -> Dict {
    let member = |key: &Key| Some((key.name.to_owned(), value(node.get(key.name)?, &key.shape)?));
    keys.iter().filter_map(member).collect()
}

fn value(node: &Node, shape: &Shape) -> Option<Merged> {
    Some(match shape {
        Shape::Flag => shape::flag(node).ok()?.into(),
        Shape::Count(..) => quantity::whole(node.scalar()?)?.into(),
        Shape::Time(min, max) => {
            let millis = shape::time(node, *min, *max).ok()?.as_millis();
            u64::try_from(millis).ok()?.into()
        }
        Shape::Size(min, max) => shape::size(node, *min, *max).ok()?.into(),
        Shape::Mode => shape::mode(node).ok()?.into(),
        Shape::Listen => shape::listen(node).ok()?.to_string().into(),
        Shape::List(element) => {
            let list = node.list()?.iter().filter_map(|node| value(node, element));
            list.collect::<Vec<Merged>>().into()
        }
        Shape::Map(member) => {
            let member = |(key, node): (&String, &Node)| Some((key.clone(), value(node, member)?));
            node.map()?
                .iter()
                .filter_map(member)
                .collect::<Dict>()
                .into()
        }
        Shape::Object(keys) | Shape::Section(keys) => dict(node, keys).into(),
        _ => node.text()?.into(),
    })
}
