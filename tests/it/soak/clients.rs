//! What clients do, and what happens to servers meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;

use super::books::Books;
use super::servers::NAMES;
use super::talk::{Talk, Turn};
use crate::support::client::Connect;
use crate::support::{Client, Era, FakeServer, Gate, Mux, Pipe};

/// What may happen to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weather {
    /// Anything.
    Storm,
    /// It succeeds.
    Calm,
}

/// Clients of each era and front on each mux.
const HTTP_CLIENTS: u64 = 2;
/// Lost servers, full tables, timeouts, refused questions; and answers to a question of a server that is gone.
const MAY_FAIL: [i64; 8] = [
    -32000, -32010, -32011, -32012, -32013, -32015, -32602, -32021,
];

/// Waits; nothing here depends on how long.
pub(super) fn pause(time: Duration) {
    Gate::new().wait_for(time);
}

/// One half of a round.
pub(super) fn weather(
    sites: &[Site],
    fakes: &[FakeServer],
    books: &Books,
    (round, time): (u64, Duration),
    weather: Weather,
) {
    let over = AtomicBool::new(false);
    let over = &over;
    let seed = |number: u64| StdRng::seed_from_u64(books.seed ^ (round << 16) ^ number);
    thread::scope(|scope| {
        let mut number = 0;
        for Site { mux, client } in sites {
            for _ in 0..HTTP_CLIENTS {
                number += 10;
                let mut on_stdio = Person::new(seed(number), books, weather);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        on_stdio.act(client);
                    }
                });
                for era in [Era::Legacy, Era::Modern] {
                    number += 1;
                    let mut person = Person::new(seed(number), books, weather);
                    scope.spawn(move || person.visit(mux, era, over));
                }
            }
        }
        if weather == Weather::Storm {
            for (index, fake) in fakes.iter().enumerate() {
                let rng = seed(1000 + index as u64);
                scope.spawn(move || strike(fake, rng, over));
            }
        }
        let begun = Instant::now();
        while begun.elapsed() < time {
            pause(Duration::from_millis(20));
        }
        over.store(true, Ordering::Relaxed);
    });
}

/// A mux, and the client on its stdin and stdout.
pub(super) struct Site {
    pub(super) mux: Mux,
    pub(super) client: Client,
}

pub(super) fn connect(era: Era) -> Connect {
    Connect::new(era).capable_of(json!({"elicitation": {}}))
}

/// Somebody at a client.
struct Person<'a> {
    rng: StdRng,
    books: &'a Books,
    weather: Weather,
}

impl<'a> Person<'a> {
    fn new(rng: StdRng, books: &'a Books, weather: Weather) -> Self {
        Self {
            rng,
            books,
            weather,
        }
    }

    fn stormy(&mut self, odds: f64) -> bool {
        self.weather == Weather::Storm && self.rng.random_bool(odds)
    }

    /// Comes with a new client again and again.
    fn visit(&mut self, mux: &Mux, era: Era, over: &AtomicBool) {
        while !over.load(Ordering::Relaxed) {
            let client = connect(era).http(mux.addr());
            // Opened and never read: nobody else may notice.
            let unread = match era {
                Era::Legacy => Some(client.get_stream()),
                Era::Modern => None,
            };
            while !over.load(Ordering::Relaxed) && !self.stormy(0.02) {
                self.act(&client);
            }
            drop(unread);
            if era == Era::Legacy && !self.stormy(0.3) {
                client.delete();
            }
        }
    }

    /// Some calls at once, whose questions are answered in any order.
    fn act(&mut self, client: &Client) {
        let mut open = Vec::new();
        for _ in 0..self.rng.random_range(1..=3) {
            open.extend(self.call(client));
        }
        let mut waiting: Vec<(Talk, Turn)> = Vec::new();
        for mut talk in open {
            let turn = talk.next();
            waiting.push((talk, turn));
        }
        while !waiting.is_empty() {
            let index = self.rng.random_range(0..waiting.len());
            let (talk, turn) = waiting.swap_remove(index);
            waiting.extend(self.go_on(talk, turn));
        }
    }

    /// Starts a call of any tool; `None` if it has been taken back.
    fn call<'c>(&mut self, client: &'c Client) -> Option<Talk<'c>> {
        let server = *NAMES.choose(&mut self.rng).unwrap_or(&NAMES[0]);
        if self.stormy(0.06) {
            let tool = if self.rng.random_bool(0.5) {
                "hang"
            } else {
                "ask"
            };
            let talk = Talk::start(client, server, tool, json!({"rounds": 1}), self.books);
            pause(Duration::from_millis(self.rng.random_range(0..30)));
            talk.cancel();
            self.books.end("cancelled");
            return None;
        }
        let (tool, arguments) = match self.rng.random_range(0..10) {
            0..5 => ("echo", json!({})),
            5..7 => ("slow", json!({"ms": self.rng.random_range(0..40)})),
            _ => ("ask", json!({"rounds": self.rng.random_range(1..=2)})),
        };
        Some(Talk::start(client, server, tool, arguments, self.books))
    }

    /// One step of a call; `None` when there is nothing more to do.
    fn go_on<'c>(&mut self, mut talk: Talk<'c>, turn: Turn) -> Option<(Talk<'c>, Turn)> {
        match turn {
            Turn::Asked(question) => {
                if self.stormy(0.08) {
                    // Never answered: taken back, or, in the new era, simply left.
                    if !talk.is_modern() {
                        talk.cancel();
                    }
                    self.books.end("left");
                    return None;
                }
                pause(Duration::from_millis(self.rng.random_range(0..20)));
                talk.reply(question, self.rng.random());
                let turn = talk.next();
                Some((talk, turn))
            }
            Turn::Ended(end) => {
                match talk.judge(&end) {
                    None => self.books.end("answered"),
                    Some(code) => {
                        let may = self.weather == Weather::Storm && MAY_FAIL.contains(&code);
                        assert!(may, "{:?}, {}: {}", self.weather, talk.word, end.text());
                        self.books.end(code.to_string());
                    }
                }
                None
            }
        }
    }
}

/// Something bad happens to a server, every now and then.
fn strike(fake: &FakeServer, mut rng: StdRng, over: &AtomicBool) {
    let mut wait = Duration::from_millis(rng.random_range(200..2500));
    let mut begun = Instant::now();
    while !over.load(Ordering::Relaxed) {
        pause(Duration::from_millis(20));
        if begun.elapsed() < wait {
            continue;
        }
        match (rng.random_range(0..5), fake.pipe()) {
            (0, _) => fake.list_changed("tools"),
            (1, Pipe::Stdio) => fake.exit(3),
            (_, Pipe::Stdio) => fake.kill(),
            (1, Pipe::Http) => fake.lose_sessions(),
            (2, _) => {
                fake.refuse(1);
                fake.disconnect();
            }
            (_, Pipe::Http | Pipe::WebSocket | Pipe::Sse) => fake.disconnect(),
        }
        begun = Instant::now();
        wait = Duration::from_millis(rng.random_range(500..4000));
    }
}
