//! mcpmux between real servers and real clients: every result must equal the one got without it.
//!
//! For each client, in each era it knows, over stdio and over HTTP: the operations of
//! `tests/peers/operations.json` are done with every server directly, and then with one mux that has
//! all the servers behind it, over stdio and over HTTP. What may differ is in `likeness`.
//!
//! With `MCPMUX_REAL=1` and the peers of `.ci/peers` all of it runs, and a missing peer is a failure.
//! Without, only rmcp against the rmcp fixture. `cargo test --test real -- py2` runs one client.

#![allow(clippy::print_stdout, reason = "it has no test harness but itself")]

mod clients;
mod difference;
mod direct;
mod followed;
mod likeness;
mod lists;
mod peers;
mod process;
mod rmcp_client;
mod scratch;
mod servers;
mod session;
mod through;
mod verdict;

use std::collections::HashMap;
use std::env;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use serde_json::Map;

use clients::{Client, Stage};
use direct::{Baseline, Reach};
use peers::Peers;
use scratch::Scratch;
use servers::Server;
use session::Target;
use through::Mux;
use verdict::{Comparison, Verdict};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let wanted = words.iter().find(|word| !word.starts_with('-'));
    let wanted = |client: &Client| wanted.is_none_or(|word| client.name().contains(word.as_str()));
    let real = env::var_os("MCPMUX_REAL").is_some_and(|value| value == "1");
    let mut clients = Client::ALL.to_vec();
    if !real {
        println!("real: MCPMUX_REAL is not 1: only the rmcp client and the rmcp server are tried");
        clients.truncate(1);
    }
    clients.retain(wanted);
    if clients.is_empty() {
        println!("real: no client has such a name");
        return ExitCode::SUCCESS;
    }
    let began = Instant::now();
    let ended = Scratch::new()
        .map_err(|error| error.to_string())
        .and_then(|scratch| {
            let ended = run(&clients, real, &scratch);
            if !matches!(ended, Ok(0)) {
                println!(
                    "real: the logs are in {}",
                    scratch.keep().join("logs").display()
                );
            }
            ended
        });
    println!("real: {} s", began.elapsed().as_secs());
    match ended {
        Ok(0) => ExitCode::SUCCESS,
        Ok(offences) => {
            println!("real: {offences} results differ");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("real: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Everything: returns the number of results that differ.
fn run(clients: &[Client], real: bool, scratch: &Scratch) -> Result<usize, String> {
    let peers = Peers::from_environment();
    let mut servers = servers::ours(scratch)?;
    if real {
        let missing = peers.missing();
        if !missing.is_empty() {
            return Err(format!(
                "not installed, run .ci/peers: {}",
                missing.join(", ")
            ));
        }
        scratch.repository()?;
        servers.extend(servers::theirs(&peers, scratch)?);
    }
    let mut running = Vec::new();
    let mut listen = |servers: &mut dyn Iterator<Item = &Server>| {
        let mut urls = HashMap::new();
        for server in servers {
            if let Some((there, url)) = server.listen(scratch)? {
                running.push(there);
                urls.insert(server.name.to_owned(), url);
            }
        }
        Ok::<_, String>(urls)
    };
    let urls = listen(&mut servers.iter())?;
    // Those come first, so that they can be had by themselves.
    servers.sort_by_key(|server| !server.is_older());
    let behind = listen(&mut servers.iter().filter_map(|server| server.behind.as_deref()))?;
    let mut older = HashMap::new();
    for server in &servers {
        if let Some((there, target)) = server.listen_older(scratch)? {
            running.push(there);
            older.insert(server.name.to_owned(), target);
        }
    }
    let world = World {
        servers: &servers,
        older: &older,
        urls: &urls,
        behind: &behind,
        scratch,
        peers: &peers,
    };
    let baselines = world.baselines(clients)?;
    let offences = thread::scope(|scope| {
        let lane = |reach| {
            let (world, baselines) = (&world, &baselines);
            scope.spawn(move || world.through(reach, baselines))
        };
        let lanes = [Reach::Stdio, Reach::Http, Reach::Older].map(lane);
        let joined = lanes.map(|lane| lane.join().map_err(|_| "a lane panicked".to_owned())?);
        joined.into_iter().sum::<Result<usize, String>>()
    });
    drop(running);
    let left = process::left_of(&scratch.folder());
    if left.is_empty() {
        offences
    } else {
        Err(format!("processes are left behind: {}", left.join("; ")))
    }
}

/// What all legs share.
struct World<'a> {
    servers: &'a [Server],
    /// Where servers listen for clients without the mux.
    urls: &'a HashMap<String, String>,
    /// Where those listen that the mux has in the place of others.
    behind: &'a HashMap<String, String>,
    /// How those are reached that can be in another way.
    older: &'a HashMap<String, Target>,
    scratch: &'a Scratch,
    peers: &'a Peers,
}

impl World<'_> {
    fn stage<'a>(&'a self, leg: &'a str) -> Stage<'a> {
        Stage {
            peers: self.peers,
            scratch: self.scratch,
            leg,
        }
    }

    /// What each client gets directly; two clients at a time.
    fn baselines(&self, clients: &[Client]) -> Result<Vec<(Client, Baseline)>, String> {
        let stage = self.stage("direct");
        let take = |client: Client| {
            let began = Instant::now();
            let taken = Baseline::take(client, self.servers, self.urls, &stage)?;
            println!(
                "real: {} directly, {} s",
                client.name(),
                began.elapsed().as_secs()
            );
            Ok((client, taken))
        };
        let middle = clients.len() / 2;
        let take_all = |some: &[Client]| {
            let taken = some.iter().map(|client| take(*client));
            taken.collect::<Result<Vec<_>, String>>()
        };
        thread::scope(|scope| {
            let other = scope.spawn(|| take_all(&clients[middle..]));
            let mut taken = take_all(&clients[..middle])?;
            taken.extend(other.join().map_err(|_| "a client panicked".to_owned())??);
            Ok(taken)
        })
    }

    /// Everything that goes through a mux which reaches its servers in one way.
    fn through(&self, reach: Reach, baselines: &[(Client, Baseline)]) -> Result<usize, String> {
        let leg = format!("mux-{}", reach.name());
        let stage = self.stage(&leg);
        let servers = match reach {
            Reach::Older => &self.servers[..self.older.len()],
            _ => self.servers,
        };
        if servers.is_empty() {
            return Ok(0);
        }
        let mut entries = Map::new();
        for server in servers {
            let (there, urls) = match &server.behind {
                Some(behind) => (behind.as_ref(), self.behind),
                None => (server, self.urls),
            };
            let url = urls.get(server.name).cloned().map(Target::Http);
            let target = match reach {
                Reach::Stdio => None,
                Reach::Http => url,
                Reach::Older => self.older.get(server.name).cloned(),
            };
            let target = match target {
                Some(target) => target,
                None => there.stdio(self.scratch, &leg)?,
            };
            entries.insert(server.name.to_owned(), there.entry(&target, reach));
        }
        let mux = Mux::start(reach, &entries, &stage)?;
        let mut offences = 0;
        for (client, baseline) in baselines {
            let (legs, began) = (mux.legs(*client), Instant::now());
            let answers = mux.ask(servers, baseline, &legs, &stage)?;
            println!(
                "real: {}, {leg}, {} s",
                client.name(),
                began.elapsed().as_secs()
            );
            for leg in legs {
                let (mux, answers) = (&mux, &answers);
                let verdict = Comparison {
                    servers,
                    baseline,
                    mux,
                    answers,
                    leg,
                }
                .verdict();
                offences += report(&leg.id(mux), &verdict);
            }
        }
        let is_there = servers.iter().any(|server| server.name == "everything");
        if is_there && baselines.iter().any(|(client, _)| *client == Client::Py2) {
            let verdict = followed::verdict(&mux, &stage)?;
            offences += report(&format!("tasks followed for py2, {leg}"), &verdict);
        }
        Ok(offences)
    }
}

/// One line for a leg, and two for each result that differs.
fn report(leg: &str, verdict: &Verdict) -> usize {
    let differ = verdict.offences.len();
    let mut lines = vec![format!("real: {leg}: {} equal", verdict.equal)];
    if differ > 0 {
        lines[0] += ", the rest not:";
    }
    lines.extend(
        verdict
            .offences
            .iter()
            .map(|offence| format!("    {offence}")),
    );
    println!("{}", lines.join("\n"));
    differ
}
