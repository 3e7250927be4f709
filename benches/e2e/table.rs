//! The table: each row on the mux and on the floor, in turns.

use std::env;
use std::io;
use std::process::Command;

use tokio::runtime::Runtime;

use crate::Shape;
use crate::load::{self, Load, Measured, Until};
use crate::process::{Behind, Child, Mux, processor_time};

struct Row {
    shape: Shape,
    at_once: usize,
    payload: usize,
}

const fn row(shape: Shape, at_once: usize, payload: usize) -> Row {
    Row {
        shape,
        at_once,
        payload,
    }
}

const ROWS: [Row; 13] = [
    row(Shape::LEGACY, 1, 100),
    row(Shape::LEGACY, 32, 100),
    row(Shape::LEGACY, 256, 100),
    row(Shape::LEGACY, 4, 100 * 1024),
    row(Shape::UP, 32, 100),
    row(Shape::MODERN, 1, 100),
    row(Shape::MODERN, 32, 100),
    row(Shape::DOWN, 32, 100),
    row(Shape::HttpToChild, 1, 100),
    row(Shape::HttpToChild, 32, 100),
    row(Shape::PipeToChild, 1, 100),
    row(Shape::PipeToChild, 32, 100),
    row(Shape::PipeToChild, 256, 100),
];

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Floor,
    Mux,
}

/// One run of one target.
struct Run {
    rate: f64,
    p50: f64,
    p99: f64,
    /// Processor time of a call in microseconds.
    processor: Option<f64>,
}

/// Measures every row and prints it: medians of the rounds; ratios are those within a round.
pub(crate) fn print(runtime: &Runtime, until: Until, rounds: u16) -> io::Result<()> {
    println!(
        "| row | at once | floor, calls/s | mcpmux, calls/s | ratio | p50, µs | p99, µs | CPU a call, µs | ratio |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for row in &ROWS {
        let mut pairs = Vec::new();
        for _ in 0..rounds {
            let floor = measure(runtime, row, Target::Floor, until)?;
            pairs.push((floor, measure(runtime, row, Target::Mux, until)?));
        }
        println!("{}", line(row, &pairs));
    }
    Ok(())
}

fn line(row: &Row, pairs: &[(Run, Run)]) -> String {
    let of = |value: &dyn Fn(&(Run, Run)) -> f64| median(pairs.iter().map(value).collect());
    let cpu = |run: &Run| run.processor.unwrap_or(f64::NAN);
    let name = match row.payload {
        100 => row.shape.name().to_owned(),
        bytes => format!("{}, {} KiB", row.shape.name(), bytes / 1024),
    };
    format!(
        "| {name} | {} | {:.0} | {:.0} | {:.2} | {:.0} | {:.0} | {:.1} | {:.2} |",
        row.at_once,
        of(&|(floor, _)| floor.rate),
        of(&|(_, mux)| mux.rate),
        of(&|(floor, mux)| mux.rate / floor.rate),
        of(&|(_, mux)| mux.p50),
        of(&|(_, mux)| mux.p99),
        of(&|(_, mux)| cpu(mux)),
        of(&|(floor, mux)| cpu(mux) / cpu(floor)),
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn measure(runtime: &Runtime, row: &Row, target: Target, until: Until) -> io::Result<Run> {
    let load = Load {
        era: row.shape.client(),
        servers: 1,
        at_once: row.at_once,
        payload: row.payload,
        until,
    };
    let mock = row.shape.mock();
    match (row.shape, target) {
        (Shape::PipeToChild, target) => {
            let mux = Mux::new(&Behind::Child(mock), &[])?;
            let child = match target {
                Target::Mux => mux.on_stdio()?,
                Target::Floor => Child::piped(Command::new(env::current_exe()?).arg("floor-pipe"))?,
            };
            // It is gone when its time could be looked at.
            Ok(run(&load::over_pipes(child, load)?, None))
        }
        (Shape::HttpToChild, Target::Floor) => {
            let (floor, ports) = Child::listening(&["floor-child"])?;
            over_http(runtime, (floor, ports[0]), load)
        }
        (Shape::HttpToChild, Target::Mux) => {
            let mux = Mux::new(&Behind::Child(mock), &[])?;
            over_http(runtime, mux.on_http()?, load)
        }
        (_, target) => {
            let (_mock, ports) = Child::mocks(mock, 1)?;
            match target {
                Target::Floor => {
                    let (floor, own) = Child::listening(&["floor-http", &ports[0].to_string()])?;
                    over_http(runtime, (floor, own[0]), load)
                }
                Target::Mux => {
                    let mux = Mux::new(&Behind::Ports(&ports), &[])?;
                    over_http(runtime, mux.on_http()?, load)
                }
            }
        }
    }
}

fn over_http(runtime: &Runtime, (child, port): (Child, u16), load: Load) -> io::Result<Run> {
    let first = Load {
        until: Until::Calls(load.at_once as u64),
        ..load
    };
    runtime.block_on(load::over_http(port, first))?;
    let before = processor_time(child.id());
    let measured = runtime.block_on(load::over_http(port, load))?;
    let used = processor_time(child.id()).zip(before);
    Ok(run(&measured, used.map(|(after, before)| after - before)))
}

fn run(measured: &Measured, processor: Option<f64>) -> Run {
    Run {
        rate: measured.rate(),
        p50: measured.within(50),
        p99: measured.within(99),
        processor: processor.map(|seconds| seconds * 1e6 / measured.times.len() as f64),
    }
}
