//! Events: the result does not depend on chunks, and events survive being written and read. Input: limit, chunk length,
//! stream.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcpmux::wire::{SseDecoder, SseEvent, WireError};

fuzz_target!(|data: &[u8]| {
    let [limit, length, stream @ ..] = data else {
        return;
    };
    let whole = decode(usize::from(*limit), stream, stream.len().max(1));
    assert_eq!(
        decode(usize::from(*limit), stream, usize::from(*length).max(1)),
        whole
    );
    for event in whole.iter().flatten() {
        assert!(event.data.len() <= usize::from(*limit));
        let again = decode(usize::MAX, &event.encode(), usize::from(*length).max(1));
        assert_eq!(again, [Ok(event.clone())]);
    }
});

fn decode(limit: usize, stream: &[u8], length: usize) -> Vec<Result<SseEvent, WireError>> {
    let mut decoder = SseDecoder::new(limit);
    let mut events = Vec::new();
    for chunk in stream.chunks(length) {
        decoder.push(chunk);
        events.extend(decoder.by_ref());
    }
    events
}
