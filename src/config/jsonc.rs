//! JSON with comments and trailing commas → tree.

use indexmap::IndexMap;
use jsonc_parser::ast;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::error::{Findings, Problem};
use super::place::Place;
use super::tree::{Form, Node, Positions, Text, Value};

/// What we allow beyond JSON: comments and trailing commas.
pub(super) const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads a whole file. `file` is its place. Nesting is bounded by the parser (512).
pub(crate) fn parse(text: &str, file: &Place, findings: &mut Findings) -> Option<Node> {
    let positions = Positions::new(text);
    let parsed = match parse_to_ast(text, &CollectOptions::default(), &OPTIONS) {
        Ok(parsed) => parsed,
        Err(error) => {
            let (line, column) = positions.of(error.range().start);
            let detail = lower_first(&error.kind().to_string());
            findings.error(&file.clone().at(line, column), Problem::Syntax { detail });
            return None;
        }
    };
    let Some(root) = parsed.value else {
        findings.error(
            file,
            Problem::Syntax {
                detail: "the file is empty".into(),
            },
        );
        return None;
    };
    let mut reader = Reader {
        positions,
        findings,
    };
    let (line, column) = reader.positions.of(start_of(&root));
    Some(reader.node(root, file.clone().at(line, column)))
}

/// Whether there is nothing but white space and comments.
pub(super) fn is_empty(text: &str) -> bool {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &OPTIONS);
    parsed.is_ok_and(|parsed| parsed.value.is_none())
}

struct Reader<'a> {
    positions: Positions<'a>,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn node(&mut self, value: ast::Value<'_>, place: Place) -> Node {
        let value = match value {
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::BooleanLit(flag) => Value::Bool(flag.value),
            ast::Value::NumberLit(number) => Value::Number(number.value.to_owned()),
            ast::Value::StringLit(string) => Value::Text(Text {
                text: string.value.into_owned(),
                form: Form::Literal,
            }),
            ast::Value::Array(array) => {
                let elements = array.elements.into_iter().enumerate();
                Value::List(
                    elements
                        .map(|(i, value)| self.element(i, value, &place))
                        .collect(),
                )
            }
            ast::Value::Object(object) => Value::Map(self.members(object, &place)),
        };
        Node { value, place }
    }

    fn element(&mut self, index: usize, value: ast::Value<'_>, place: &Place) -> Node {
        let (line, column) = self.positions.of(start_of(&value));
        self.node(value, place.element(index).at(line, column))
    }

    fn members(&mut self, object: ast::Object<'_>, place: &Place) -> IndexMap<String, Node> {
        let mut members = IndexMap::new();
        for property in object.properties {
            let (line, column) = self.positions.of(property.range.start);
            let key = property.name.into_string();
            let node = self.node(property.value, place.member(&key).at(line, column));
            if members.contains_key(&key) {
                self.findings
                    .warning(&node.place, Problem::DuplicateKey { key: key.clone() });
            }
            members.insert(key, node);
        }
        members
    }
}

fn start_of(value: &ast::Value<'_>) -> usize {
    use jsonc_parser::common::Ranged;
    value.range().start
}

/// The parser's sentences begin with a capital; ours do not.
fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}
