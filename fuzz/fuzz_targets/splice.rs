//! Edits of an object, against the same edits of a decoded one. Input: `key=value` or `key`, each with a `|` behind it, then the object.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcpmux::wire::{Json, Splice};
use serde_json::{Map, Value};

fuzz_target!(|data: &[u8]| {
    let mut parts: Vec<&[u8]> = data.split(|byte| *byte == b'|').collect();
    let Some(object) = parts.pop().and_then(|text| Json::parse(text.to_vec()).ok()) else {
        return;
    };
    let Some(mut splice) = Splice::new(&object) else {
        return;
    };
    let mut expected = object.decode::<Map<String, Value>>().ok();
    for part in parts {
        let mut halves = part.splitn(2, |byte| *byte == b'=');
        let key = String::from_utf8_lossy(halves.next().unwrap_or_default());
        match Json::parse(halves.next().unwrap_or_default().to_vec()) {
            Ok(value) => {
                splice.set(key.clone().into_owned(), value.clone());
                expected = expected
                    .zip(value.decode::<Value>().ok())
                    .map(|(mut object, value)| {
                        object.insert(key.into_owned(), value);
                        object
                    });
            }
            Err(_) => {
                splice.remove(&key);
                expected.as_mut().map(|object| object.shift_remove(&*key));
            }
        }
    }
    let result = splice.finish();
    assert_eq!(
        Json::parse(result.clone().into_bytes()).as_ref(),
        Ok(&result)
    );
    if let Some(expected) = expected {
        assert_eq!(result.decode::<Map<String, Value>>(), Ok(expected));
    }
});
