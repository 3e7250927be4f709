//! `check --explain`: every value of the configuration, and where it comes from.

use serde::Serialize;

use super::style::Style;
use super::table::{Cell, Table};
use crate::config::{Config, Explained, Place};

/// One value. The members are part of the contract with scripts.
#[derive(Debug, Serialize)]
pub(super) struct ValueLine {
    key: String,
    value: String,
    from: String,
}

impl ValueLine {
    fn of(explained: &Explained, prefix: &str) -> Self {
        // The keys are in another column.
        let place = Place {
            key_path: String::new(),
            ..explained.place.clone()
        };
        Self {
            key: format!("{prefix}{}", explained.key),
            value: explained.value.clone(),
            from: place.to_string(),
        }
    }
}

/// The settings in the order of the reference, then the servers in file order.
pub(super) fn values(config: &Config) -> Vec<ValueLine> {
    let settings = config.explained.iter();
    let servers = config.explained_servers.iter();
    let setting = settings.map(|explained| ValueLine::of(explained, "mux."));
    setting
        .chain(servers.map(|explained| ValueLine::of(explained, "")))
        .collect()
}

/// The values as a table.
pub(super) fn table(values: &[ValueLine], style: Style) -> String {
    let mut table = Table::new(&["KEY", "VALUE", "FROM"]);
    for line in values {
        let cells = [&line.key, &line.value, &line.from];
        table.row(cells.map(Cell::plain).into());
    }
    table.render(style, None)
}
