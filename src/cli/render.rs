//! The results of `call`, `read` and `prompt` as text.

use super::indent::indented;
use super::report::count;
use crate::printable;
use crate::wire::Json;

/// A `tools/call` result: text as it is, structured content where there is no text, and one line
/// in brackets for anything else.
pub(super) fn tool_result(result: &Json) -> String {
    let Some(blocks) = elements(result, "content") else {
        return match result.get("structuredContent") {
            Some(structured) => indented(&structured),
            None => indented(result),
        };
    };
    let has_text = blocks
        .iter()
        .any(|block| string(block, "type").as_deref() == Some("text"));
    let mut text: String = blocks.iter().map(content).collect();
    if let Some(structured) = result.get("structuredContent").filter(|_| !has_text) {
        text.push_str(&indented(&structured));
    }
    text
}

/// A `resources/read` result: text as it is, one line in brackets for binary contents.
pub(super) fn contents(result: &Json) -> String {
    match elements(result, "contents") {
        Some(contents) => contents
            .iter()
            .map(|part| match string(part, "text") {
                Some(text) => ended(text),
                None => bracketed(&embedded(part)),
            })
            .collect(),
        None => indented(result),
    }
}

/// A `prompts/get` result: each message below the role that speaks.
pub(super) fn messages(result: &Json) -> String {
    let Some(messages) = elements(result, "messages") else {
        return indented(result);
    };
    let mut text = String::new();
    for message in messages {
        text.push_str(&bracketed(&string(&message, "role").unwrap_or_default()));
        text.push_str(
            &message
                .get("content")
                .map(|part| content(&part))
                .unwrap_or_default(),
        );
    }
    text
}

/// Whether a `tools/call` result says that the tool failed.
pub(super) fn is_error(result: &Json) -> bool {
    result
        .get("isError")
        .is_some_and(|flag| flag.as_bytes() == b"true")
}

/// One content block.
fn content(block: &Json) -> String {
    let kind = string(block, "type").unwrap_or_default();
    match kind.as_str() {
        "text" => ended(string(block, "text").unwrap_or_default()),
        "image" | "audio" => {
            let size = string(block, "data").map(|data| bytes(&data));
            bracketed(&joined([Some(kind), string(block, "mimeType"), size]))
        }
        "resource_link" => {
            let named = [string(block, "uri"), string(block, "mimeType")];
            bracketed(&format!("resource link {}", joined(named)))
        }
        "resource" => {
            let inner = block
                .get("resource")
                .map(|part| embedded(&part))
                .unwrap_or_default();
            bracketed(&format!("resource {inner}"))
        }
        "" => bracketed("content without a type"),
        _ => bracketed(&kind),
    }
}

/// The URI, type and size of resource contents.
fn embedded(part: &Json) -> String {
    let text = string(part, "text").map(|text| count(text.chars().count(), "character"));
    let size = text.or_else(|| string(part, "blob").map(|blob| bytes(&blob)));
    joined([string(part, "uri"), string(part, "mimeType"), size])
}

/// How much the base64 text stands for.
fn bytes(base64: &str) -> String {
    let padding = base64
        .bytes()
        .rev()
        .take_while(|byte| *byte == b'=')
        .count();
    count((base64.len() * 3 / 4).saturating_sub(padding), "byte")
}

fn joined<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn bracketed(text: &str) -> String {
    format!("[{}]\n", printable::line(text))
}

/// The text with a line end, which is added where it has none.
fn ended(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn string(object: &Json, key: &str) -> Option<String> {
    Some(object.get(key)?.text()?.into_owned())
}

fn elements(object: &Json, key: &str) -> Option<Vec<Json>> {
    object.get(key)?.elements()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &'static str) -> Json {
        Json::from_static(text)
    }

    #[test]
    fn text_is_printed_as_it_is() {
        let result = json(
            r#"{"content":[{"type":"text","text":"a\n\u001b b"},{"type":"text","text":"c\n"}],"structuredContent":{"x":1}}"#,
        );
        assert_eq!(tool_result(&result), "a\n\u{1b} b\nc\n");
    }

    #[test]
    fn structured_content_stands_in_for_missing_text() {
        let result = json(r#"{"content":[],"structuredContent":{"n":1e400,"l":[]}}"#);
        assert_eq!(tool_result(&result), "{\n  \"n\": 1e400,\n  \"l\": []\n}\n");
        let result = json(r#"{"structuredContent":5}"#);
        assert_eq!(tool_result(&result), "5\n");
        let result = json(r#"{"vendor":true}"#);
        assert_eq!(tool_result(&result), "{\n  \"vendor\": true\n}\n");
    }

    #[test]
    fn anything_else_is_one_line_in_brackets() {
        let result = json(
            r#"{"content":[
                {"type":"image","data":"AAAA","mimeType":"image/png"},
                {"type":"audio","data":"AAA=","mimeType":"audio/\u001bwav"},
                {"type":"resource_link","uri":"file:///x","name":"x"},
                {"type":"resource","resource":{"uri":"file:///y","mimeType":"text/plain","text":"abc"}},
                {"type":"resource","resource":{"uri":"file:///z","blob":"AA=="}},
                {"type":"hologram","data":{}},
                {}
            ]}"#,
        );
        assert_eq!(
            tool_result(&result),
            "[image, image/png, 3 bytes]\n\
             [audio, audio/wav, 2 bytes]\n\
             [resource link file:///x]\n\
             [resource file:///y, text/plain, 3 characters]\n\
             [resource file:///z, 1 byte]\n\
             [hologram]\n\
             [content without a type]\n"
        );
    }

    #[test]
    fn a_resource_is_its_text() {
        let result = json(
            r#"{"contents":[{"uri":"a:b","text":"one"},{"uri":"a:c","mimeType":"image/png","blob":"AAAA"}]}"#,
        );
        assert_eq!(contents(&result), "one\n[a:c, image/png, 3 bytes]\n");
    }

    #[test]
    fn a_prompt_is_its_messages() {
        let result = json(
            r#"{"messages":[{"role":"user","content":{"type":"text","text":"hello"}},{"role":"assistant","content":{"type":"image","data":"","mimeType":"image/png"}}]}"#,
        );
        assert_eq!(
            messages(&result),
            "[user]\nhello\n[assistant]\n[image, image/png, 0 bytes]\n"
        );
    }

    #[test]
    fn an_error_is_told_from_a_result() {
        assert!(is_error(&json(r#"{"isError":true}"#)));
        assert!(!is_error(&json(r#"{"isError":false}"#)));
        assert!(!is_error(&json(r#"{"isError":"true"}"#)));
        assert!(!is_error(&json("{}")));
    }
}
