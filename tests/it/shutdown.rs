//! The end of the mux, in every way: nothing is left behind.

use serde_json::json;

use crate::support::{Fake, Gate, Mux, MuxTest, Reply, fake};

/// Servers of every nasty kind, each with a grandchild.
fn nasty() -> Vec<Fake> {
    let kinds: [&[&str]; 6] = [
        &["--grandchild", "plain"],
        &["--grandchild", "session"],
        &["--grandchild", "daemon"],
        &["--ignore-term", "--grandchild", "plain"],
        &["--ignore-term", "--grandchild", "session"],
        &["--ignore-term", "--grandchild", "daemon"],
    ];
    let stubborn = |kind: &&[&str]| fake::legacy().tool("echo").child(kind).keeps_running();
    kinds.iter().map(stubborn).collect()
}

/// Ends a mux before nasty servers, and waits until all their processes are gone.
fn nothing_is_left_after(front: &[&str], end: impl Fn(&mut Mux)) {
    let fakes: Vec<_> = nasty().into_iter().map(Fake::stdio).collect();
    let mut test = MuxTest::new().settings(&json!({"shutdownGrace": "300ms"}));
    for (n, fake) in fakes.iter().enumerate() {
        test = test.upstream(&format!("s{n}"), fake);
    }
    let mut mux = test.start_with(front);
    let client = mux.legacy();
    assert_eq!(client.call("s0__echo", &json!({})).said(), "echo {}");
    for fake in &fakes {
        fake.lives()
            .wait("child and grandchild are there", |lives| lives.len() == 2);
    }
    end(&mut mux);
    for fake in &fakes {
        fake.lives().wait_for_none();
    }
}

#[test]
fn sigterm_leaves_nothing() {
    nothing_is_left_after(&["--http", "127.0.0.1:0"], |mux| {
        assert_eq!(mux.stop(), 143);
    });
}

#[test]
fn sigint_leaves_nothing() {
    nothing_is_left_after(&["--stdio"], |mux| {
        mux.process.signal(rustix::process::Signal::INT);
        assert_eq!(mux.process.wait(), 130);
    });
}

#[test]
fn sigkill_leaves_nothing() {
    nothing_is_left_after(&["--http", "127.0.0.1:0"], |mux| mux.process.kill());
}

#[test]
fn the_end_of_stdin_leaves_nothing() {
    nothing_is_left_after(&["--stdio"], |mux| {
        mux.stdio().close();
        assert_eq!(mux.process.wait(), 0);
    });
}

#[test]
fn a_second_signal_ends_the_mux_at_once() {
    let fake = fake::legacy()
        .tool("echo")
        .child(&["--ignore-term"])
        .keeps_running()
        .stdio();
    let settings = json!({"shutdownGrace": "1h"});
    let mut mux = MuxTest::new()
        .settings(&settings)
        .upstream("a", &fake)
        .start();
    let client = mux.legacy();
    client.call("a__echo", &json!({})).result();
    mux.process.terminate();
    crate::support::eventually("the mux has ended", || {
        if mux.process.ended().is_none() {
            mux.process.terminate();
        }
        mux.process.ended()
    });
    fake.lives().wait_for_none();
}

#[test]
fn children_are_asked_before_they_are_told() {
    let fake = fake::legacy().tool("echo").stdio();
    let mut mux = MuxTest::new().upstream("a", &fake).start();
    mux.legacy().call("a__echo", &json!({})).result();
    assert_eq!(mux.stop(), 143);
    // The fake closes its end when its stdin ends, and that ends the child in peace.
    fake.lives().wait_for_none();
    assert_eq!(fake.ends_of_input(), 1);
}

#[test]
fn calls_under_way_are_finished_within_the_grace() {
    let gate = Gate::new();
    let held = gate.clone();
    let fake = fake::legacy()
        .tool_answering("slow", move |_| {
            held.wait("the mux is stopping");
            Reply::text("done")
        })
        .stdio();
    let mut mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let call = client.start_call("a__slow", &json!({}));
    fake.wait_seen("tools/call", 1);
    mux.process.terminate();
    crate::support::eventually("no new connection is taken", || {
        crate::support::Request::get()
            .try_send(mux.addr())
            .is_err()
            .then_some(())
    });
    gate.open();
    assert_eq!(call.answer().said(), "done");
    assert_eq!(mux.process.wait(), 143);
}

#[test]
fn a_call_that_does_not_end_is_cut_off_after_the_grace() {
    let fake = fake::legacy()
        .tool_answering("slow", |_| Reply::Nothing)
        .stdio();
    let settings = json!({"shutdownGrace": "200ms"});
    let mut mux = MuxTest::new()
        .settings(&settings)
        .upstream("a", &fake)
        .start();
    let client = mux.legacy();
    let _call = client.start_call("a__slow", &json!({}));
    fake.wait_seen("tools/call", 1);
    assert_eq!(mux.stop(), 143);
}

#[test]
fn a_server_that_is_replaced_takes_its_relatives_with_it() {
    let fake = fake::legacy()
        .tool("echo")
        .child(&["--grandchild", "daemon"])
        .stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    mux.legacy().call("a__echo", &json!({})).result();
    fake.kill();
    fake.lives()
        .wait("the first pair is gone and a second is there", |lives| {
            lives.len() == 4 && lives.iter().filter(|life| life.alive).count() == 2
        });
}
