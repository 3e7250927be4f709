//! Keeping an ear open for what a server says outside calls.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexSet;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::debug;

use crate::protocol::{Kind, Method, RpcError, ServerFeatures, code};
use crate::wire::Json;

use super::UpstreamError;
use super::connection::{Carrier, Connection};
use super::dialect::Dialect;
use super::exchange::{Exchange, Step};
use super::http::HttpCarrier;
use super::probe::ask;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The resources, by original URI, whose changes somebody wants to know.
#[derive(Default)]
pub(super) struct Watches {
    uris: Mutex<IndexSet<String>>,
    changed: Notify,
}

impl Watches {
    pub(super) fn add(&self, uri: &str) {
        if self.uris.lock().insert(uri.to_owned()) {
            self.changed.notify_one();
        }
    }

    pub(super) fn remove(&self, uri: &str) {
        if self.uris.lock().shift_remove(uri) {
            self.changed.notify_one();
        }
    }

    pub(super) fn uris(&self) -> Vec<String> {
        self.uris.lock().iter().cloned().collect()
    }
}

/// Listens for as long as the connection lives. Never returns.
pub(super) async fn listen(
    connection: &Arc<Connection>,
    features: &ServerFeatures,
    watches: &Watches,
) {
    match (connection.dialect(), &connection.carrier) {
        (Some(Dialect::Modern(_)), _) => subscribe(connection, features, watches).await,
        (_, Carrier::Http(http)) => stream(connection, http, features).await,
        // A pipe brings everything by itself.
        _ => {}
    }
    std::future::pending::<()>().await;
}

/// Holds a `subscriptions/listen` open, and opens a new one before it gives up the old one when the
/// wishes change. Returns if the server has no such thing.
async fn subscribe(connection: &Arc<Connection>, features: &ServerFeatures, watches: &Watches) {
    let mut pause = FIRST_PAUSE;
    let mut open: Option<Exchange> = None;
    let mut missed = false;
    loop {
        let Some(params) = filter(features, &watches.uris()) else {
            open = None;
            watches.changed.notified().await;
            continue;
        };
        match acknowledged(connection, params).await {
            Ok(exchange) => {
                pause = FIRST_PAUSE;
                if missed {
                    connection.signals.lists_changed(&features.kinds);
                }
                let current = open.insert(exchange);
                tokio::select! {
                    () = ended(current) => open = None,
                    () = watches.changed.notified() => continue,
                }
            }
            Err(UpstreamError::Answered(error))
                if RpcError::code_of(&error.json) == Some(code::METHOD_NOT_FOUND) =>
            {
                return;
            }
            Err(error) => {
                debug!(upstream = %connection.server, %error, "the subscription failed");
            }
        }
        missed = true;
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The params of a subscription; `None` if there is nothing to subscribe to.
fn filter(features: &ServerFeatures, uris: &[String]) -> Option<Json> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Filter<'a> {
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        tools_list_changed: bool,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        prompts_list_changed: bool,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        resources_list_changed: bool,
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        resource_subscriptions: &'a [String],
    }
    let announces = |kind| features.list_changed.contains(&kind);
    let filter = Filter {
        tools_list_changed: announces(Kind::Tool),
        prompts_list_changed: announces(Kind::Prompt),
        resources_list_changed: announces(Kind::Resource),
        resource_subscriptions: uris,
    };
    if features.list_changed.is_empty() && uris.is_empty() {
        return None;
    }
    Some(Json::object([("notifications", &Json::encode(&filter))]))
}

async fn acknowledged(
    connection: &Arc<Connection>,
    params: Json,
) -> Result<Exchange, UpstreamError> {
    let mut exchange = ask(connection, Method::Listen, Some(params)).await?;
    loop {
        match exchange.step().await? {
            Step::Acknowledged(_) => return Ok(exchange),
            Step::Done(_) => return Err(UpstreamError::Lost),
            _ => {}
        }
    }
}

/// Resolves when the server has ended the subscription. What it says meanwhile is dispatched elsewhere.
async fn ended(exchange: &mut Exchange) {
    while let Ok(step) = exchange.step().await {
        if matches!(step, Step::Done(_)) {
            return;
        }
    }
}

/// Holds the GET stream of a legacy session open. Returns if the server has none.
async fn stream(connection: &Arc<Connection>, http: &HttpCarrier, features: &ServerFeatures) {
    let mut pause = FIRST_PAUSE;
    let mut last_id: Option<String> = None;
    let mut missed = false;
    loop {
        match http.listen(last_id.as_deref()).await {
            Ok(None) => return,
            Ok(Some(mut events)) => {
                if missed && last_id.is_none() {
                    connection.signals.lists_changed(&features.kinds);
                }
                while let Some(Ok(event)) = events.next().await {
                    pause = event
                        .retry
                        .map_or(FIRST_PAUSE, Duration::from_millis)
                        .min(LONGEST_PAUSE);
                    if event.id.as_ref().is_some_and(|id| !id.is_empty()) {
                        last_id = event.id;
                    }
                    if !event.data.is_empty() {
                        connection.dispatch_shared(event.data);
                    }
                }
            }
            Err(UpstreamError::SessionLost) => {
                connection.retire();
                return;
            }
            Err(error) => {
                debug!(upstream = %connection.server, %error, "the stream of the session failed");
            }
        }
        missed = true;
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
