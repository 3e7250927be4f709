//! What holds for all inputs, checked against `serde_json` where it knows the answer.

use bytes::Bytes;
use indexmap::IndexMap;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::runs::{BLOCK, LONG, Runs};
use super::scan::Scanner;
use super::span::{Member, Span};
use super::walk::{Elements, Members};
use super::*;

fn blank() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => "[ \t\r\n]{1,3}"]
}

/// A string literal, escaped in any way, without lone surrogates.
fn literal() -> impl Strategy<Value = String> {
    let escapes = [
        r"\u0061",
        r"\n",
        r"\/",
        r"\\",
        r#"\""#,
        r"\u0000",
        r"\ud83D\uDe00",
        "\u{e9}",
        "\u{1f600}",
    ];
    let piece = prop_oneof![3 => "[a-z{}\\[\\]:, ]{0,12}", 1 => prop::sample::select(escapes.to_vec()).prop_map(str::to_owned)];
    vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn number() -> impl Strategy<Value = String> {
    r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?"
}

/// A key out of few, so that duplicates are likely, in one of several spellings.
fn key() -> impl Strategy<Value = String> {
    let spellings = [
        r#""name""#,
        r#""n\u0061me""#,
        r#""a""#,
        r#""\u0061""#,
        r#""""#,
        r#""a\n""#,
        "\"\u{e9}\"",
        r#""\u00E9""#,
    ];
    prop::sample::select(spellings.to_vec()).prop_map(str::to_owned)
}

fn object_of(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let member = (blank(), key(), blank(), blank(), value, blank())
        .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"));
    (vec(member, 0..6), blank()).prop_map(|(members, blank)| match members.len() {
        0 => format!("{{{blank}}}"),
        _ => format!("{{{}}}", members.join(",")),
    })
}

/// A valid JSON text without whitespace around it.
fn value() -> impl Strategy<Value = String> + Clone {
    let words = prop::sample::select(&["null", "true", "false"]).prop_map(str::to_owned);
    prop_oneof![words, number(), literal()].prop_recursive(4, 32, 6, |inner| {
        let element =
            (blank(), inner.clone(), blank()).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
        let array = vec(element, 0..6).prop_map(|elements| format!("[{}]", elements.join(",")));
        prop_oneof![array, object_of(inner)]
    })
}

/// Bytes close to JSON: a valid text with a few bytes replaced, inserted or cut off, what may be a number or a string, or
/// only characters of JSON.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        prop::sample::select(br#"{}[]:,"\ue0123456789+-.Etrufalsn x"#.to_vec()),
        any::<u8>(),
    ];
    let edit = (any::<Index>(), 0..3_u8, byte.clone());
    let mutated = (blank(), value(), blank(), vec(edit, 0..3)).prop_map(|(a, value, b, edits)| {
        let mut text = format!("{a}{value}{b}").into_bytes();
        for (index, action, byte) in edits {
            let at = index.index(text.len() + 1);
            match action {
                0 => text.insert(at, byte),
                1 => text.truncate(at),
                _ => drop(text.get_mut(at).map(|old| *old = byte)),
            }
        }
        text
    });
    let numeric = r"-?[0-9]{0,3}(\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?".prop_map(String::into_bytes);
    let pieces = [
        r"\u", r"\ud8", "00", "Fg", "\\", "n", "\"", "\n", "\0", "\u{1f}", "\u{7f}", "\u{e9}",
    ];
    let textual = vec(prop::sample::select(pieces.to_vec()), 0..6)
        .prop_map(|pieces| format!("\"{}\"", pieces.concat()).into_bytes());
    prop_oneof![3 => mutated, 1 => vec(byte, 0..12), 1 => numeric, 1 => textual]
}

/// What may stand between quotes, and sometimes may not.
fn text_of_string() -> impl Strategy<Value = String> {
    let inside = literal().prop_map(|text| text[1..text.len() - 1].to_owned());
    let any = nearly_json().prop_map(|text| String::from_utf8_lossy(&text).into_owned());
    prop_oneof![3 => inside, 1 => any]
}

fn json(text: &str) -> Json {
    Json::parse(text.as_bytes().to_vec()).unwrap()
}

fn payload() -> impl Strategy<Value = Json> + Clone {
    value().prop_map(|text| json(&text))
}

fn id() -> impl Strategy<Value = RequestId> {
    prop_oneof![number(), literal()].prop_map(|text| RequestId::from_json(&json(&text)).unwrap())
}

fn message() -> impl Strategy<Value = Message> {
    let method = "[a-z/]{0,8}|.{0,8}".prop_map(Into::into);
    let params = prop::option::of(payload());
    let request = (id(), method.clone(), params.clone())
        .prop_map(|(id, method, params)| Request { id, method, params }.into());
    let notification =
        (method, params).prop_map(|(method, params)| Notification { method, params }.into());
    let result = (id(), payload()).prop_map(|(id, result)| {
        Response {
            id: Some(id),
            body: Ok(result),
        }
        .into()
    });
    let error = (prop::option::of(id()), object_of(value())).prop_map(|(id, error)| {
        Response {
            id,
            body: Err(json(&error)),
        }
        .into()
    });
    prop_oneof![request, notification, result, error]
}

/// Cuts `stream` at the given places.
fn chunks<'a>(stream: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    places.extend([0, stream.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|pair| &stream[pair[0]..pair[1]])
        .collect()
}

fn decode_lines(limit: usize, chunks: &[&[u8]]) -> (Vec<Result<Bytes, WireError>>, Option<Bytes>) {
    let mut decoder = LineDecoder::new(limit);
    let mut lines = Vec::new();
    for chunk in chunks {
        decoder.push(chunk);
        lines.extend(decoder.by_ref());
    }
    (lines, decoder.finish())
}

fn decode_events(limit: usize, chunks: &[&[u8]]) -> Vec<Result<SseEvent, WireError>> {
    let mut decoder = SseDecoder::new(limit);
    let mut events = Vec::new();
    for chunk in chunks {
        decoder.push(chunk);
        events.extend(decoder.by_ref());
    }
    events
}

/// A stream of fields, comments, line ends and rubbish.
fn event_stream() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "data",
        "data: ",
        "data:abc",
        "id: 1",
        "retry: 5",
        "event: e",
        ":",
        ": comment",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "x",
        "\u{feff}",
        "\0",
    ];
    vec(prop::sample::select(pieces.to_vec()), 0..40)
        .prop_map(|pieces| pieces.concat().into_bytes())
}

fn event() -> impl Strategy<Value = SseEvent> {
    let event = prop::option::of("[^\r\n]{0,6}");
    let id = prop::option::of("[^\r\n\0]{0,6}");
    (event, "[^\r]{0,12}", id, prop::option::of(any::<u64>())).prop_map(
        |(event, data, id, retry)| SseEvent {
            event,
            data: data.into(),
            id,
            retry,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_scanner_accepts_what_serde_json_accepts(text in nearly_json()) {
        let ours = Json::parse(text.clone());
        let theirs = serde_json::from_slice::<&RawValue>(&text);
        prop_assert_eq!(ours.as_ref().ok().map(Json::to_string), theirs.ok().map(|raw| raw.get().to_owned()));
        let parse_error = matches!(
            Frame::parse(text.into()),
            Err(Malformed { kind: MalformedKind::Parse, .. })
        );
        prop_assert_eq!(parse_error, ours.is_err());
    }

    #[test]
    fn strings_decode_as_serde_json_decodes_them(text in literal()) {
        let theirs: String = serde_json::from_str(&text).unwrap();
        let ours = json(&text);
        prop_assert_eq!(ours.text(), Some(theirs.as_str().into()));
        prop_assert_eq!(Json::string(&theirs), Json::encode(&theirs));
    }

    #[test]
    fn contents_are_those_that_serde_json_finds(text in value()) {
        let ours = json(&text);
        let elements: Option<Vec<Json>> = serde_json::from_str(&text).ok();
        prop_assert_eq!(ours.elements(), elements);
        let members: Option<IndexMap<String, Json>> = serde_json::from_str(&text).ok();
        let last_wins = ours.members().map(|members| {
            members.into_iter().map(|(key, value)| (key.into_owned(), value)).collect()
        });
        prop_assert_eq!(&last_wins, &members);
        for (key, value) in members.into_iter().flatten() {
            prop_assert_eq!(ours.get(&key), Some(value));
        }
    }

    #[test]
    fn walking_finds_what_scanning_finds(text in value()) {
        let mut texts = vec![text.as_bytes()];
        while let Some(text) = texts.pop() {
            let (mut scanned, mut walked) = (Vec::new(), Vec::new());
            let runs = Runs::default();
            let mut scanner = Scanner::new(text, &runs);
            if let Some(members) = Members::of(text, &runs) {
                let read = |member: &Member| (member.start(), member.key.bytes(text).into_owned(), member.value);
                scanner.object(|member| scanned.push(read(&member))).unwrap();
                walked.extend(members.map(|member| read(&member)));
            } else if let Some(elements) = Elements::of(text, &runs) {
                let read = |span: Span| (0, Vec::new(), span);
                scanner.array(|scanner| { scanned.push(read(scanner.value()?)); Ok(()) }).unwrap();
                walked.extend(elements.map(read));
            }
            prop_assert_eq!(&walked, &scanned);
            texts.extend(walked.iter().map(|(_, _, span)| &text[span.range()]));
        }
    }

    /// Long texts are not looked at byte by byte; what stands at the borders of their blocks is found all the same.
    #[test]
    fn long_texts_are_read_as_short_ones_are(
        pieces in vec((0..3 * BLOCK, text_of_string()), 1..4),
        broken in prop::option::of((any::<Index>(), any::<u8>())),
    ) {
        let mut text = Vec::from(&b"{\"a\":["[..]);
        for (length, piece) in pieces {
            let filler = "x".repeat(LONG / 2 + length);
            text.extend(format!("\"{filler}{piece}{filler}\",").into_bytes());
        }
        text.extend(b"{}],\"a\":\"\"}");
        if let Some((index, byte)) = broken {
            let at = index.index(text.len());
            text[at] = byte;
        }
        let theirs = serde_json::from_slice::<&RawValue>(&text).ok();
        let ours = Json::parse(text.clone()).ok();
        prop_assert_eq!(ours.as_ref().map(Json::as_bytes), theirs.map(|raw| raw.get().as_bytes()));
        if let Some(ours) = ours {
            // Of a copy nothing is known beforehand.
            let plainly = ours.detached();
            prop_assert_eq!(ours.members(), plainly.members());
            let elements = |json: &Json| json.members()?.first()?.1.elements();
            prop_assert_eq!(elements(&ours), elements(&plainly));
        }
    }

    #[test]
    fn splicing_is_editing_the_value(
        object in object_of(value()),
        edits in vec((prop::sample::select(&["name", "a", "", "a\n", "\u{e9}", "new", "n\"w"]), prop::option::of(value())), 0..5),
    ) {
        let object = json(&object);
        let mut splice = Splice::new(&object).unwrap();
        // The last edit of a key counts; what is new stands in the order in which it was set.
        let mut last: IndexMap<&str, Option<Json>> = IndexMap::new();
        for (key, value) in &edits {
            let value = value.as_deref().map(json);
            match value.clone() {
                Some(value) => splice.set(*key, value),
                None => splice.remove(key),
            };
            if last.get(key) == Some(&None) {
                last.shift_remove(key);
            }
            last.insert(key, value);
        }
        let result = splice.finish();
        prop_assert_eq!(Json::parse(result.clone().into_bytes()), Ok(result.clone()));

        let mut expected: Map<String, Value> = object.decode().unwrap();
        for (key, value) in &last {
            match value {
                Some(value) => drop(expected.insert((*key).to_owned(), value.decode().unwrap())),
                None => drop(expected.shift_remove(*key)),
            }
        }
        let edited: Map<String, Value> = result.decode().unwrap();
        prop_assert_eq!(Value::from(edited).to_string(), Value::from(expected).to_string());

        let untouched = |object: &Json| -> Vec<(String, Json)> {
            let members = object.members().unwrap().into_iter();
            members.map(|(key, value)| (key.into_owned(), value)).filter(|(key, _)| !last.contains_key(key.as_str())).collect()
        };
        prop_assert_eq!(untouched(&result), untouched(&object));
    }

    #[test]
    fn parsing_undoes_encoding(message in message()) {
        let bytes = message.encode();
        let parsed = Frame::parse(bytes.clone());
        prop_assert_eq!(&parsed, &Ok(Frame::One(message.clone())));
        prop_assert!(matches!(parsed, Ok(Frame::One(parsed)) if parsed.encode() == bytes));
    }

    #[test]
    fn a_batch_is_its_messages(messages in vec(message(), 1..4)) {
        let batch: Vec<Json> = messages.iter().map(|message| Json::parse(message.encode()).unwrap()).collect();
        let parsed = Frame::parse(Json::array(&batch).into_bytes());
        prop_assert_eq!(parsed, Ok(Frame::Batch(messages.into_iter().map(Ok).collect())));
    }

    #[test]
    fn lines_do_not_depend_on_chunks(stream in "[ab \r\n]{0,40}", cuts in vec(any::<Index>(), 0..8), limit in 0..6_usize) {
        let whole = decode_lines(limit, &[stream.as_bytes()]);
        prop_assert_eq!(&decode_lines(limit, &chunks(stream.as_bytes(), &cuts)), &whole);
        let lines = stream.split_inclusive('\n').filter(|line| line.ends_with('\n')).filter_map(|line| {
            let line = line.strip_suffix("\r\n").or(line.strip_suffix('\n')).unwrap_or(line);
            if line.len() > limit {
                Some(Err(WireError::TooLarge { limit }))
            } else {
                (!line.trim().is_empty()).then(|| Ok(Bytes::copy_from_slice(line.as_bytes())))
            }
        });
        let lines: Vec<_> = lines.collect();
        prop_assert_eq!(&whole.0[..lines.len()], &lines[..]);
    }

    #[test]
    fn events_do_not_depend_on_chunks(stream in event_stream(), cuts in vec(any::<Index>(), 0..8), limit in 0..12_usize) {
        let whole = decode_events(limit, &[&stream]);
        prop_assert_eq!(decode_events(limit, &chunks(&stream, &cuts)), whole);
    }

    #[test]
    fn decoding_events_undoes_encoding(events in vec(event(), 0..4), cuts in vec(any::<Index>(), 0..8)) {
        let stream: Vec<u8> = events
            .iter()
            .flat_map(|event| [SseEvent::comment("x"), event.encode()])
            .flatten()
            .collect();
        let expected: Vec<_> = events.into_iter().map(Ok).collect();
        prop_assert_eq!(decode_events(1000, &chunks(&stream, &cuts)), expected);
    }
}
