//! A server that offers everything the official conformance suite asks for, on rmcp.
//!
//! It is the upstream of `.ci/conformance` and of the tests with real servers, and a second
//! opinion on the protocol: nothing in it uses mcpmux. Each tool that asks the client something
//! asks by a request in the middle of the call where the client speaks a revision up to
//! 2025-11-25, and by `input_required` from 2026-07-28 on.
//!
//! ```text
//! fixture_server --era legacy --stdio
//! fixture_server --era modern --http 127.0.0.1:0     # prints `listening on …` to stderr
//! ```

#![expect(deprecated, reason = "the suite asks for sampling, roots and logging")]

mod changes;
mod content;
mod definitions;
mod fixture;
mod pace;
mod prompts;
mod questions;
mod resources;
mod sessions;
mod skills;
mod tasks;
mod tools;

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use rmcp::ServiceExt as _;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;

use fixture::{Era, Fixture, Shared};
use sessions::ResumableSessions;

/// A client that reconnects waits this long: long enough to be a wait, short enough for tests.
const RETRY: Duration = Duration::from_millis(100);

#[derive(Parser)]
#[command(about = "An MCP server that offers everything the conformance suite asks for")]
struct Arguments {
    /// Which revisions to speak
    #[arg(long, value_enum, default_value_t = Era::Both)]
    era: Era,
    /// Serve on stdin and stdout
    #[arg(long, conflicts_with = "http", required_unless_present = "http")]
    stdio: bool,
    /// Serve streamable HTTP on this address, under /mcp
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let shared = Arc::new(Shared::new()?);
    match arguments.http {
        Some(address) => serve_http(&address, arguments.era, shared).await,
        None => serve_stdio(arguments.era, shared).await,
    }
}

async fn serve_stdio(era: Era, shared: Arc<Shared>) -> Result<(), Box<dyn Error>> {
    let service = Fixture::new(era, shared)
        .serve(rmcp::transport::stdio())
        .await?;
    service.waiting().await?;
    Ok(())
}

async fn serve_http(address: &str, era: Era, shared: Arc<Shared>) -> Result<(), Box<dyn Error>> {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(era != Era::Modern)
        .with_sse_retry(Some(RETRY))
        .with_max_request_body_bytes(64 * 1024 * 1024)
        .with_allowed_origins(["http://127.0.0.1:*", "http://localhost:*", "http://[::1]:*"]);
    let service = StreamableHttpService::new(
        move || Ok(Fixture::new(era, Arc::clone(&shared))),
        Arc::new(ResumableSessions::default()),
        config,
    );
    let listener = TcpListener::bind(address).await?;
    writeln!(
        std::io::stderr(),
        "listening on http://{}/mcp",
        listener.local_addr()?
    )?;
    let router = axum::Router::new().route_service("/mcp", service);
    axum::serve(listener, router).await?;
    Ok(())
}
