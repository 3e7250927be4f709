//! Many servers and constant calls, while one server changes again and again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_json::json;

use super::{follow, next, pids, version};
use crate::support::{FakeServer, Mux, MuxTest, fake};

const SERVERS: usize = 50;
const CHANGES: usize = 100;
const CALLERS: usize = 3;

/// All servers, the first of them in this version.
fn all(mux: MuxTest, fakes: &[FakeServer], number: usize) -> MuxTest {
    let mux = mux.settings(&json!({"watchFiles": false}));
    let keys = |at| if at == 0 { version(number) } else { json!({}) };
    let named = |mux: MuxTest, (at, fake): (usize, &FakeServer)| {
        mux.upstream_with(&format!("s{at}"), fake, &keys(at))
    };
    fakes.iter().enumerate().fold(mux, named)
}

/// Calls one server after the other until it is over; the one that changes as well.
fn call_all(mux: &Mux, over: &AtomicBool, calls: &AtomicUsize) {
    let client = mux.modern();
    while !over.load(Ordering::Relaxed) {
        for at in 0..SERVERS {
            let said = client
                .call(&format!("s{at}__echo"), &json!({"at": at}))
                .said();
            assert_eq!(said, format!(r#"echo {{"at":{at}}}"#));
            calls.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn one_of_fifty_servers_changes_a_hundred_times_and_no_call_fails() {
    let of = |at| {
        if at % 2 == 0 {
            fake::legacy()
        } else {
            fake::modern()
        }
    };
    let fakes: Vec<FakeServer> = (0..SERVERS).map(|at| of(at).tool("echo").stdio()).collect();
    let mux = all(MuxTest::new(), &fakes, 0).start();
    assert_eq!(mux.modern().total(), SERVERS);
    let before: Vec<Vec<u32>> = fakes.iter().map(pids).collect();
    let (over, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| scope.spawn(|| call_all(&mux, &over, &calls)))
            .collect();
        for change in 1..=CHANGES {
            follow(&mux, &all(next(&mux), &fakes, change));
            mux.wait_stderr_times("server `s0` is replaced (env)", change);
        }
        over.store(true, Ordering::Relaxed);
        for caller in callers {
            caller.join().expect("no call failed");
        }
    });
    assert!(calls.load(Ordering::Relaxed) >= CHANGES, "{calls:?} calls");
    fakes[0].lives().wait("one process is left", |lives| {
        lives.iter().filter(|life| life.alive).count() == 1
    });
    assert_eq!(fakes[0].starts(), CHANGES + 1);
    for (fake, before) in fakes.iter().zip(&before).skip(1) {
        assert_eq!((pids(fake), fake.starts()), (before.clone(), 1));
    }
}
