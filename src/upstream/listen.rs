//! Keeping an ear open for what a server says outside calls.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use indexmap::IndexSet;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{sleep, timeout};
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

/// How long somebody who follows a task waits until its server knows.
const ACKNOWLEDGE_TIME: Duration = Duration::from_secs(2);

/// How much later than on the new stream of a subscription something may come on the old one that was said before.
const LATE: Duration = Duration::from_millis(10);

/// How long a server may take to acknowledge a subscription.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// The resources, by original URI, and the tasks, by original id, whose changes somebody wants to know.
#[derive(Default)]
pub(super) struct Watches {
    wishes: Mutex<Wishes>,
    changed: Notify,
    known: watch::Sender<Known>,
    /// Had by who changes whether a resource is watched, so that the server hears of each change in its order.
    turns: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// What the server has acknowledged.
#[derive(Clone, Default)]
struct Known {
    /// The number of the wishes that it knows.
    number: u64,
    /// The resources of which it will tell.
    uris: HashSet<String>,
}

/// What is to be watched now.
#[derive(Clone, Default)]
struct Wishes {
    uris: IndexSet<String>,
    tasks: IndexSet<String>,
    /// How often they have changed.
    number: u64,
}

impl Watches {
    pub(super) fn add(&self, uri: &str) {
        self.change(|wishes| wishes.uris.insert(uri.to_owned()));
    }

    pub(super) fn remove(&self, uri: &str) {
        self.change(|wishes| wishes.uris.shift_remove(uri));
    }

    pub(super) fn has(&self, uri: &str) -> bool {
        self.wishes.lock().uris.contains(uri)
    }

    /// The turn to change whether this resource is watched.
    pub(super) fn turn(&self, uri: &str) -> Arc<Semaphore> {
        let mut turns = self.turns.lock();
        if let Some(turn) = turns.get(uri).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(Semaphore::new(1));
        turns.insert(uri.to_owned(), Arc::downgrade(&turn));
        turn
    }

    /// Watches a resource, and waits for the server to acknowledge it. Whether it does.
    pub(super) async fn granted(&self, uri: &str) -> bool {
        let mut known = self.known.subscribe();
        let number = self.change(|wishes| wishes.uris.insert(uri.to_owned()));
        let granted = match known.wait_for(|known| known.number >= number).await {
            Ok(known) => known.uris.contains(uri),
            Err(_) => false,
        };
        if !granted {
            self.remove(uri);
        }
        granted
    }

    pub(super) fn uris(&self) -> Vec<String> {
        self.wishes.lock().uris.iter().cloned().collect()
    }

    pub(super) fn tasks(&self) -> Vec<String> {
        self.wishes.lock().tasks.iter().cloned().collect()
    }

    /// Follows a task, and waits a moment for the server to know: what it says earlier is lost.
    pub(super) async fn follow(&self, task: &str) {
        let mut known = self.known.subscribe();
        let number = self.change(|wishes| wishes.tasks.insert(task.to_owned()));
        drop(
            timeout(
                ACKNOWLEDGE_TIME,
                known.wait_for(|known| known.number >= number),
            )
            .await,
        );
    }

    pub(super) fn unfollow(&self, task: &str) {
        self.change(|wishes| wishes.tasks.shift_remove(task));
    }

    /// Makes a change: the number of the wishes as they are then.
    fn change(&self, change: impl FnOnce(&mut Wishes) -> bool) -> u64 {
        let mut wishes = self.wishes.lock();
        if change(&mut wishes) {
            wishes.number += 1;
            self.changed.notify_one();
        }
        wishes.number
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
        (_, Carrier::Http(http)) => stream(connection, http, (features, watches)).await,
        // A pipe brings everything by itself.
        _ => {}
    }
    std::future::pending::<()>().await;
}

/// Holds a `subscriptions/listen` open, and opens a new one before it gives up the old one when the
/// wishes change. Returns if the server has no such thing.
async fn subscribe(connection: &Arc<Connection>, features: &ServerFeatures, watches: &Watches) {
    let mut pause = FIRST_PAUSE;
    let mut open: Option<Box<Exchange>> = None;
    // Lists are fetched anew with each connection.
    let mut missed = Missed::updates(watches);
    loop {
        let wishes = watches.wishes.lock().clone();
        let Some(params) = filter(features, &wishes) else {
            open = None;
            watches.changed.notified().await;
            continue;
        };
        match acknowledged(connection, params).await {
            Ok((exchange, uris)) => {
                pause = FIRST_PAUSE;
                let number = wishes.number;
                watches.known.send_replace(Known { number, uris });
                missed.tell(connection);
                if let Some(mut old) = open.take() {
                    drop(timeout(LATE, ended(&mut old)).await);
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
                // Nobody is to wait for what never comes.
                watches.known.send_replace(Known {
                    number: u64::MAX,
                    ..Known::default()
                });
                return;
            }
            Err(error) => {
                debug!(upstream = %connection.server, %error, "the subscription failed");
                if let UpstreamError::Answered(_) = error {
                    // It will tell of no more than before, and who waits for more is to hear that.
                    watches
                        .known
                        .send_modify(|known| known.number = wishes.number);
                }
            }
        }
        if open.is_none() {
            missed = Missed::everything(features, watches);
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = watches.changed.notified() => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// What may have changed while a server could not say so.
#[derive(Default)]
struct Missed {
    lists: Vec<Kind>,
    uris: Vec<String>,
}

impl Missed {
    fn updates(watches: &Watches) -> Self {
        Self {
            lists: Vec::new(),
            uris: watches.uris(),
        }
    }

    fn everything(features: &ServerFeatures, watches: &Watches) -> Self {
        Self {
            lists: features.kinds.clone(),
            uris: watches.uris(),
        }
    }

    /// Whoever wants to know looks again.
    fn tell(&mut self, connection: &Connection) {
        let Self { lists, uris } = std::mem::take(self);
        if !lists.is_empty() {
            connection.signals.lists_changed(&lists);
        }
        for uri in uris {
            connection.signals.resource_updated(uri);
        }
    }
}

/// The params of a subscription; `None` if there is nothing to subscribe to.
fn filter(features: &ServerFeatures, wishes: &Wishes) -> Option<Json> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Filter<'a> {
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        tools_list_changed: bool,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        prompts_list_changed: bool,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        resources_list_changed: bool,
        #[serde(skip_serializing_if = "IndexSet::is_empty")]
        resource_subscriptions: &'a IndexSet<String>,
        #[serde(skip_serializing_if = "IndexSet::is_empty")]
        task_ids: &'a IndexSet<String>,
    }
    let announces = |kind| features.list_changed.contains(&kind);
    let filter = Filter {
        tools_list_changed: announces(Kind::Tool),
        prompts_list_changed: announces(Kind::Prompt),
        resources_list_changed: announces(Kind::Resource),
        resource_subscriptions: &wishes.uris,
        task_ids: &wishes.tasks,
    };
    if features.list_changed.is_empty() && wishes.uris.is_empty() && wishes.tasks.is_empty() {
        return None;
    }
    Some(Json::object([("notifications", &Json::encode(&filter))]))
}

/// A subscription that the server has acknowledged, and the resources of which it will tell.
async fn acknowledged(
    connection: &Arc<Connection>,
    params: Json,
) -> Result<(Box<Exchange>, HashSet<String>), UpstreamError> {
    let mut exchange = ask(connection, Method::Listen, Some(params)).await?;
    let first = async {
        loop {
            match exchange.step().await? {
                Step::Acknowledged(granted) => return Ok(granted),
                Step::Done(_) => return Err(UpstreamError::Lost),
                _ => {}
            }
        }
    };
    let granted = timeout(ANSWER_TIME, first).await;
    let granted = granted.unwrap_or(Err(UpstreamError::Timeout(ANSWER_TIME)))?;
    let uris = granted.and_then(|granted| granted.get("resourceSubscriptions"));
    let uris = uris.and_then(|uris| uris.decode().ok());
    Ok((exchange, uris.unwrap_or_default()))
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
async fn stream(
    connection: &Arc<Connection>,
    http: &HttpCarrier,
    (features, watches): (&ServerFeatures, &Watches),
) {
    let mut pause = FIRST_PAUSE;
    let mut last_id: Option<String> = None;
    let mut missed = Missed::default();
    loop {
        match http.listen(last_id.as_deref()).await {
            Ok(None) => return,
            Ok(Some(mut events)) => {
                missed.tell(connection);
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
        if last_id.is_none() {
            missed = Missed::everything(features, watches);
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
