//! What a call may cost, counted on a build of the profile `counting`. CI holds these bounds.

use std::io;
use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::Shape;
use crate::callgrind::{Case, Cost, count};

/// The most that one call may cost the mux.
struct Bound {
    case: Case,
    /// In user space.
    instructions: u64,
    allocations: u64,
}

const fn bound(shape: Shape, servers: usize, tools: usize, most: (u64, u64)) -> Bound {
    Bound {
        case: Case {
            shape,
            servers,
            tools,
        },
        instructions: most.0,
        allocations: most.1,
    }
}

/// What was measured, and some hundredths more. The second and third differ from the first in the number of servers
/// and tools only.
const BOUNDS: [Bound; 8] = [
    bound(Shape::LEGACY, 1, 10, (38_500, 22)),
    bound(Shape::LEGACY, 100, 10, (41_000, 27)),
    bound(Shape::LEGACY, 1, 10_000, (39_000, 22)),
    bound(Shape::UP, 1, 10, (45_000, 25)),
    bound(Shape::MODERN, 1, 10, (52_500, 26)),
    bound(Shape::DOWN, 1, 10, (50_500, 24)),
    bound(Shape::HttpToChild, 1, 10, (35_500, 19)),
    bound(Shape::PipeToChild, 1, 10, (30_000, 17)),
];

/// How much of its cost a call among many servers or tools may add to that of one among few.
const GROWTH: f64 = 1.15;

/// A bound that is this much above what is measured holds nothing any more.
const LOOSE: f64 = 1.2;

/// Counts every case and compares it with its bound.
pub(crate) fn check(runtime: &Runtime) -> io::Result<ExitCode> {
    println!(
        "| a call | servers | tools of each | instructions | at most | allocations | at most | |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|---|");
    let mut code = ExitCode::SUCCESS;
    let mut of_few = None;
    for bound in &BOUNDS {
        let cost = count(runtime, bound.case)?;
        let few = *of_few.get_or_insert(cost);
        let grows = bound.case.shape == BOUNDS[0].case.shape
            && cost.instructions as f64 > few.instructions as f64 * GROWTH;
        let verdict = if grows {
            Verdict::Grows
        } else {
            verdict(bound, cost)
        };
        if matches!(verdict, Verdict::TooMuch | Verdict::Grows) {
            code = ExitCode::FAILURE;
        }
        let Case {
            shape,
            servers,
            tools,
        } = bound.case;
        println!(
            "| {} | {servers} | {tools} | {} | {} | {} | {} | {} |",
            shape.name(),
            cost.instructions,
            bound.instructions,
            cost.allocations,
            bound.allocations,
            verdict.text()
        );
    }
    Ok(code)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Kept,
    Loose,
    TooMuch,
    Grows,
}

impl Verdict {
    fn text(self) -> &'static str {
        match self {
            Self::Kept => "",
            Self::Loose => "the bound is loose: lower it",
            Self::TooMuch => "TOO MUCH",
            Self::Grows => "GROWS with servers or tools",
        }
    }
}

fn verdict(bound: &Bound, cost: Cost) -> Verdict {
    let pairs = [
        (cost.instructions, bound.instructions),
        (cost.allocations, bound.allocations),
    ];
    if pairs.iter().any(|(cost, most)| cost > most) {
        return Verdict::TooMuch;
    }
    let loose = |(cost, most): &(u64, u64)| *cost as f64 * LOOSE < *most as f64;
    if pairs.iter().any(loose) {
        return Verdict::Loose;
    }
    Verdict::Kept
}
