//! Finding out that a server has stopped answering.

use std::sync::Arc;

use tokio::time::{sleep, timeout};
use tracing::debug;

use crate::protocol::{Era, Method};

use super::connection::{Carrier, Connection};
use super::dialect::Dialect;
use super::probe::ask;
use super::{Upstream, UpstreamError};

/// Resolves when the server has not answered so many checks in a row. An error object is an answer; a process
/// with calls in flight is busy, not dead, and is not checked.
pub(super) async fn failing(upstream: &Upstream, connection: &Arc<Connection>) -> UpstreamError {
    let mut failures = 0;
    loop {
        let health = upstream.health.load_full();
        sleep(health.interval).await;
        if upstream.is_busy() && matches!(connection.carrier, Carrier::Duplex(_)) {
            continue;
        }
        match timeout(health.timeout, check(connection)).await {
            Ok(Ok(())) => failures = 0,
            outcome => {
                failures += 1;
                debug!(upstream = %connection.server, failures, ?outcome, "a health check failed");
            }
        }
        if failures >= health.unhealthy_threshold {
            return UpstreamError::unavailable(format!(
                "the server did not answer {failures} health checks"
            ));
        }
    }
}

async fn check(connection: &Arc<Connection>) -> Result<(), UpstreamError> {
    let method = match connection.dialect().map(Dialect::era) {
        Some(Era::Legacy) => Method::Ping,
        _ => Method::Discover,
    };
    match ask(connection, method, None).await?.result().await {
        Ok(_) | Err(UpstreamError::Answered(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
