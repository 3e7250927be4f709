//! The tables of keys agree with the types, the schema and the reference.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::keys::{Key, Preset, SERVER, SETTINGS, Setting, Shape};
use super::super::{Config, Environment, Settings, Sources, reference_markdown};
use super::fixtures::{compare, folder};

#[test]
fn the_defaults_of_the_table_are_those_of_the_type() {
    let default = |setting: Setting| match setting.key.default {
        Preset::Value(value) => Some((setting.variable(), value.to_owned())),
        Preset::Absent | Preset::Said(_) => None,
    };
    let written: Vec<_> = Setting::all().into_iter().filter_map(default).collect();
    assert_eq!(written.len(), 25);
    let sources = Sources {
        env: Environment::new(written),
        ..Sources::default()
    };
    let config = Config::from_text(Path::new("x.json"), "{}", &sources).unwrap();
    assert_eq!(config.settings, Settings::default());
}

#[test]
fn every_setting_reaches_the_type() {
    // A key of the table that the type did not know would fail the merge, and the other way round
    // this list is what the type has.
    let example = |shape: &Shape| match shape {
        Shape::Count(..) | Shape::Size(..) => "2000",
        Shape::Time(..) => "7s",
        Shape::Word(words) => words[1],
        Shape::Map(_) => "a=b",
        Shape::Mode => "0660",
        _ => "1",
    };
    for setting in Setting::all() {
        let limit = match setting.key.shape {
            Shape::Flag if setting.key.default.shown() == "true" => "false".to_owned(),
            Shape::Count(_, max) if max < 2_000 => max.to_string(),
            _ => example(&setting.key.shape).to_owned(),
        };
        let env = Environment::new([(setting.variable(), limit)]);
        let sources = Sources {
            env,
            ..Sources::default()
        };
        let config = Config::from_text(Path::new("x.json"), "{}", &sources)
            .unwrap_or_else(|errors| panic!("{}: {errors}", setting.variable()));
        assert_ne!(
            config.settings,
            Settings::default(),
            "{} changes nothing",
            setting.variable()
        );
    }
}

#[test]
fn variables_are_named_after_keys() {
    let names: BTreeSet<String> = Setting::all().iter().map(Setting::variable).collect();
    assert_eq!(names.len(), Setting::all().len());
    for name in [
        "MCPMUX_LISTEN",
        "MCPMUX_CALL_TIMEOUT",
        "MCPMUX_HEALTH__UNHEALTHY_THRESHOLD",
    ] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
}

fn all_keys(keys: &'static [Key]) -> Vec<&'static Key> {
    let nested = |key: &'static Key| match key.shape {
        Shape::Object(keys) | Shape::Section(keys) => all_keys(keys),
        _ => Vec::new(),
    };
    keys.iter()
        .flat_map(|key| std::iter::once(key).chain(nested(key)))
        .collect()
}

#[test]
fn every_key_is_documented_in_one_line_fit_for_a_table() {
    for key in all_keys(SETTINGS).into_iter().chain(all_keys(SERVER)) {
        let doc = key.doc;
        assert!(
            !doc.is_empty() && !doc.ends_with('.') && !doc.contains(['|', '\n']),
            "{doc}"
        );
    }
}

#[test]
fn the_schema_is_the_reviewed_one() {
    let schema = serde_json::to_string_pretty(&Config::schema()).unwrap() + "\n";
    compare(&folder("schema.json"), &schema).unwrap_or_else(|text| panic!("{text}"));
}

#[test]
fn the_reference_is_the_reviewed_one() {
    compare(&folder("reference.md"), &reference_markdown()).unwrap_or_else(|text| panic!("{text}"));
}
