//! Everything at once, for as long as you like: faults, cancels, questions and reconnects at random.
//!
//! `MCPMUX_SOAK` says for how many seconds, `MCPMUX_SOAK_SEED` repeats the choices of an earlier run.
//! Rounds have two halves. In the storm the servers are killed, cut off and made to forget, and calls
//! may fail, but each must end in one answer, its own or an error that says so. In the calm that
//! follows every call must succeed, and when it is over the mux must be as small as before.

mod books;
mod clients;
mod servers;
mod talk;
mod vitals;

use std::io::{Write as _, stderr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::client::Connect;
use crate::support::{Era, FakeServer, Mux, MuxTest, eventually, patience};
use books::Books;
use clients::{Site, Weather};
use vitals::Vitals;

/// Without `MCPMUX_SOAK` it is a taste of it.
const TASTE: Duration = Duration::from_secs(4);
const STORM: Duration = Duration::from_secs(6);
const CALM: Duration = Duration::from_secs(2);
/// How long a mux may need until all servers answer again: their pauses grow with each fall.
const RECOVERY: Duration = Duration::from_secs(90);

#[test]
fn no_answer_is_lost_doubled_or_crossed() {
    let text = |name| std::env::var(name).ok();
    let number = |name| text(name).map(|text| text.parse().expect("a whole number"));
    let time = number("MCPMUX_SOAK").map_or(TASTE, Duration::from_secs);
    let seed = number("MCPMUX_SOAK_SEED").unwrap_or_else(rand::random);
    let books = Arc::new(Books::new(seed));
    say(&format!("{} s, MCPMUX_SOAK_SEED={seed}", time.as_secs()));
    let fakes = [(); 2].map(|()| servers::all(&books));
    let mut sites = [start(&fakes[0], Era::Legacy), start(&fakes[1], Era::Modern)];
    let fakes: Vec<FakeServer> = fakes.into_iter().flatten().collect();
    let begun = Instant::now();
    let mut records = Vec::new();
    let mut round = 0;
    while begun.elapsed() < time {
        round += 1;
        let storm = STORM.min(time / 2);
        clients::weather(&sites, &fakes, &books, (round, storm), Weather::Storm);
        // The storm is over for servers that are away, too: otherwise one more pause would follow the longest one.
        for fake in &fakes {
            fake.refuse(0);
        }
        for site in &sites {
            recovered(&site.mux);
        }
        clients::weather(&sites, &fakes, &books, (round, CALM), Weather::Calm);
        fakes.iter().for_each(FakeServer::forget);
        let vitals = sites
            .each_ref()
            .map(|site| Vitals::of(site.mux.process.id()));
        say(&format!(
            "{:>4} s: {books}; {vitals:?}",
            begun.elapsed().as_secs()
        ));
        records.push(vitals);
    }
    books.check();
    for (number, site) in sites.iter().enumerate() {
        let records = records.iter().map(|record| record[number]).collect();
        small_again(site.mux.process.id(), records);
    }
    for Site { mux, .. } in &mut sites {
        assert_eq!(mux.stop(), 143, "the mux ends in order");
    }
}

/// A mux is as small as before, as soon as all is closed that was on its way out.
fn small_again(pid: u32, mut records: Vec<Vitals>) {
    let end = Instant::now() + patience();
    while let Some(growth) = vitals::grown(&records) {
        assert!(Instant::now() < end, "{growth}: {records:?}");
        clients::pause(Duration::from_millis(50));
        if let Some(last) = records.last_mut() {
            *last = Vitals::of(pid);
        }
    }
}

/// A mux, and a client of this era on its stdin and stdout.
fn start(fakes: &[FakeServer], era: Era) -> Site {
    // A server that was lost is tried again soon, and nobody waits for long.
    let settings = json!({
        "callTimeout": "8s", "inputTimeout": "4s", "sessionIdleTimeout": "10s",
        "circuitBreaker": {"timeout": "200ms"},
    });
    let mut test = MuxTest::new().settings(&settings);
    for (name, fake) in servers::NAMES.iter().zip(fakes) {
        test = test.upstream(name, fake);
    }
    let mux = test.start_with(&["--stdio", "--http", "127.0.0.1:0"]);
    recovered(&mux);
    let client = clients::connect(era).stdio(mux.stdio());
    Site { mux, client }
}

/// Waits until every server behind a mux answers.
fn recovered(mux: &Mux) {
    let client = Connect::new(Era::Modern).http(mux.addr());
    let begun = Instant::now();
    for name in servers::NAMES {
        let tool = format!("{name}__echo");
        while client
            .call(&tool, &json!({"n": ""}))
            .raw("result")
            .is_none()
        {
            assert!(begun.elapsed() < RECOVERY, "`{name}` never came back");
            clients::pause(Duration::from_millis(50));
        }
    }
    eventually("every tool is listed", || {
        (client.total() >= servers::NAMES.len() * servers::TOOLS.len()).then_some(())
    });
}

/// Whoever waits wants to see something.
fn say(text: &str) {
    let _ = writeln!(stderr(), "soak: {text}");
}
