//! mcpmux against a floor, from client to server and back.
//!
//! ```sh
//! cargo bench --bench e2e                          # the table; takes three minutes
//! cargo bench --bench e2e -- --seconds 3 --rounds 5
//! cargo bench --bench e2e -- --bounds              # instructions and allocations of a call; see `bounds`
//! cargo bench --bench e2e -- --test                # every row for a moment, to see that it works
//! ```
//!
//! Load, mux, floor and server are processes of their own on this machine. Every answer is verified.

#![allow(clippy::print_stdout, reason = "the table is the result")]
#![allow(clippy::cast_precision_loss, reason = "counts of a measurement")]

mod bounds;
mod callgrind;
mod floor;
mod http;
mod load;
mod mock;
mod process;
mod table;

use std::env;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::load::Until;
use crate::mock::{Era, Mock};

/// What the public names of a floor's tools begin with: the key of the only server.
pub(crate) const PREFIX: &str = "s0__";

/// How a call goes in and out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// HTTP on both sides.
    Http {
        /// What the clients speak.
        client: Era,
        /// What the servers speak.
        server: Era,
    },
    /// HTTP in front of a child process, with sessions.
    HttpToChild,
    /// Pipes on both sides.
    PipeToChild,
}

impl Shape {
    pub(crate) const LEGACY: Self = Self::http(Era::Legacy, Era::Legacy);
    pub(crate) const MODERN: Self = Self::http(Era::Modern, Era::Modern);
    pub(crate) const UP: Self = Self::http(Era::Legacy, Era::Modern);
    pub(crate) const DOWN: Self = Self::http(Era::Modern, Era::Legacy);

    const fn http(client: Era, server: Era) -> Self {
        Self::Http { client, server }
    }

    /// What the clients speak.
    pub(crate) fn client(self) -> Era {
        match self {
            Self::Http { client, .. } => client,
            Self::HttpToChild | Self::PipeToChild => Era::Legacy,
        }
    }

    /// The server behind.
    pub(crate) fn mock(self) -> Mock {
        let era = match self {
            Self::Http { server, .. } => server,
            Self::HttpToChild | Self::PipeToChild => Era::Legacy,
        };
        Mock { era, tools: 10 }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HttpToChild => "HTTP to a child process",
            Self::PipeToChild => "stdio to a child process",
            Self::LEGACY => "HTTP, legacy to legacy",
            Self::UP => "HTTP, legacy to modern",
            Self::MODERN => "HTTP, modern to modern",
            Self::DOWN => "HTTP, modern to legacy",
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(code) => code,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> io::Result<ExitCode> {
    let runtime = runtime()?;
    let number = |text: &str| text.parse::<u16>().map_err(io::Error::other);
    match words {
        ["mock", era, tools, servers] => {
            let servers = usize::from(number(servers)?);
            runtime.block_on(mock(era, tools)?.serve(servers))?;
        }
        ["mock-stdio", era, tools] => mock(era, tools)?.serve_stdio()?,
        ["floor-http", port] => runtime.block_on(floor::http(number(port)?))?,
        ["floor-child"] => runtime.block_on(floor::http_to_child())?,
        ["floor-pipe"] => floor::pipe_to_child()?,
        words if words.contains(&"--bounds") => return bounds::check(&runtime),
        words if words.contains(&"--test") => table::print(&runtime, Until::Calls(50), 1)?,
        words => {
            let value = |flag| words.iter().skip_while(|word| **word != flag).nth(1);
            let count = |flag, otherwise| value(flag).map_or(Ok(otherwise), |text| number(text));
            let time = Duration::from_secs(u64::from(count("--seconds", 1)?));
            table::print(&runtime, Until::Time(time), count("--rounds", 5)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn mock(era: &str, tools: &str) -> io::Result<Mock> {
    let era = if era == "modern" {
        Era::Modern
    } else {
        Era::Legacy
    };
    let tools = tools.parse().map_err(io::Error::other)?;
    Ok(Mock { era, tools })
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}
