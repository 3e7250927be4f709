//! Values that HTTP headers repeat from the body (SEP-2243).

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem::Finder;

use crate::wire::{Json, JsonKind};

const SENTINEL_START: &str = "=?base64?";
const SENTINEL_END: &str = "?=";
static ANNOTATION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("x-mcp-header"));
/// How deep a schema is searched for annotations; deeper ones make a tool invalid.
const MAX_DEPTH: usize = 32;

/// The text forms of header values.
pub struct HeaderText;

impl HeaderText {
    /// The text as a header carries it: as it is where that is safe, else in base64 between markers.
    pub fn encode(text: &str) -> Cow<'_, str> {
        let plain = text
            .bytes()
            .all(|byte| byte == b'\t' || (0x20..=0x7e).contains(&byte))
            && text.trim_matches([' ', '\t']).len() == text.len()
            && !(text.starts_with(SENTINEL_START) && text.ends_with(SENTINEL_END));
        if plain {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(format!(
                "{SENTINEL_START}{}{SENTINEL_END}",
                STANDARD.encode(text)
            ))
        }
    }

    /// The text that a header value stands for; `None` if its base64 is broken.
    pub fn decode(value: &str) -> Option<Cow<'_, str>> {
        let Some(inner) = value
            .strip_prefix(SENTINEL_START)
            .and_then(|rest| rest.strip_suffix(SENTINEL_END))
        else {
            return Some(Cow::Borrowed(value));
        };
        let bytes = STANDARD.decode(inner).ok()?;
        String::from_utf8(bytes).ok().map(Cow::Owned)
    }
}

/// One `x-mcp-header` annotation of a tool's input schema.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamHeader {
    /// The names of the properties that lead to the value.
    pub path: Vec<String>,
    /// The header's full name, `Mcp-Param-…`.
    pub header: String,
}

/// All annotations of one tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParamHeaders(pub Vec<ParamHeader>);

impl ParamHeaders {
    /// Reads the annotations of a tool definition. `Err`: an annotation breaks the rules, and with it the
    /// tool's definition; says which rule.
    pub fn of_tool(tool: &Json) -> Result<Self, String> {
        // Most tools have none: a search for the bytes is cheaper than a walk, and every call over HTTP wants to know.
        if ANNOTATION.find(tool.as_bytes()).is_none() {
            return Ok(Self::default());
        }
        let Some(schema) = tool.get("inputSchema") else {
            return Ok(Self::default());
        };
        let mut found = Vec::new();
        if schema.get("x-mcp-header").is_some() {
            return Err("the root of the schema is annotated".to_owned());
        }
        let mut path = Vec::new();
        walk(&schema, &mut path, &mut found)?;
        let mut seen: Vec<String> = found
            .iter()
            .map(|header| header.header.to_ascii_lowercase())
            .collect();
        seen.sort();
        if seen.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("two properties share a header".to_owned());
        }
        if count_annotations(&schema, 0)? != found.len() {
            return Err("an annotation is not reachable through `properties` alone".to_owned());
        }
        Ok(Self(found))
    }

    /// The headers for a call with these arguments: name and encoded value.
    pub fn values(&self, arguments: Option<&Json>) -> Vec<(String, String)> {
        self.0
            .iter()
            .filter_map(|header| {
                let text = header.body_text(arguments)?;
                Some((
                    header.header.clone(),
                    HeaderText::encode(&text).into_owned(),
                ))
            })
            .collect()
    }
}

impl ParamHeader {
    /// What the body says at this path, as text; `None` where the header is to be left out.
    pub fn body_text(&self, arguments: Option<&Json>) -> Option<String> {
        let mut value = arguments?.clone();
        for key in &self.path {
            value = value.get(key)?;
        }
        match value.kind() {
            JsonKind::String => value.text().map(Cow::into_owned),
            JsonKind::Bool | JsonKind::Number => Some(value.to_string()),
            _ => None,
        }
    }

    /// Whether a header value agrees with the body; numbers are compared as numbers.
    pub fn agrees(&self, header: &str, body: &str) -> bool {
        let Some(header) = HeaderText::decode(header) else {
            return false;
        };
        header == body
            || matches!((header.parse::<f64>(), body.parse::<f64>()),
                (Ok(left), Ok(right)) if (left - right).abs() == 0.0)
    }
}

/// Collects the annotations that are reachable through `properties` alone.
fn walk(schema: &Json, path: &mut Vec<String>, found: &mut Vec<ParamHeader>) -> Result<(), String> {
    if path.len() > MAX_DEPTH {
        return Err("the schema is nested too deeply".to_owned());
    }
    let Some(properties) = schema.get("properties") else {
        return Ok(());
    };
    for (name, property) in properties.members().unwrap_or_default() {
        path.push(name.into_owned());
        if let Some(annotation) = property.get("x-mcp-header") {
            let text = annotation.text().unwrap_or_default().into_owned();
            if text.is_empty() || !text.bytes().all(is_token) {
                return Err(format!("`{}` is no header name", text.escape_debug()));
            }
            let kind = property.get("type");
            let primitive = kind
                .as_ref()
                .and_then(Json::text)
                .is_some_and(|kind| matches!(kind.as_ref(), "string" | "integer" | "boolean"));
            if !primitive {
                return Err(format!(
                    "`{}` is neither string, integer nor boolean",
                    path.join(".")
                ));
            }
            found.push(ParamHeader {
                path: path.clone(),
                header: format!("Mcp-Param-{text}"),
            });
        }
        walk(&property, path, found)?;
        path.pop();
    }
    Ok(())
}

/// How many annotations there are anywhere in the schema, properties *named* like one aside.
fn count_annotations(schema: &Json, depth: usize) -> Result<usize, String> {
    if depth > MAX_DEPTH * 2 {
        return Err("the schema is nested too deeply".to_owned());
    }
    let mut count = 0;
    for (key, value) in schema.members().unwrap_or_default() {
        match key.as_ref() {
            "x-mcp-header" => count += 1,
            "default" | "const" | "enum" | "examples" => {}
            "properties" | "$defs" | "definitions" | "patternProperties" | "dependentSchemas" => {
                for (_, inner) in value.members().unwrap_or_default() {
                    count += count_annotations(&inner, depth + 1)?;
                }
            }
            _ => {
                count += count_annotations(&value, depth + 1)?;
                for inner in value.elements().unwrap_or_default() {
                    count += count_annotations(&inner, depth + 1)?;
                }
            }
        }
    }
    Ok(count)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(schema: &str) -> Result<ParamHeaders, String> {
        let tool = format!(r#"{{"name":"t","inputSchema":{schema}}}"#);
        ParamHeaders::of_tool(&Json::parse(tool).unwrap())
    }

    #[test]
    fn values_that_are_not_plain_travel_in_base64() {
        for text in [
            "us-west1",
            "Hello, 世界",
            " padded ",
            "line1\nline2",
            "=?base64?literal?=",
        ] {
            assert_eq!(
                HeaderText::decode(&HeaderText::encode(text)).as_deref(),
                Some(text)
            );
        }
        assert_eq!(HeaderText::encode(" padded "), "=?base64?IHBhZGRlZCA=?=");
        assert_eq!(HeaderText::decode("=?base64?%%%?="), None);
    }

    #[test]
    fn annotations_are_found_along_properties() {
        let found = headers(
            r#"{"properties":{"a":{"properties":{"b":{"type":"integer","x-mcp-header":"B"}}},
                "c":{"type":"string","x-mcp-header":"C"}}}"#,
        )
        .unwrap();
        let arguments = Json::parse(r#"{"a":{"b":42},"c":null}"#).unwrap();
        assert_eq!(
            found.values(Some(&arguments)),
            [("Mcp-Param-B".to_owned(), "42".to_owned())]
        );
    }

    #[test]
    fn broken_annotations_are_refused() {
        for schema in [
            r#"{"x-mcp-header":"A"}"#,
            r#"{"properties":{"a":{"type":"string","x-mcp-header":""}}}"#,
            r#"{"properties":{"a":{"type":"string","x-mcp-header":"a b"}}}"#,
            r#"{"properties":{"a":{"type":"array","x-mcp-header":"A"}}}"#,
            r#"{"properties":{"a":{"type":"number","x-mcp-header":"A"}}}"#,
            r#"{"properties":{"a":{"items":{"type":"string","x-mcp-header":"A"}}}}"#,
            r#"{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}"#,
        ] {
            assert!(headers(schema).is_err(), "{schema}");
        }
    }
}
