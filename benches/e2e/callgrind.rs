//! What a call costs by count: instructions in user space and allocations, which are the same on a busy machine.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use tokio::runtime::Runtime;

use crate::Shape;
use crate::load::{self, Load, Until};
use crate::mock::Mock;
use crate::process::{Behind, Child, Mux};

/// How many calls are made: what the longer run has more is due to calls alone.
const FEW: u64 = 300;
const MANY: u64 = 1_300;
/// Calls at once.
const AT_ONCE: usize = 8;
/// The functions that give out memory.
const ALLOCATORS: [&str; 5] = [
    "malloc",
    "calloc",
    "realloc",
    "posix_memalign",
    "aligned_alloc",
];

/// What is counted, and among how many servers and tools.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) shape: Shape,
    pub(crate) servers: usize,
    /// Of each server.
    pub(crate) tools: usize,
}

/// What a call costs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) instructions: u64,
    pub(crate) allocations: u64,
}

/// Counts what one call of this case costs.
pub(crate) fn count(runtime: &Runtime, case: Case) -> io::Result<Cost> {
    let few = run(runtime, case, FEW)?;
    let many = run(runtime, case, MANY)?;
    let each = |few: u64, many: u64| many.saturating_sub(few) / (MANY - FEW);
    Ok(Cost {
        instructions: each(few.instructions, many.instructions),
        allocations: each(few.allocations, many.allocations),
    })
}

fn run(runtime: &Runtime, case: Case, calls: u64) -> io::Result<Cost> {
    let mock = Mock {
        tools: case.tools,
        ..case.shape.mock()
    };
    let load = Load {
        era: case.shape.client(),
        servers: case.servers,
        at_once: AT_ONCE,
        payload: 100,
        until: Until::Calls(calls),
    };
    let out = tempfile::NamedTempFile::new()?;
    let file = format!("--callgrind-out-file={}", out.path().display());
    let valgrind = ["valgrind", "-q", "--tool=callgrind", &file];
    match case.shape {
        Shape::PipeToChild => {
            let mux = Mux::new(&Behind::Child(mock), &valgrind)?;
            load::over_pipes(mux.on_stdio()?, load)?;
        }
        Shape::HttpToChild => {
            let mux = Mux::new(&Behind::Child(mock), &valgrind)?;
            over_http(runtime, &mux, load)?;
        }
        Shape::Http { .. } => {
            let (_mocks, ports) = Child::mocks(mock, case.servers)?;
            let mux = Mux::new(&Behind::Ports(&ports), &valgrind)?;
            over_http(runtime, &mux, load)?;
        }
    }
    read(out.path())
}

fn over_http(runtime: &Runtime, mux: &Mux, load: Load) -> io::Result<()> {
    let (child, port) = mux.on_http()?;
    runtime.block_on(load::over_http(port, load))?;
    child.end()
}

/// Adds up a profile in the format of callgrind.
fn read(profile: &Path) -> io::Result<Cost> {
    let text = fs::read_to_string(profile)?;
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut cost = Cost::default();
    let mut callee = "";
    for line in text.lines() {
        if let Some(total) = line.strip_prefix("totals: ") {
            cost.instructions = total.trim().parse().map_err(io::Error::other)?;
        } else if let Some(function) = line.strip_prefix("fn=") {
            name(&mut names, function);
        } else if let Some(function) = line.strip_prefix("cfn=") {
            callee = name(&mut names, function);
        } else if let Some(calls) = line.strip_prefix("calls=")
            && ALLOCATORS.contains(&callee)
        {
            let calls = calls.split(' ').next().unwrap_or_default();
            cost.allocations += calls.parse::<u64>().map_err(io::Error::other)?;
        }
    }
    if cost.instructions == 0 {
        return Err(io::Error::other("valgrind left no profile"));
    }
    Ok(cost)
}

/// The name of a function: given in full the first time, `(7) malloc`, and by its number later.
fn name<'t>(names: &mut HashMap<&'t str, &'t str>, function: &'t str) -> &'t str {
    match function.split_once(' ') {
        Some((number, name)) => {
            names.insert(number, name);
            name
        }
        None => names.get(function).copied().unwrap_or(function),
    }
}
