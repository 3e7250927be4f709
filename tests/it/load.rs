//! Much at once, and for long.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::client::Connect;
use crate::support::{Client, Era, Gate, MuxTest, Reply, Request, eventually, fake};

#[test]
fn eight_calls_of_a_second_take_less_than_two() {
    let fake = fake::legacy()
        .tool_answering("second", |_| {
            // The tool's own time is what is measured here.
            thread::sleep(Duration::from_secs(1));
            Reply::text("done")
        })
        .stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let begun = Instant::now();
    let calls: Vec<_> = (0..8)
        .map(|_| client.start_call("a__second", &json!({})))
        .collect();
    for call in calls {
        assert_eq!(call.answer().said(), "done");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "it took {:?}",
        begun.elapsed()
    );
}

#[test]
fn two_hundred_sessions_at_once() {
    let gate = Gate::new();
    let held = gate.clone();
    let fake = fake::legacy()
        .tool_answering("meet", move |call| {
            held.wait("all are there");
            Reply::text(&call.argument("n").to_string())
        })
        .http();
    let settings = json!({"maxConcurrentCalls": 200});
    let mux = MuxTest::new()
        .settings(&settings)
        .upstream("a", &fake)
        .start();
    let clients: Vec<Client> = (0..200).map(|_| mux.legacy()).collect();
    let streams: Vec<_> = clients.iter().map(Client::get_stream).collect();
    let calls: Vec<_> = clients
        .iter()
        .enumerate()
        .map(|(n, client)| client.start_call("a__meet", &json!({"n": n})))
        .collect();
    fake.wait_seen("tools/call", 200);
    gate.open();
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.answer().said(), n.to_string());
    }
    assert!(streams.iter().all(|stream| stream.status() == 200));
}

#[test]
fn modern_clients_leave_nothing_behind() {
    let fake = fake::modern().tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.modern();
    let round = || {
        for n in 0..500 {
            assert_eq!(
                client.call("a__echo", &json!({"n": n})).said(),
                format!(r#"echo {{"n":{n}}}"#)
            );
        }
    };
    flat(mux.process.id(), round);
}

#[test]
fn two_thousand_sessions_leave_nothing_behind() {
    let fake = fake::legacy().tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    assert_eq!(mux.modern().names("tools"), ["a__echo"]);
    let round = || {
        for _ in 0..1000 {
            let client = Connect::new(Era::Legacy).http(mux.addr());
            let stream = client.get_stream();
            assert_eq!(stream.status(), 200);
            assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
            drop(stream);
            assert!((200..300).contains(&client.delete().status()));
        }
    };
    flat(mux.process.id(), round);
}

#[test]
fn sessions_that_are_dropped_without_a_word_leave_nothing_behind() {
    let fake = fake::legacy().tool("echo").http();
    let settings = json!({"sessionIdleTimeout": "200ms", "maxSessions": 300});
    let mux = MuxTest::new()
        .settings(&settings)
        .upstream("a", &fake)
        .start();
    let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}"#;
    let round = || {
        for _ in 0..1000 {
            eventually("there is room for a session", || {
                (Request::post(initialize).send(mux.addr()).status() == 200).then_some(())
            });
        }
    };
    flat(mux.process.id(), round);
}

/// The request and its answer are held as they came in, and nothing else of them is, then or later.
#[test]
fn big_calls_take_memory_for_their_two_messages_alone() {
    const BIG: usize = 10 * 1024 * 1024;
    let fake = fake::legacy().tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
    let before = kib(mux.process.id(), "VmHWM:");
    let text = json!({"text": "x".repeat(BIG)}).to_string();
    for _ in 0..4 {
        let call = client.ask_call("a__echo").member("arguments", &text);
        // An answer that takes long comes as a stream, which is kept for a client that comes back.
        let call = call.header("accept", "application/json");
        assert!(call.answer().said().len() > BIG);
    }
    let grown = kib(mux.process.id(), "VmHWM:") - before;
    let most = (2 * BIG / 1024 + 4 * 1024) as u64;
    assert!(grown < most, "the most memory grew by {grown} KiB");
}

/// Runs a round to warm up and another that must leave memory and descriptors where they were.
fn flat(pid: u32, round: impl Fn()) {
    round();
    let descriptors = settled_descriptors(pid, usize::MAX);
    let memory = kib(pid, "VmRSS:");
    round();
    settled_descriptors(pid, descriptors + 4);
    let now = kib(pid, "VmRSS:");
    assert!(
        now < memory + memory / 4 + 4096,
        "memory went from {memory} KiB to {now} KiB"
    );
}

/// Waits until no more than this many descriptors are open.
fn settled_descriptors(pid: u32, limit: usize) -> usize {
    let open = || std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    eventually("descriptors are closed", || {
        Some(open()).filter(|count| *count <= limit)
    })
}

/// How much memory a process has, by the name of the line that says it.
fn kib(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or("0");
    line.split_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}
