//! What a JSON Schema says about the type of one value; just enough of it to read `key=value`.

use serde_json::Value;

use crate::wire::JsonKind;

/// Steps through references and alternatives before a schema is taken to say nothing.
const DEEPEST: usize = 8;

/// The types that a schema admits. None at all means that it does not say.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    kinds: Vec<JsonKind>,
    items: Option<&'a Value>,
    root: Option<&'a Value>,
}

impl<'a> Wanted<'a> {
    /// What the schema of an object says about one of its members.
    pub(super) fn of_property(schema: Option<&'a Value>, key: &str) -> Self {
        let property = schema.and_then(|schema| schema.get("properties")?.get(key));
        Self::of(property, schema)
    }

    fn of(schema: Option<&'a Value>, root: Option<&'a Value>) -> Self {
        let mut wanted = Self {
            kinds: Vec::new(),
            items: None,
            root,
        };
        if let Some(schema) = schema {
            wanted.learn(schema, DEEPEST);
        }
        wanted
    }

    /// What is said about the elements, if this is an array.
    pub(super) fn items(&self) -> Self {
        Self::of(self.items, self.root)
    }

    /// Whether the schema names this type.
    pub(super) fn admits(&self, kind: JsonKind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Whether only a string will do.
    pub(super) fn is_text(&self) -> bool {
        !self.is_anything() && self.kinds.iter().all(|kind| *kind == JsonKind::String)
    }

    /// Whether the schema does not say.
    pub(super) fn is_anything(&self) -> bool {
        self.kinds.is_empty()
    }

    fn learn(&mut self, schema: &'a Value, steps_left: usize) {
        let Some(steps_left) = steps_left.checked_sub(1) else {
            return;
        };
        match schema.get("type") {
            Some(Value::String(name)) => self.kinds.extend(named(name)),
            Some(Value::Array(names)) => {
                self.kinds
                    .extend(names.iter().filter_map(|name| named(name.as_str()?)));
            }
            _ => self.learn_from_values(schema),
        }
        if self.items.is_none() {
            self.items = schema.get("items");
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str)
            && let Some(pointer) = target.strip_prefix('#')
            && let Some(schema) = self.root.and_then(|root| root.pointer(pointer))
        {
            self.learn(schema, steps_left);
        }
        for word in ["anyOf", "oneOf", "allOf"] {
            for schema in schema
                .get(word)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                self.learn(schema, steps_left);
            }
        }
    }

    fn learn_from_values(&mut self, schema: &'a Value) {
        let values = schema
            .get("enum")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        self.kinds
            .extend(values.chain(schema.get("const")).map(kind_of));
    }
}

fn named(name: &str) -> Option<JsonKind> {
    match name {
        "string" => Some(JsonKind::String),
        "number" | "integer" => Some(JsonKind::Number),
        "boolean" => Some(JsonKind::Bool),
        "null" => Some(JsonKind::Null),
        "array" => Some(JsonKind::Array),
        "object" => Some(JsonKind::Object),
        _ => None,
    }
}

fn kind_of(value: &Value) -> JsonKind {
    match value {
        Value::Null => JsonKind::Null,
        Value::Bool(_) => JsonKind::Bool,
        Value::Number(_) => JsonKind::Number,
        Value::String(_) => JsonKind::String,
        Value::Array(_) => JsonKind::Array,
        Value::Object(_) => JsonKind::Object,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_that_refers_to_itself_says_nothing() {
        let schema = json!({"properties": {"a": {"$ref": "#/properties/a"}}});
        assert!(Wanted::of_property(Some(&schema), "a").is_anything());
    }

    #[test]
    fn alternatives_add_up() {
        let schema = json!({"properties": {"a": {"oneOf": [
            {"type": "integer"}, {"const": "all"}, {"type": "array", "items": {"type": "boolean"}},
        ]}}});
        let wanted = Wanted::of_property(Some(&schema), "a");
        assert_eq!(
            wanted.kinds,
            [JsonKind::Number, JsonKind::String, JsonKind::Array]
        );
        assert_eq!(wanted.items().kinds, [JsonKind::Bool]);
        assert!(!wanted.is_text());
    }
}
