use super::*;

fn frame(text: &str) -> Result<Frame, Malformed> {
    Frame::parse(Bytes::copy_from_slice(text.as_bytes()))
}

fn json(text: &str) -> Json {
    Json::parse(text.as_bytes().to_vec()).unwrap()
}

fn one(text: &str) -> Message {
    match frame(text) {
        Ok(Frame::One(message)) => message,
        other => panic!("{other:?}"),
    }
}

/// The id (as text) and the detail of an invalid message.
fn refused(text: &str) -> (Option<String>, String) {
    match frame(text) {
        Err(Malformed {
            id,
            kind: MalformedKind::Invalid,
            detail,
        }) => (id.map(|id| id.to_string()), detail),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_keeps_its_payload() {
    let params = "{ \"name\" : \"x\", \"big\":12345678901234567890123, \"bad\": \"\\ud800\" }";
    let text =
        format!(" {{\"params\":{params} , \"id\": 7,\"method\":\"m\",\"jsonrpc\":\"2.0\"}}\r");
    let expected = Request {
        id: 7.into(),
        method: "m".into(),
        params: Some(json(params)),
    };
    assert_eq!(one(&text), expected.into());
}

#[test]
fn a_payload_is_a_slice_of_the_frame() {
    let bytes = Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"result":{"a":1}}"#);
    let Ok(Frame::One(Message::Response(response))) = Frame::parse(bytes.clone()) else {
        panic!()
    };
    assert_eq!(
        response.body.unwrap().as_bytes().as_ptr(),
        bytes[33..].as_ptr()
    );
}

#[test]
fn escaped_members_and_texts_are_understood() {
    let expected = Notification {
        method: "a/b".into(),
        params: None,
    };
    assert_eq!(
        one(r#"{"\u006asonrpc":"\u0032.0","m\u0065thod":"a\/\u0062"}"#),
        expected.into()
    );
}

#[test]
fn null_is_not_absent() {
    let request = Request {
        id: 1.into(),
        method: "m".into(),
        params: Some(Json::null()),
    };
    assert_eq!(
        one(r#"{"jsonrpc":"2.0","id":1,"method":"m","params":null}"#),
        request.into()
    );
    let response = Response {
        id: Some(1.into()),
        body: Ok(Json::null()),
    };
    assert_eq!(
        one(r#"{"jsonrpc":"2.0","id":1,"result":null}"#),
        response.into()
    );
    let no_id = (None, "the `id` of a request is null".to_owned());
    assert_eq!(
        refused(r#"{"jsonrpc":"2.0","id":null,"method":"m"}"#),
        no_id
    );
}

#[test]
fn an_error_may_come_without_an_id() {
    let error = json(r#"{"code":-32700,"message":"x"}"#);
    let expected: Message = Response {
        id: None,
        body: Err(error),
    }
    .into();
    assert_eq!(
        one(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}"#),
        expected
    );
    assert_eq!(
        one(r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"x"}}"#),
        expected
    );
}

#[test]
fn unknown_members_are_skipped() {
    let expected = Response {
        id: Some(1.into()),
        body: Ok(json("1")),
    };
    assert_eq!(
        one(r#"{"x":[],"jsonrpc":"2.0","x":{},"id":1,"result":1}"#),
        expected.into()
    );
}

#[track_caller]
fn check_refused(text: &str, id: Option<&str>, detail: &str) {
    assert_eq!(
        refused(text),
        (id.map(str::to_owned), detail.to_owned()),
        "{text}"
    );
}

#[test]
fn a_wrong_version_is_refused() {
    let detail = "`jsonrpc` is not \"2.0\"";
    check_refused(r#"{"id":1,"method":"m"}"#, Some("1"), detail);
    check_refused(r#"{"jsonrpc":2.0,"id":1,"method":"m"}"#, Some("1"), detail);
    check_refused(
        r#"{"jsonrpc":"1.0","id":"x","method":"m"}"#,
        Some("\"x\""),
        detail,
    );
}

#[test]
fn a_wrong_id_is_refused() {
    let wrong_type = "`id` is neither a string nor a number";
    check_refused(
        r#"{"jsonrpc":"2.0","id":[1],"method":"m"}"#,
        None,
        wrong_type,
    );
    let no_id = "a result without an id";
    check_refused(r#"{"jsonrpc":"2.0","result":1}"#, None, no_id);
    check_refused(r#"{"jsonrpc":"2.0","id":null,"result":1}"#, None, no_id);
}

#[test]
fn wrong_members_are_refused() {
    let refused = |members: &str, detail: &str| {
        check_refused(
            &format!(r#"{{"jsonrpc":"2.0","id":1,{members}}}"#),
            Some("1"),
            detail,
        );
    };
    refused(r#""method":5"#, "`method` is not a string");
    refused(
        r#""method":"m","result":1"#,
        "a message with a method has no result",
    );
    refused(
        r#""method":"m","error":{}"#,
        "a message with a method has no result",
    );
    refused(r#""result":1,"error":{}"#, "both `result` and `error`");
    refused(r#""result":1,"error":null"#, "both `result` and `error`");
    refused(r#""params":{}"#, "neither `method`, `result` nor `error`");
    refused(r#""error":"x""#, "`error` is not an object");
}

#[test]
fn repeated_members_are_refused() {
    let twice = r#"{"jsonrpc":"2.0","method":"m","id":1,"id":2,"m\u0065thod":"m"}"#;
    check_refused(twice, None, "`id` occurs twice");
    let twice = r#"{"jsonrpc":"2.0","id":1,"method":"m","m\u0065thod":"m"}"#;
    check_refused(twice, Some("1"), "`method` occurs twice");
}

#[test]
fn what_is_no_object_is_refused() {
    check_refused("5", None, "a message is an object");
    check_refused("[ ]", None, "the batch is empty");
}

#[test]
fn bad_bytes_are_a_parse_error() {
    for bytes in [
        &b""[..],
        b"{",
        b"[{}",
        b"{}{}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}x",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"a\":01}}",
    ] {
        let malformed = Frame::parse(Bytes::from_static(bytes)).unwrap_err();
        assert_eq!((malformed.id, malformed.kind), (None, MalformedKind::Parse));
    }
}

#[test]
fn a_batch_is_read_element_by_element() {
    let batch = frame(r#"[ {"jsonrpc":"2.0","method":"m"} , 1, [], {"jsonrpc":"2.0","id":2} ]"#);
    let no_object = || Err(invalid(None, "a message is an object"));
    let expected = Frame::Batch(vec![
        Ok(Notification {
            method: "m".into(),
            params: None,
        }
        .into()),
        no_object(),
        no_object(),
        Err(invalid(
            Some(2.into()),
            "neither `method`, `result` nor `error`",
        )),
    ]);
    assert_eq!(batch, Ok(expected));
}

#[test]
fn the_length_of_a_batch_is_bounded() {
    let batch = |length: usize| format!("[{}]", vec!["0"; length].join(","));
    assert!(matches!(frame(&batch(MAX_BATCH)), Ok(Frame::Batch(list)) if list.len() == MAX_BATCH));
    assert_eq!(
        refused(&batch(MAX_BATCH + 1)),
        (None, "a batch of more than 1000 messages".to_owned())
    );
}

#[test]
fn deep_nesting_in_a_payload_needs_no_stack() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{deep}}}"#);
    assert_eq!(one(&text).encode(), text);
    let expected = Err(invalid(None, "a message is an object"));
    assert_eq!(
        frame(&format!("[{deep}]")),
        Ok(Frame::Batch(vec![expected]))
    );
}
