//! A running mux follows its files: what a change does, and what it leaves alone.

mod command;
mod load;
mod refused;
mod servers;
mod watching;

use serde_json::{Value, json};

use crate::support::{FakeServer, Mux, MuxTest};

/// Another configuration for a running mux, in the place of the one it was started with.
fn next(mux: &Mux) -> MuxTest {
    MuxTest::within(mux.dir())
}

/// Has the mux follow another configuration. What comes of it is for the caller to wait for.
fn follow(mux: &Mux, next: &MuxTest) {
    next.write();
    mux.process.signal(rustix::process::Signal::HUP);
}

/// Keys of an entry that make another process of it, each number another one.
fn version(number: usize) -> Value {
    json!({"env": {"VERSION": number.to_string()}})
}

/// The process ids of a fake that live.
fn pids(fake: &FakeServer) -> Vec<u32> {
    let lives = fake.lives().all();
    let living = lives.iter().filter(|life| life.alive);
    living.map(|life| life.pid).collect()
}
