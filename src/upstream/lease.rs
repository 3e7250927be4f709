//! The right to use a connection for one call.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::protocol::{Era, LogWish, Method};
use crate::wire::Json;

use super::asked::Alone;
use super::connection::Connection;
use super::dialect::Dialect;
use super::errand::{Errand, Plan};
use super::exchange::Exchange;
use super::extras::Home;
use super::pending::{After, Interest};
use super::{Outgoing, UpstreamError};

/// The right to use a connection for one call; counts against the server's `maxConcurrentCalls`.
pub struct Lease {
    connection: Arc<Connection>,
    permit: OwnedSemaphorePermit,
    home: Home,
    /// Nobody else can be asked on the connection, until the request is in flight and speaks for itself.
    alone: Option<Alone>,
    /// The server does not end before it is given back.
    stay: Option<TaskTrackerToken>,
}

impl Lease {
    pub(super) fn new(
        connection: Arc<Connection>,
        permit: OwnedSemaphorePermit,
        home: Home,
    ) -> Self {
        Self {
            connection,
            permit,
            home,
            alone: None,
            stay: None,
        }
    }

    /// The lease counts as one of its server's.
    pub(super) fn staying(self, stay: TaskTrackerToken) -> Self {
        Self {
            stay: Some(stay),
            ..self
        }
    }

    /// A lease of a connection on which nobody else can be asked.
    pub(super) fn alone(self, alone: Alone) -> Self {
        Self {
            alone: Some(alone),
            ..self
        }
    }

    /// Sends the request. The lease lasts as long as the errand.
    pub async fn send(self, outgoing: &Arc<Outgoing>) -> Result<Errand, UpstreamError> {
        let Some(dialect) = self.connection.dialect() else {
            return Err(UpstreamError::unavailable("the server is not ready"));
        };
        let plan = dialect.plan(outgoing);
        let (outgoing, after) = match &plan {
            Plan::Task(outgoing) => (outgoing, After::Progress),
            _ => (outgoing, After::Nothing),
        };
        let exchange = begin(&self.connection, outgoing, after).await?;
        drop(self.alone);
        let held = (self.permit, self.home, self.stay);
        Ok(Errand::new(exchange, plan, held))
    }
}

/// Sends a request on a connection whose era is known.
pub(super) async fn begin(
    connection: &Arc<Connection>,
    outgoing: &Outgoing,
    after: After,
) -> Result<Box<Exchange>, UpstreamError> {
    let Some(dialect) = connection.dialect() else {
        return Err(UpstreamError::unavailable("the server is not ready"));
    };
    let interest = Interest {
        asked: asked(dialect, outgoing),
        task: match outgoing.method {
            Method::Task(_) => outgoing.name.as_deref().map(Json::string),
            _ => None,
        },
        logs: dialect.logs(outgoing.logs),
        after,
    };
    if let (Dialect::Legacy(legacy), LogWish::AtLeast(level)) = (dialect, outgoing.logs) {
        // Apart: most calls want no log, and need not have room for this.
        Box::pin(legacy.log_at_least(connection, level)).await;
    }
    let draft = |id| dialect.draft(outgoing, id, &connection.carrier);
    let mut exchange = connection.start(interest, draft).await?;
    exchange.report_with(outgoing.progress_token.clone());
    Ok(exchange)
}

/// Who would be asked in the middle of this request: a modern server asks in its result instead.
fn asked(dialect: &Dialect, outgoing: &Outgoing) -> Option<Arc<crate::protocol::ClientProfile>> {
    let may_ask = dialect.era() == Era::Legacy && outgoing.method.may_ask();
    may_ask.then(|| outgoing.client.clone())
}
