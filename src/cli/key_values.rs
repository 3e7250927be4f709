//! The arguments of a tool or a prompt, as a person types them.

use indexmap::IndexMap;
use serde_json::Value;

use super::report::Finding;
use super::wanted::Wanted;
use crate::wire::{Json, JsonKind};

/// Arguments whose form is known but whose types are not.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// One JSON object, sent as it is.
    Object(Json),
    /// `key=value` pairs in the order of the keys' first appearance.
    Pairs(IndexMap<String, Vec<String>>),
}

impl Typed {
    /// Reads the words after the name.
    pub(super) fn parse(words: &[String]) -> Result<Self, Finding> {
        if let [word] = words
            && word.trim_start().starts_with('{')
        {
            return match Json::parse(word.clone().into_bytes()) {
                Ok(object) => Ok(Self::Object(object)),
                Err(error) => Err(Finding::new(format!("the arguments are not JSON: {error}"))
                    .hint("quote the object for the shell: '{\"key\":\"value\"}'")),
            };
        }
        let mut pairs: IndexMap<String, Vec<String>> = IndexMap::new();
        for word in words {
            match word.split_once('=') {
                Some((key, value)) if !key.is_empty() => {
                    pairs
                        .entry(key.to_owned())
                        .or_default()
                        .push(value.to_owned());
                }
                _ => {
                    return Err(
                        Finding::new(format!("argument `{word}` is not `key=value`"))
                            .hint("give `key=value` pairs, or one JSON object in quotes"),
                    );
                }
            }
        }
        Ok(Self::Pairs(pairs))
    }

    /// The arguments of a tool; the values follow its input schema where it says something.
    pub(super) fn for_tool(self, schema: Option<&Value>) -> Result<Json, Finding> {
        let pairs = match self {
            Self::Object(object) => return Ok(object),
            Self::Pairs(pairs) => pairs,
        };
        let mut members = IndexMap::with_capacity(pairs.len());
        for (key, values) in pairs {
            let wanted = Wanted::of_property(schema, &key);
            let value = match values.as_slice() {
                [value] => one(value, &wanted),
                _ if wanted.admits(JsonKind::Array) => list(&values, &wanted),
                _ => return Err(twice(&key)),
            };
            members.insert(key, value);
        }
        Ok(Json::encode(&members))
    }

    /// The arguments of a prompt: strings, whatever they look like.
    pub(super) fn for_prompt(self) -> Result<Json, Finding> {
        let pairs = match self {
            Self::Object(object) => return Ok(object),
            Self::Pairs(pairs) => pairs,
        };
        let mut members = IndexMap::with_capacity(pairs.len());
        for (key, mut values) in pairs {
            match (values.pop(), values.is_empty()) {
                (Some(value), true) => members.insert(key, value),
                _ => return Err(twice(&key)),
            };
        }
        Ok(Json::encode(&members))
    }
}

fn twice(key: &str) -> Finding {
    Finding::new(format!("argument `{key}` is given twice"))
}

/// One typed value. What the schema cannot mean is sent all the same: the server is the judge.
fn one(text: &str, wanted: &Wanted<'_>) -> Json {
    if wanted.is_text() {
        return Json::string(text);
    }
    let parsed = Json::parse(text.to_owned().into_bytes()).ok();
    if let Some(json) = &parsed
        && (wanted.is_anything() || wanted.admits(json.kind()))
    {
        return json.clone();
    }
    if wanted.admits(JsonKind::String) {
        return Json::string(text);
    }
    if wanted.admits(JsonKind::Array) {
        return list(&[text.to_owned()], wanted);
    }
    parsed.unwrap_or_else(|| Json::string(text))
}

/// An array of the values, each as the schema of the items says.
fn list(values: &[String], wanted: &Wanted<'_>) -> Json {
    let items = wanted.items();
    Json::encode(
        &values
            .iter()
            .map(|value| one(value, &items))
            .collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    fn typed(all: &[&str], schema: &Value) -> Result<String, Finding> {
        let arguments = Typed::parse(&words(all))?.for_tool(Some(schema))?;
        Ok(arguments.to_string())
    }

    #[test]
    fn values_follow_the_schema() {
        let schema = json!({"type": "object", "properties": {
            "text": {"type": "string"},
            "count": {"type": "integer"},
            "exact": {"type": "boolean"},
            "either": {"type": ["string", "null"]},
            "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "colour": {"$ref": "#/$defs/Colour"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "more": {"type": "array", "items": {"type": "integer"}},
        }, "$defs": {"Colour": {"enum": ["red", "1"]}}});
        let all = [
            "text=1",
            "count=12345678901234567890123",
            "exact=true",
            "either=null",
            "maybe=5",
            "colour=1",
            "tags=7",
            "more=[1,2]",
        ];
        assert_eq!(
            typed(&all, &schema).unwrap(),
            r#"{"text":"1","count":12345678901234567890123,"exact":true,"either":null,"maybe":"5","colour":"1","tags":["7"],"more":[1,2]}"#
        );
        assert_eq!(
            typed(&["tags=a", "tags=2"], &schema).unwrap(),
            r#"{"tags":["a","2"]}"#
        );
        assert_eq!(
            typed(&["more=1", "more=2"], &schema).unwrap(),
            r#"{"more":[1,2]}"#
        );
        assert_eq!(
            typed(&["count=many"], &schema).unwrap(),
            r#"{"count":"many"}"#
        );
        assert_eq!(
            typed(&["text=a", "text=b"], &schema).unwrap_err(),
            twice("text")
        );
    }

    #[test]
    fn without_a_schema_a_value_is_json_else_a_string() {
        let all = [
            "n=1e400",
            "o={\"a\": 1}",
            "s=plain",
            "q=\"quoted\"",
            "e=",
            "eq=a=b",
        ];
        assert_eq!(
            typed(&all, &json!({})).unwrap(),
            r#"{"n":1e400,"o":{"a": 1},"s":"plain","q":"quoted","e":"","eq":"a=b"}"#
        );
    }

    #[test]
    fn an_object_is_sent_as_it_is() {
        let text = r#"{"b": 1.0, "a": [ ]}"#;
        assert_eq!(typed(&[text], &json!({})).unwrap(), text);
        assert_eq!(typed(&[], &json!({})).unwrap(), "{}");
    }

    #[test]
    fn what_is_neither_is_refused() {
        assert_eq!(
            typed(&["{broken"], &json!({})).unwrap_err().hint.as_deref(),
            Some("quote the object for the shell: '{\"key\":\"value\"}'")
        );
        assert_eq!(
            typed(&["[1]"], &json!({})).unwrap_err().what,
            "argument `[1]` is not `key=value`"
        );
        assert_eq!(
            typed(&["=x"], &json!({})).unwrap_err().what,
            "argument `=x` is not `key=value`"
        );
    }

    #[test]
    fn arguments_of_a_prompt_are_strings() {
        let arguments = Typed::parse(&words(&["n=1", "s=x"]))
            .unwrap()
            .for_prompt()
            .unwrap();
        assert_eq!(arguments.to_string(), r#"{"n":"1","s":"x"}"#);
        let again = Typed::parse(&words(&["n=1", "n=2"])).unwrap().for_prompt();
        assert_eq!(again.unwrap_err(), twice("n"));
    }
}
