//! The roots of a client, outside any call: servers ask for them after the handshake, and again whenever they are
//! told that they changed (2025-11-25, "Roots").

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::debug;

use crate::protocol::{Era, RpcError, code, notification};
use crate::wire::{Json, RequestId};

use super::asked::Clients;
use super::connection::Connection;
use super::dialect::Dialect;
use super::{Party, Upstream};

/// How long a client may take to say which roots it has.
const ROOTS_TIME: Duration = Duration::from_secs(10);
/// How many such questions of one connection may be open.
pub(super) const MAX_INQUIRIES: usize = 8;

/// A server wants to know the roots of one client. Dropping it says that there are none.
#[derive(Debug)]
pub struct RootsWanted {
    /// Whose roots.
    pub party: Party,
    /// Takes the client's answer: a result, or an error object.
    pub answer: oneshot::Sender<Result<Json, Json>>,
}

impl Connection {
    /// Answers a question about roots that belongs to no call: has the client asked whose connection it is. The mux has
    /// no roots of its own, so on a connection of many clients there are none.
    pub(super) fn tell_roots(self: &Arc<Self>, id: RequestId) {
        let Clients::One(party) = &self.clients else {
            return self.respond_later(id, Ok(no_roots()));
        };
        let Ok(place) = self.inquiries.clone().try_acquire_owned() else {
            let error = RpcError::new(code::OVERLOADED, "the client is being asked already");
            return self.respond_later(id, Err(error));
        };
        let (answer, answered) = oneshot::channel();
        self.reporter.roots_wanted(RootsWanted {
            party: party.clone(),
            answer,
        });
        let connection = self.clone();
        self.tracker.spawn(async move {
            let answered = async {
                let body = match timeout(ROOTS_TIME, answered).await {
                    Ok(answer) => answer.unwrap_or_else(|_| Ok(no_roots())),
                    Err(_) => Err(RpcError::new(code::TIMEOUT, "the client did not say").to_json()),
                };
                connection.respond(id, body).await;
            };
            tokio::select! {
                () = answered => {}
                () = connection.closed() => {}
            }
            drop(place);
        });
    }
}

impl Upstream {
    /// Tells the server that the roots of this client are different, if it has a connection of its own: on one of many
    /// clients, the server could not ask whose.
    pub async fn roots_changed(&self, party: &Party) {
        let Some(connection) = self.extras.existing(party) else {
            return;
        };
        if connection.dialect().map(Dialect::era) != Some(Era::Legacy) {
            return;
        }
        let told = connection.notify(notification::ROOTS_CHANGED, None).await;
        if let Err(error) = told {
            debug!(upstream = %self.name, %error, "the server was not told of changed roots");
        }
    }
}

fn no_roots() -> Json {
    Json::from_static(r#"{"roots":[]}"#)
}
