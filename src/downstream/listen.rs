//! `subscriptions/listen` of a modern client (2026-07-28, "Subscriptions").

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::mux::{Caller, Hub, Notice, Subscription, Wanted};
use crate::protocol::{CallParams, Kind, RpcError, code, keys, notification};
use crate::wire::{Json, Notification, RequestId, Splice};

use super::answer;
use super::modern::may_have_tasks;
use super::reply::Item;

/// How long servers may take to grant the watching of resources: one that hangs does not hold up what the others tell.
const GRANT_TIME: Duration = Duration::from_secs(5);

/// What a client asks to be told.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tools_list_changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    prompts_list_changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    resources_list_changed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_subscriptions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    task_ids: Vec<String>,
}

/// A subscription: acknowledged first, then what happens, until either side ends it.
pub(super) struct ListenReply {
    hub: Hub,
    caller: Caller,
    id: RequestId,
    filter: Filter,
    subscription: Option<Subscription>,
}

impl ListenReply {
    pub(super) fn new(
        hub: &Hub,
        caller: &Caller,
        id: RequestId,
        read: &CallParams,
    ) -> Result<Self, RpcError> {
        let bad = |why: String| RpcError::new(code::INVALID_PARAMS, why);
        let filter = match &read.notifications {
            None => return Err(bad("`params.notifications` is missing".to_owned())),
            Some(json) => json
                .decode::<Filter>()
                .map_err(|error| bad(format!("`params.notifications`: {error}")))?,
        };
        if !filter.task_ids.is_empty() {
            may_have_tasks(read)?;
        }
        Ok(Self {
            hub: hub.clone(),
            caller: caller.clone(),
            id,
            filter,
            subscription: None,
        })
    }

    pub(super) async fn next(&mut self) -> Item {
        let Some(subscription) = &self.subscription else {
            return Item::Message(self.begin().await);
        };
        tokio::select! {
            biased;
            frame = self.wanted_frame(subscription) => Item::Message(frame),
            () = self.hub.stopping() => {
                let meta = Json::object([(keys::SUBSCRIPTION_ID, &self.id.as_json())]);
                let result = Json::object([
                    ("resultType", &Json::from_static("\"complete\"")),
                    ("_meta", &meta),
                ]);
                Item::Last(answer::result(&self.id, result))
            }
        }
    }

    /// Subscribes, and says to what: a resource or a task that cannot be watched is left out.
    async fn begin(&mut self) -> Bytes {
        let wanted = self.wanted();
        let subscription = self.hub.subscribe(wanted.clone());
        // Who subscribes has looked, or is about to.
        for kind in wanted.lists {
            subscription.follows(kind);
        }
        let uris = std::mem::take(&mut self.filter.resource_subscriptions);
        // All at once, so that a server hears of all of them at once.
        let watching = uris
            .iter()
            .map(|uri| timeout(GRANT_TIME, subscription.watch(uri)));
        let watched = uris.iter().zip(join_all(watching).await);
        let watched = watched.filter(|(_, done)| matches!(done, Ok(Ok(()))));
        self.filter.resource_subscriptions = watched.map(|(uri, _)| uri.clone()).collect();
        let mut followed = Vec::new();
        for task in std::mem::take(&mut self.filter.task_ids) {
            if subscription.follow(&task, &self.caller).await {
                followed.push(task);
            }
        }
        self.filter.task_ids = followed;
        self.subscription = Some(subscription);
        let params = Json::object([("notifications", &Json::encode(&self.filter))]);
        self.tagged(notification::ACKNOWLEDGED, &params)
    }

    fn wanted(&self) -> Wanted {
        let mut lists = BTreeSet::new();
        for (wanted, kind) in [
            (self.filter.tools_list_changed, Kind::Tool),
            (self.filter.prompts_list_changed, Kind::Prompt),
            (self.filter.resources_list_changed, Kind::Resource),
        ] {
            if wanted {
                lists.insert(kind);
            }
        }
        Wanted {
            lists,
            ..Wanted::default()
        }
    }

    async fn wanted_frame(&self, subscription: &Subscription) -> Bytes {
        loop {
            if let Some(frame) = self.frame(subscription.next().await) {
                return frame;
            }
        }
    }

    /// The message for something that happened; `None` if such a client cannot be told.
    fn frame(&self, notice: Notice) -> Option<Bytes> {
        let empty = Json::from_static("{}");
        let frame = match notice {
            Notice::ListChanged(kind) => self.tagged(notification::list_changed(kind), &empty),
            Notice::Updated(uri) => {
                let params = Json::object([("uri", &Json::string(&uri))]);
                self.tagged(notification::RESOURCE_UPDATED, &params)
            }
            Notice::Task(params) => self.tagged(notification::TASKS, &params),
            Notice::Visited(params) => self.tagged(notification::VISITED, &params),
            Notice::Log(params) => self.tagged(notification::MESSAGE, &params),
            Notice::RootsWanted(_) => return None,
        };
        Some(frame)
    }

    /// A notification that names the subscription it belongs to.
    fn tagged(&self, method: &'static str, params: &Json) -> Bytes {
        let empty = Json::from_static("{}");
        let meta = params.get("_meta").unwrap_or_else(|| empty.clone());
        let meta = match Splice::new(&meta) {
            Some(mut splice) => splice
                .set(keys::SUBSCRIPTION_ID, self.id.as_json())
                .finish(),
            None => Json::object([(keys::SUBSCRIPTION_ID, &self.id.as_json())]),
        };
        let params = match Splice::new(params) {
            Some(mut splice) => splice.set("_meta", meta).finish(),
            None => Json::object([("_meta", &meta)]),
        };
        Notification {
            method: method.into(),
            params: Some(params),
        }
        .encode()
    }
}
