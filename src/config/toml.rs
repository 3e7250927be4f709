//! TOML → tree.

use indexmap::IndexMap;
use toml_edit::{Document, Item, TableLike};

use super::error::{Findings, Problem};
use super::place::Place;
use super::tree::{Form, Node, Positions, Text, Value};

/// Reads a whole file. `file` is its place. Nesting is bounded by the parser.
pub(crate) fn parse(text: &str, file: &Place, findings: &mut Findings) -> Option<Node> {
    let positions = Positions::new(text);
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            let (line, column) = positions.of(offset);
            // The first line only, and not the error's own text: that shows the line of the file.
            let detail = error
                .message()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            findings.error(&file.clone().at(line, column), Problem::Syntax { detail });
            return None;
        }
    };
    let place = file.clone().at(1, 1);
    let map = members(document.as_table(), &place, &positions);
    Some(Node {
        value: Value::Map(map),
        place,
    })
}

fn members(
    table: &dyn TableLike,
    place: &Place,
    positions: &Positions<'_>,
) -> IndexMap<String, Node> {
    let mut members = IndexMap::new();
    for (key, item) in table.iter() {
        let span = table
            .key(key)
            .and_then(toml_edit::Key::span)
            .or_else(|| item.span());
        let place = place.member(key);
        let place = at(place, span.map(|span| span.start), positions);
        if let Some(value) = item_value(item, &place, positions) {
            members.insert(key.to_owned(), Node { value, place });
        }
    }
    members
}

fn item_value(item: &Item, place: &Place, positions: &Positions<'_>) -> Option<Value> {
    Some(match item {
        Item::None => return None,
        Item::Value(value) => plain_value(value, place, positions),
        Item::Table(table) => Value::Map(members(table, place, positions)),
        Item::ArrayOfTables(tables) => {
            let element = |(index, table): (usize, &toml_edit::Table)| {
                let start = table.span().map(|span| span.start);
                let place = at(place.element(index), start, positions);
                Node {
                    value: Value::Map(members(table, &place, positions)),
                    place,
                }
            };
            Value::List(tables.iter().enumerate().map(element).collect())
        }
    })
}

fn plain_value(value: &toml_edit::Value, place: &Place, positions: &Positions<'_>) -> Value {
    let text = |text: String| {
        Value::Text(Text {
            text,
            form: Form::Literal,
        })
    };
    match value {
        toml_edit::Value::String(string) => text(string.value().clone()),
        toml_edit::Value::Integer(number) => Value::Number(number.value().to_string()),
        // With its point, so that `3.0` is no whole number here either.
        toml_edit::Value::Float(number) => Value::Number(format!("{:?}", number.value())),
        toml_edit::Value::Boolean(flag) => Value::Bool(*flag.value()),
        toml_edit::Value::Datetime(time) => text(time.value().to_string()),
        toml_edit::Value::Array(array) => {
            let element = |(index, value): (usize, &toml_edit::Value)| {
                let start = value.span().map(|span| span.start);
                let place = at(place.element(index), start, positions);
                Node {
                    value: plain_value(value, &place, positions),
                    place,
                }
            };
            Value::List(array.iter().enumerate().map(element).collect())
        }
        toml_edit::Value::InlineTable(table) => Value::Map(members(table, place, positions)),
    }
}

/// The place with the line of an offset; a value made of dotted keys has no line of its own and
/// keeps that of its parent.
fn at(place: Place, offset: Option<usize>, positions: &Positions<'_>) -> Place {
    match offset.map(|offset| positions.of(offset)) {
        Some((line, column)) => place.at(line, column),
        None => place,
    }
}
