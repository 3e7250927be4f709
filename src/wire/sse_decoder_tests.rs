use super::*;

/// Decodes the chunks one by one.
fn decode(limit: usize, chunks: &[&[u8]]) -> Vec<Result<SseEvent, WireError>> {
    let mut decoder = SseDecoder::new(limit);
    let mut events = Vec::new();
    for chunk in chunks {
        decoder.push(chunk);
        events.extend(decoder.by_ref());
    }
    events
}

/// Decodes at once and byte by byte, which must agree.
#[track_caller]
fn check(stream: &str, expected: &[SseEvent]) {
    let expected: Vec<_> = expected.iter().cloned().map(Ok).collect();
    assert_eq!(decode(99, &[stream.as_bytes()]), expected);
    let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
    assert_eq!(decode(99, &bytes), expected);
}

fn data(text: &str) -> SseEvent {
    SseEvent {
        data: Bytes::copy_from_slice(text.as_bytes()),
        ..SseEvent::default()
    }
}

#[test]
fn lines_end_in_lf_crlf_or_cr() {
    let both = [data("a"), data("b")];
    check("data: a\n\ndata: b\n\n", &both);
    check("data: a\r\n\r\ndata: b\r\n\r\n", &both);
    check("data: a\r\rdata: b\r\r", &both);
    check("data: a\r\ndata: b\r\n\r\n", &[data("a\nb")]);
    check("data: a\r\n\ndata: b\n\r\n", &both);
}

#[test]
fn an_event_comes_as_soon_as_its_blank_line_is_sure() {
    let mut decoder = SseDecoder::new(99);
    decoder.push(b"data: a\r\n\r");
    assert_eq!(decoder.next(), Some(Ok(data("a"))));
    decoder.push(b"\ndata: b\n\n");
    assert_eq!(decoder.next(), Some(Ok(data("b"))));
    assert_eq!(decoder.next(), None);
}

#[test]
fn lines_of_data_are_joined() {
    check("data: a\ndata\ndata:b\ndata:  c\n\n", &[data("a\n\nb\n c")]);
    check("data\n\n", &[data("")]);
    check("data:\ndata:\n\n", &[data("\n")]);
}

#[test]
fn every_field_is_read() {
    let event = SseEvent {
        event: Some("message".to_owned()),
        data: Bytes::from_static(b"{}"),
        id: Some("7:a".to_owned()),
        retry: Some(1500),
    };
    check(
        "id: 7:a\nevent: message\nretry: 1500\nother: x\ndata: {}\n\n",
        &[event],
    );
}

#[test]
fn fields_that_do_not_count_are_ignored() {
    check(
        "retry: 1x\nretry:\nretry: -1\nretry: 99999999999999999999\nid: a\0\ndata: x\n\n",
        &[data("x")],
    );
    check(
        ": comment\n\n:\n\n\n\nevent: alone\n\ndata: x\n\n",
        &[data("x")],
    );
    check("data: void", &[]);
    check("data: void\n", &[]);
}

#[test]
fn priming_events_are_reported() {
    let id = SseEvent {
        id: Some("1".to_owned()),
        ..SseEvent::default()
    };
    let retry = SseEvent {
        retry: Some(5),
        ..SseEvent::default()
    };
    check(
        "id: 1\ndata:\n\nid: 1\n\nretry: 5\n\n",
        &[id.clone(), id, retry],
    );
}

#[test]
fn a_byte_order_mark_is_skipped_at_the_start_only() {
    check(
        "\u{feff}data: a\n\n\u{feff}data: b\n\ndata: c\n\n",
        &[data("a"), data("c")],
    );
}

#[test]
fn an_event_may_be_as_large_as_the_limit() {
    assert_eq!(decode(3, &[b"data: abc\n\n"]), [Ok(data("abc"))]);
    assert_eq!(decode(3, &[b"data: a\ndata: b\n\n"]), [Ok(data("a\nb"))]);
}

#[test]
fn a_large_event_is_reported_once_and_left_out() {
    let too_large = || Err(WireError::TooLarge { limit: 3 });
    let one_line = b"id: 1\ndata: abcd\ndata: abcd\ndata: x\n\ndata: ok\n\n";
    assert_eq!(decode(3, &[one_line]), [too_large(), Ok(data("ok"))]);
    let two_lines = b"data: ab\ndata: c\n\ndata: ok\n\n";
    assert_eq!(decode(3, &[two_lines]), [too_large(), Ok(data("ok"))]);
    let chunks: [&[u8]; 5] = [
        b"data: abcdef",
        b"g",
        b"\rdata: x",
        b"\r\n\r\nda",
        b"ta: ok\n\n",
    ];
    assert_eq!(decode(3, &chunks), [too_large(), Ok(data("ok"))]);
}

#[test]
fn a_long_comment_harms_nothing() {
    let chunks: [&[u8]; 4] = [b"data: a\n: a long", b" comment", b" that ends\n", b"\n"];
    assert_eq!(decode(3, &chunks), [Ok(data("a"))]);
    assert_eq!(
        decode(3, &[b"data: a\n: a long comment\n\n"]),
        [Ok(data("a"))]
    );
}

#[test]
fn what_is_skipped_is_not_kept() {
    let mut decoder = SseDecoder::new(3);
    for _ in 0..100 {
        decoder.push(&[b'x'; 1000]);
        let _ = decoder.by_ref().count();
    }
    assert_eq!(decoder.buffer.capacity(), 0);
}

#[test]
fn a_single_line_of_data_is_not_copied_again() {
    let mut decoder = SseDecoder::new(99);
    decoder.push(b"data: abc\n\n");
    let start = decoder.buffer.as_ptr();
    let event = decoder.next().unwrap().unwrap();
    assert_eq!(event.data.as_ptr(), start.wrapping_add(6));
}
