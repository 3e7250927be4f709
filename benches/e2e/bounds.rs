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

/// Measured, and a tenth more. The cost must not grow with the number of servers and tools, so the second to fourth
/// have the bounds of the first.
const BOUNDS: [Bound; 7] = [
    bound(Shape::LegacyHttp, 1, 10, (130_000, 92)),
    bound(Shape::LegacyHttp, 100, 10, (130_000, 92)),
    bound(Shape::LegacyHttp, 1, 10_000, (130_000, 92)),
    bound(Shape::LegacyHttp, 100, 100, (130_000, 92)),
    bound(Shape::ModernHttp, 1, 10, (133_000, 80)),
    bound(Shape::HttpToChild, 1, 10, (116_000, 80)),
    bound(Shape::PipeToChild, 1, 10, (116_000, 80)),
];

/// A bound that is this much above what is measured holds nothing any more.
const LOOSE: f64 = 1.3;

/// Counts every case and compares it with its bound.
pub(crate) fn check(runtime: &Runtime) -> io::Result<ExitCode> {
    println!(
        "| a call | servers | tools of each | instructions | at most | allocations | at most | |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|---|");
    let mut code = ExitCode::SUCCESS;
    for bound in &BOUNDS {
        let cost = count(runtime, bound.case)?;
        let verdict = verdict(bound, cost);
        if verdict == Verdict::TooMuch {
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
}

impl Verdict {
    fn text(self) -> &'static str {
        match self {
            Self::Kept => "",
            Self::Loose => "the bound is loose: lower it",
            Self::TooMuch => "TOO MUCH",
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
