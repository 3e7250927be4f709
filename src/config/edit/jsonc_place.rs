//! Where servers stand in a JSON text, and in which layout.

use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;

use super::bracket::{Bracket, Comments, Layout, Spread};
use super::change::{line_of, newline_of};
use super::error::EditError;
use super::holder::{Form, Holder};

/// What the indentation is where the text shows none.
pub(super) const UNIT: &str = "  ";

/// A text and its own ways.
pub(super) struct Doc<'a> {
    pub(super) text: &'a str,
    pub(super) newline: &'static str,
    pub(super) unit: String,
    /// What an object without members and line breaks becomes.
    pub(super) empty: Spread,
}

/// Where the entries are, or where they would be.
pub(super) struct Holding<'a> {
    /// The bracket that takes a new item: that of the entries, or of the last object on the way.
    pub(super) bracket: Bracket<'a>,
    /// The entries: name, item, value. Of the items of the bracket, if it holds entries.
    pub(super) entries: Vec<Found<'a>>,
    /// The keys that are missing on the way.
    pub(super) missing: Vec<String>,
    /// A `null` that stands in the place of what is missing.
    pub(super) null: Option<Range<usize>>,
}

/// One entry.
pub(super) struct Found<'a> {
    pub(super) name: &'a str,
    pub(super) index: usize,
    pub(super) item: Range<usize>,
    pub(super) value: &'a ast::Value<'a>,
}

impl<'a> Holding<'a> {
    /// The entry that counts: the last of its name.
    pub(super) fn find(&self, name: &str) -> Option<&Found<'a>> {
        self.entries.iter().rfind(|entry| entry.name == name)
    }
}

impl<'a> Doc<'a> {
    pub(super) fn new(text: &'a str, root: Option<&ast::Value<'_>>) -> Self {
        let doc = Self {
            text,
            newline: newline_of(text),
            unit: UNIT.to_owned(),
            empty: Spread::Lines,
        };
        let Some(ast::Value::Object(root)) = root else {
            return doc;
        };
        let bracket = doc.object(root);
        let indent = bracket.item_indent().filter(|indent| !indent.is_empty());
        let one_line = !text.trim().contains('\n') && !bracket.items.is_empty();
        Self {
            unit: indent.unwrap_or(UNIT).to_owned(),
            empty: if one_line {
                Spread::OneLine
            } else {
                Spread::Lines
            },
            ..doc
        }
    }

    pub(super) fn bracket(&self, range: Range<usize>, items: Vec<Range<usize>>) -> Bracket<'a> {
        Bracket {
            text: self.text,
            comments: Comments::Slashes,
            open: range.start,
            close: range.end.saturating_sub(1),
            items,
        }
    }

    pub(super) fn object(&self, object: &ast::Object<'_>) -> Bracket<'a> {
        let items = object.properties.iter().map(|p| range(p.range)).collect();
        self.bracket(range(object.range), items)
    }

    /// How new items of a bracket are written.
    pub(super) fn layout(&self, bracket: &Bracket<'_>) -> Layout {
        let base = bracket.base_indent();
        let own = bracket.item_indent();
        let step = own.and_then(|own| own.strip_prefix(base));
        let unit = step.filter(|step| !step.is_empty()).unwrap_or(&self.unit);
        Layout {
            spread: bracket.spread(self.empty),
            newline: self.newline,
            indent: own.map_or_else(|| format!("{base}{unit}"), str::to_owned),
            unit: unit.to_owned(),
        }
    }

    pub(super) fn descend(
        &self,
        root: &'a ast::Value<'a>,
        holder: &Holder,
    ) -> Result<Holding<'a>, EditError> {
        let mut object = self.expect_object(root, holder.path.first())?;
        for (depth, key) in holder.path.iter().enumerate() {
            let rest = holder.path.get(depth..).unwrap_or_default();
            let last = rest.len() == 1;
            let property = object.properties.iter().rfind(|p| p.name.as_str() == key);
            let value = match property.map(|property| &property.value) {
                None => return Ok(self.missing(object, rest, None)),
                Some(ast::Value::NullKeyword(null)) => {
                    return Ok(self.missing(object, rest, Some(range(null.range))));
                }
                Some(value) => value,
            };
            match value {
                ast::Value::Array(array) if last && holder.form == Form::List => {
                    return Ok(self.list(array));
                }
                ast::Value::Object(map) if last && holder.form == Form::Map => {
                    return Ok(self.map(map));
                }
                ast::Value::Object(next) if !last => object = next,
                other => {
                    let expected = match holder.form {
                        Form::List if last => "an array",
                        _ => "an object",
                    };
                    return Err(self.shape(&holder.key_path(), expected, other));
                }
            }
        }
        Ok(self.map(object))
    }

    pub(super) fn missing(
        &self,
        object: &'a ast::Object<'a>,
        rest: &[String],
        null: Option<Range<usize>>,
    ) -> Holding<'a> {
        Holding {
            bracket: self.object(object),
            entries: Vec::new(),
            missing: rest.to_vec(),
            null,
        }
    }

    pub(super) fn map(&self, map: &'a ast::Object<'a>) -> Holding<'a> {
        let entry = |(index, property): (usize, &'a ast::ObjectProp<'a>)| Found {
            name: property.name.as_str(),
            index,
            item: range(property.range),
            value: &property.value,
        };
        Holding {
            bracket: self.object(map),
            entries: map.properties.iter().enumerate().map(entry).collect(),
            missing: Vec::new(),
            null: None,
        }
    }

    pub(super) fn list(&self, array: &'a ast::Array<'a>) -> Holding<'a> {
        let mut entries = Vec::new();
        for (index, value) in array.elements.iter().enumerate() {
            let ast::Value::Object(object) = value else {
                continue;
            };
            let name = object
                .properties
                .iter()
                .rfind(|p| p.name.as_str() == "name");
            if let Some(ast::Value::StringLit(name)) = name.map(|name| &name.value) {
                entries.push(Found {
                    name: &name.value,
                    index,
                    item: range(value.range()),
                    value,
                });
            }
        }
        let items = array.elements.iter().map(|e| range(e.range())).collect();
        Holding {
            bracket: self.bracket(range(array.range), items),
            entries,
            missing: Vec::new(),
            null: None,
        }
    }

    pub(super) fn expect_object(
        &self,
        value: &'a ast::Value<'a>,
        key: Option<&String>,
    ) -> Result<&'a ast::Object<'a>, EditError> {
        match value {
            ast::Value::Object(object) => Ok(object),
            other => {
                let key = key.cloned().unwrap_or_default();
                Err(self.shape(&format!("the file with `{key}`"), "an object", other))
            }
        }
    }

    pub(super) fn shape(
        &self,
        key: &str,
        expected: &'static str,
        found: &ast::Value<'_>,
    ) -> EditError {
        EditError::Shape {
            key: key.to_owned(),
            expected,
            line: line_of(self.text, found.range().start),
        }
    }
}

/// The places of the parser, as our own.
pub(super) fn range(range: jsonc_parser::common::Range) -> Range<usize> {
    range.start..range.end
}
