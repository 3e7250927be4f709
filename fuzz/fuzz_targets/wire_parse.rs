//! Frames: we accept what `serde_json` accepts, and what was read is written and read again as the same.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mcpmux::wire::{Frame, Json, MalformedKind, Message};
use serde_json::value::RawValue;

fuzz_target!(|data: &[u8]| {
    let json = Json::parse(data.to_vec());
    let theirs = serde_json::from_slice::<&RawValue>(data);
    assert_eq!(
        json.as_ref().ok().map(Json::as_bytes),
        theirs.ok().map(|raw| raw.get().as_bytes())
    );

    match Frame::parse(Bytes::copy_from_slice(data)) {
        Ok(Frame::One(message)) => again(&message),
        Ok(Frame::Batch(messages)) => messages.iter().flatten().for_each(again),
        Err(malformed) => assert_eq!(malformed.kind == MalformedKind::Parse, json.is_err()),
    }
    if let Ok(json) = json {
        contents(&json);
    }
});

fn again(message: &Message) {
    let bytes = message.encode();
    assert_eq!(Frame::parse(bytes), Ok(Frame::One(message.clone())));
}

/// Reads a value in every way; `serde_json` may refuse what is too deep or a lone surrogate, else both agree.
fn contents(json: &Json) {
    if let Ok(theirs) = json.decode::<String>() {
        assert_eq!(json.text().as_deref(), Some(theirs.as_str()));
    }
    if let Ok(theirs) = json.decode::<Vec<Json>>() {
        assert_eq!(json.elements(), Some(theirs));
    }
    // Parts are found without being checked again, so they must be whole by themselves.
    for (key, value) in json.members().into_iter().flatten().take(8) {
        assert!(json.get(&key).is_some());
        assert_eq!(Json::parse(value.clone().into_bytes()), Ok(value));
    }
}
