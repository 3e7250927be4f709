//! Lines: the result does not depend on chunks. Input: limit, chunk length, stream.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mcpmux::wire::{LineDecoder, WireError};

fuzz_target!(|data: &[u8]| {
    let [limit, length, stream @ ..] = data else {
        return;
    };
    let whole = decode(usize::from(*limit), stream, stream.len().max(1));
    assert_eq!(
        decode(usize::from(*limit), stream, usize::from(*length).max(1)),
        whole
    );
    for line in whole.iter().flatten() {
        assert!(line.len() <= usize::from(*limit));
        assert!(!line.contains(&b'\n') && !line.is_empty());
    }
});

fn decode(limit: usize, stream: &[u8], length: usize) -> Vec<Result<Bytes, WireError>> {
    let mut decoder = LineDecoder::new(limit);
    let mut lines = Vec::new();
    for chunk in stream.chunks(length) {
        decoder.push(chunk);
        lines.extend(decoder.by_ref());
    }
    lines.extend(decoder.finish().map(Ok));
    lines
}
