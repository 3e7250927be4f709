//! `wire`: envelopes, splices, event streams.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput};
use mcpmux::wire::{Frame, Json, LineDecoder, Splice, SseDecoder, SseEvent};

/// Sizes of payloads in bytes: a usual call, a page of text, a file.
const SIZES: [usize; 3] = [100, 20_000, 1_000_000];
/// Larger than anything here.
const LIMIT: usize = 16 * 1024 * 1024;

pub(crate) fn all(criterion: &mut Criterion) {
    parse(criterion);
    splice(criterion);
    streams(criterion);
}

/// Text in which every 50th character has to be escaped, as in source code.
fn text(size: usize) -> Json {
    let line = format!("{}\n", "x".repeat(49));
    Json::string(&line.repeat(size.div_ceil(50))[..size])
}

fn params(size: usize) -> String {
    let text = text(size);
    format!(
        r#"{{"name":"files__write","arguments":{{"path":"a/b","text":{text}}},"_meta":{{"progressToken":7}}}}"#
    )
}

fn request(size: usize) -> Bytes {
    let params = params(size);
    format!(r#"{{"jsonrpc":"2.0","id":12,"method":"tools/call","params":{params}}}"#).into()
}

fn response(size: usize) -> Bytes {
    let text = text(size);
    format!(
        r#"{{"jsonrpc":"2.0","id":12,"result":{{"content":[{{"type":"text","text":{text}}}],"isError":false}}}}"#
    )
    .into()
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for size in SIZES {
        for (what, frame) in [("request", request(size)), ("response", response(size))] {
            group.throughput(Throughput::Bytes(frame.len() as u64));
            group.bench_function(format!("{what}/{size}"), |bench| {
                bench.iter(|| Frame::parse(black_box(frame.clone())).expect("it is a message"));
            });
        }
    }
}

fn splice(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("splice");
    for size in SIZES {
        let params = Json::parse(params(size)).expect("it is JSON");
        let (name, meta) = (
            Json::string("write"),
            Json::from_static(r#"{"progressToken":1}"#),
        );
        group.throughput(Throughput::Bytes(params.len() as u64));
        group.bench_function(format!("name and token/{size}"), |bench| {
            bench.iter(|| {
                let mut splice = Splice::new(black_box(&params)).expect("it is an object");
                splice.set("name", name.clone()).set("_meta", meta.clone());
                splice.finish()
            });
        });
    }
}

fn streams(criterion: &mut Criterion) {
    const MESSAGES: u64 = 100;
    let mut group = criterion.benchmark_group("streams");
    group.throughput(Throughput::Elements(MESSAGES));
    let mut lines = Vec::new();
    let mut events = Vec::new();
    for _ in 0..MESSAGES {
        let message = response(100);
        lines.extend_from_slice(&message);
        lines.push(b'\n');
        let event = SseEvent {
            data: message,
            ..SseEvent::default()
        };
        events.extend_from_slice(&event.encode());
    }
    group.bench_function("events", |bench| {
        bench.iter_batched_ref(
            || SseDecoder::new(LIMIT),
            |decoder| {
                decoder.push(black_box(&events));
                assert_eq!(decoder.count(), MESSAGES as usize);
            },
            BatchSize::SmallInput,
        );
    });
    group.bench_function("lines", |bench| {
        bench.iter_batched_ref(
            || LineDecoder::new(LIMIT),
            |decoder| {
                decoder.push(black_box(&lines));
                assert_eq!(decoder.count(), MESSAGES as usize);
            },
            BatchSize::SmallInput,
        );
    });
}
