use serde_json::json;

use super::*;

fn parse(text: &str) -> Result<Json, WireError> {
    Json::parse(text.as_bytes().to_vec())
}

#[test]
fn whitespace_around_a_value_is_trimmed_without_a_copy() {
    let frame = Bytes::from_static(b" \r\n\t{ \"a\" : 1 } \n");
    let json = Json::parse(frame.clone()).unwrap();
    assert_eq!(json.to_string(), "{ \"a\" : 1 }");
    assert_eq!(json.as_bytes().as_ptr(), frame[4..].as_ptr());
}

#[test]
fn any_number_passes_untouched() {
    for text in [
        "1e400",
        "12345678901234567890123",
        "-0",
        "-0.0E-7",
        "1.10",
        "0e0",
    ] {
        assert_eq!(parse(text).unwrap().to_string(), text);
        assert_eq!(parse(text).unwrap().kind(), JsonKind::Number);
    }
}

#[test]
fn what_is_no_json_is_refused_at_its_place() {
    let fault = |text: &[u8]| match Json::parse(text.to_vec()) {
        Err(WireError::NotJson { at, detail }) => (at, detail),
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(b""), (0, "expected a value"));
    assert_eq!(fault(b"  "), (2, "expected a value"));
    assert_eq!(fault(b"01"), (1, "expected the end"));
    assert_eq!(fault(b"-"), (1, "expected a digit"));
    assert_eq!(fault(b"1."), (2, "expected a digit"));
    assert_eq!(fault(b"1e+"), (3, "expected a digit"));
    assert_eq!(fault(b"+1"), (0, "expected a value"));
    assert_eq!(fault(b"nul"), (0, "expected a value"));
    assert_eq!(fault(b"true false"), (5, "expected the end"));
    assert_eq!(fault(b"[1,]"), (3, "expected a value"));
    assert_eq!(
        fault(b"[1 2]"),
        (3, "expected a comma or a closing bracket")
    );
    assert_eq!(fault(b"[1}"), (2, "expected a comma or a closing bracket"));
    assert_eq!(
        fault(b"{\"a\":1]"),
        (6, "expected a comma or a closing bracket")
    );
    assert_eq!(fault(b"{\"a\":1,}"), (7, "expected a key"));
    assert_eq!(fault(b"{a:1}"), (1, "expected a key"));
    assert_eq!(fault(b"{\"a\" 1}"), (5, "expected a colon"));
    assert_eq!(fault(b"\"a"), (2, "unterminated string"));
    assert_eq!(fault(b"\"a\nb\""), (2, "control character in a string"));
    assert_eq!(fault(b"\"\\x\""), (2, "unknown escape"));
    assert_eq!(
        fault(b"\"\\u12g4\""),
        (2, "expected four hexadecimal digits")
    );
    assert_eq!(fault(b"\"\\u12"), (2, "expected four hexadecimal digits"));
    assert_eq!(fault(b"\"\xff\""), (1, "expected UTF-8"));
    assert_eq!(fault(b"\xef\xbb\xbf1"), (0, "expected a value"));
}

#[test]
fn deep_nesting_needs_no_stack() {
    let depth = 200_000;
    let arrays = "[".repeat(depth) + &"]".repeat(depth);
    let json = parse(&arrays).unwrap();
    assert_eq!(json.len(), 2 * depth);
    assert_eq!(json.elements().unwrap()[0].len(), 2 * depth - 2);
    let objects = "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
    assert_eq!(
        parse(&objects).unwrap().get("a").unwrap().len(),
        6 * depth - 5
    );
    assert!(parse(&"[".repeat(depth)).is_err());
    assert!(matches!(
        json.decode::<serde_json::Value>(),
        Err(WireError::Shape { .. })
    ));
}

#[test]
fn members_are_found_by_the_key_they_decode_to() {
    let json = Json::from_static(r#"{"a":1, "n\u0061me" : "x" , "a":{"name":2}, "":null}"#);
    assert_eq!(json.get("name"), Some(Json::from_static(r#""x""#)));
    assert_eq!(json.get("a"), Some(Json::from_static(r#"{"name":2}"#)));
    assert_eq!(json.get(""), Some(Json::null()));
    assert_eq!(json.get("b"), None);
    let members: Vec<_> = json
        .members()
        .unwrap()
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(members, ["a=1", "name=\"x\"", "a={\"name\":2}", "=null"]);
}

#[test]
fn only_containers_have_contents() {
    for text in ["null", "1", "\"{}\"", "true"] {
        let json = Json::from_static(text);
        assert_eq!(
            (json.get("a"), json.members(), json.elements()),
            (None, None, None)
        );
    }
    assert_eq!(Json::from_static("{ }").members(), Some(vec![]));
    assert_eq!(Json::from_static("{}").elements(), None);
    assert_eq!(Json::from_static("[ ]").elements(), Some(vec![]));
    assert_eq!(Json::from_static("[]").members(), None);
    assert_eq!(
        Json::from_static("[ 1 , [2,3] ]").elements(),
        Some(vec![Json::from_static("1"), Json::from_static("[2,3]")])
    );
}

#[test]
fn kinds_and_texts() {
    use JsonKind::{Array, Bool, Null, Number, Object, String};
    let kinds = ["null", "true", "false", "-1", "\"\"", "[]", "{}"]
        .map(|text| Json::from_static(text).kind());
    assert_eq!(kinds, [Null, Bool, Bool, Number, String, Array, Object]);
    assert_eq!(
        Json::from_static(r#""a\u00e9\n""#).text().as_deref(),
        Some("a\u{e9}\n")
    );
    assert_eq!(
        Json::from_static(r#""\ud800""#).text().as_deref(),
        Some("\u{fffd}")
    );
    assert!(matches!(
        Json::from_static("\"plain\"").text(),
        Some(Cow::Borrowed("plain"))
    ));
    assert_eq!(Json::from_static("[\"a\"]").text(), None);
}

#[test]
fn values_are_composed() {
    let one = Json::encode(&json!({"a": [1, "x"]}));
    assert_eq!(one.to_string(), r#"{"a":[1,"x"]}"#);
    assert_eq!(
        Json::string("a\"\u{1}\u{e9}").to_string(),
        "\"a\\\"\\u0001\u{e9}\""
    );
    assert_eq!(
        Json::array([&one, &Json::null()]).to_string(),
        r#"[{"a":[1,"x"]},null]"#
    );
    assert_eq!(Json::array([]).to_string(), "[]");
    let object = Json::object([("x\"", &one), ("y", &Json::null())]);
    assert_eq!(object.to_string(), r#"{"x\"":{"a":[1,"x"]},"y":null}"#);
    assert_eq!(Json::object([]).to_string(), "{}");
}

#[test]
fn payloads_pass_verbatim_through_types_of_ours() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Ours {
        meta: Json,
        more: Vec<Json>,
    }
    let text = r#"{"meta":{ "a" : 1e400, "b":"\ud800" },"more":[null,12345678901234567890123]}"#;
    let ours: Ours = parse(text).unwrap().decode().unwrap();
    assert_eq!(ours.meta.to_string(), r#"{ "a" : 1e400, "b":"\ud800" }"#);
    assert_eq!(Json::encode(&ours).to_string(), text);
}

#[test]
fn a_detached_value_shares_no_memory() {
    let json = Json::from_static("[1]");
    assert_eq!(json.detached(), json);
    assert_ne!(
        json.detached().as_bytes().as_ptr(),
        json.as_bytes().as_ptr()
    );
}

#[test]
fn a_value_is_no_bigger_than_its_bytes() {
    assert_eq!(size_of::<Json>(), size_of::<Bytes>());
}
