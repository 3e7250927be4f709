//! What to do with each message that a server sends.

use std::sync::Arc;

use bytes::Bytes;
use tracing::{debug, trace};

use crate::protocol::{
    CallEvent, Era, InputKind, RpcError, code, keys, notification, related_task,
};
use crate::wire::{Frame, Json, Malformed, Message, Notification, Request, RequestId, Response};

use super::UpstreamError;
use super::asked::{Clients, Owner, Question};
use super::connection::Connection;
use super::dialect::Dialect;
use super::mailbox::Mailbox;
use super::pending::{Delivery, Found, UpstreamId};

/// Why a question has no owner.
const NOBODY: &str = "no call is under way that it could belong to";
const UNCLEAR: &str = "several calls are under way that it could belong to";

/// An event that is to reach its call with the pace of the call's own stream.
pub(super) struct Paced {
    events: Arc<Mailbox>,
    delivery: Delivery,
}

impl Paced {
    /// Waits for room: the stream belongs to this call alone, so nobody else waits with it.
    pub(super) async fn deliver(self) {
        self.events.deliver(self.delivery).await;
    }
}

async fn deliver(events: Vec<Paced>) {
    for event in events {
        event.deliver().await;
    }
}

/// Where a message came from.
#[derive(Clone, Copy)]
enum Source {
    /// A link that many calls share.
    Shared,
    /// The stream of one call.
    Stream(UpstreamId),
}

impl Connection {
    /// Handles a frame from a link that all calls share. Never waits: an event for a call whose client is
    /// too slow is dropped.
    pub(super) fn dispatch_shared(self: &Arc<Self>, frame: Bytes) {
        for paced in self.dispatch(frame, Source::Shared) {
            if paced.events.offer(paced.delivery).is_err() {
                debug!(upstream = %self.server, "an event was dropped: its client is too slow");
            }
        }
    }

    /// Handles a frame from the stream of one call, and waits for the call to take it.
    pub(super) async fn dispatch_stream(self: &Arc<Self>, frame: Bytes, id: UpstreamId) {
        let events = self.dispatch(frame, Source::Stream(id));
        if !events.is_empty() {
            // Apart: most frames are an answer, for which there is always room.
            Box::pin(deliver(events)).await;
        }
    }

    fn dispatch(self: &Arc<Self>, frame: Bytes, source: Source) -> Vec<Paced> {
        match Frame::parse(frame) {
            Ok(Frame::One(message)) => self.message(message, source).into_iter().collect(),
            Ok(Frame::Batch(messages)) => {
                let mut paced = Vec::new();
                for message in messages {
                    match message {
                        Ok(message) => paced.extend(self.message(message, source)),
                        Err(malformed) => self.malformed(&malformed, source),
                    }
                }
                paced
            }
            Err(malformed) => {
                self.malformed(&malformed, source);
                Vec::new()
            }
        }
    }

    fn message(self: &Arc<Self>, message: Message, source: Source) -> Option<Paced> {
        match message {
            Message::Response(response) => {
                self.response(response, source);
                None
            }
            Message::Notification(notification) => self.notification(notification, source),
            Message::Request(request) => {
                self.request(request, source);
                None
            }
        }
    }

    fn response(&self, response: Response, source: Source) {
        let id = response
            .id
            .as_ref()
            .and_then(crate::wire::RequestId::as_u64)
            .map(UpstreamId);
        let id = match (id, source) {
            (Some(id), _) => id,
            // An error without an id on the stream of a call is about that call.
            (None, Source::Stream(id)) if response.body.is_err() => id,
            (None, _) => {
                debug!(upstream = %self.server, "a response without a usable id was ignored");
                return;
            }
        };
        if self.pending.finish(id, Delivery::Done(response.body)) == Found::Unknown {
            trace!(upstream = %self.server, id = id.0, "an answer that nobody waits for");
        }
    }

    fn malformed(&self, malformed: &Malformed, source: Source) {
        debug!(upstream = %self.server, detail = %malformed.detail, "not a JSON-RPC message");
        let id = malformed
            .id
            .as_ref()
            .and_then(crate::wire::RequestId::as_u64)
            .map(UpstreamId);
        let id = match source {
            Source::Stream(id) => Some(id),
            Source::Shared => id,
        };
        if let Some(id) = id {
            let why = UpstreamError::Broken(format!("the answer is broken: {}", malformed.detail));
            self.pending.finish(id, Delivery::Failed(why));
        }
    }

    fn notification(&self, heard: Notification, source: Source) -> Option<Paced> {
        let params = heard.params;
        match heard.method.as_ref() {
            notification::PROGRESS => return self.progress(params?),
            notification::MESSAGE => return self.log(params?, source),
            notification::VISITED => self.reporter.visited(params?.detached()),
            notification::CANCELLED => self.withdrawn(&params?),
            notification::ACKNOWLEDGED => {
                let params = params?;
                let id = match source {
                    Source::Stream(id) => id,
                    Source::Shared => {
                        UpstreamId::read(&params.get("_meta")?.get(keys::SUBSCRIPTION_ID)?)?
                    }
                };
                let events = self.pending.events_of(id)?;
                let delivery = Delivery::Acknowledged(params.get("notifications"));
                return Some(Paced { events, delivery });
            }
            notification::RESOURCE_UPDATED => {
                let uri = params?.get("uri")?;
                self.signals.resource_updated(uri.text()?.into_owned());
            }
            notification::TASKS | notification::TASK_STATUS => self.reporter.task(params?),
            method => match notification::changed_kinds(method) {
                [] => trace!(upstream = %self.server, method, "a notification was ignored"),
                kinds => self.signals.lists_changed(kinds),
            },
        }
        None
    }

    /// A report of progress: to its call.
    fn progress(&self, params: Json) -> Option<Paced> {
        let id = UpstreamId::read(&params.get("progressToken")?)?;
        let events = self.pending.events_of(id)?;
        let delivery = Delivery::Progress(params);
        Some(Paced { events, delivery })
    }

    /// The server does not want an answer any more, or ends a subscription (2026-07-28, "Subscriptions").
    fn withdrawn(&self, params: &Json) {
        let question = params.get("requestId");
        let Some(question) = question.as_ref().and_then(RequestId::from_json) else {
            return;
        };
        if self.dialect().map(Dialect::era) == Some(Era::Modern) {
            // Such a server asks nothing, so the id is one of ours.
            if let Some(id) = question.as_u64().map(UpstreamId) {
                self.pending
                    .finish(id, Delivery::Failed(UpstreamError::Lost));
            }
            return;
        }
        let owner = self.pending.owners.settle(&question);
        if let Some(events) = owner.and_then(|id| self.pending.events_of(id)) {
            // Without room the client is asked in vain, and its answer goes nowhere.
            drop(events.offer(Delivery::Withdrawn(question)));
        }
    }

    /// A log message: to the call on whose stream it came, or the only one that it can belong to, or to
    /// nobody in particular.
    fn log(&self, params: Json, source: Source) -> Option<Paced> {
        let id = match source {
            Source::Stream(id) => Some(id),
            Source::Shared if self.clients != Clients::Many => self.pending.newest_logging(),
            Source::Shared => self.pending.sole_logging(),
        };
        let Some(events) = id.and_then(|id| self.pending.events_of(id)) else {
            // What is said on the connection of one client is nothing to others.
            if self.clients == Clients::Many {
                self.reporter.log(params.detached());
            }
            return None;
        };
        Some(Paced {
            events,
            delivery: Delivery::Event(CallEvent::Log(params)),
        })
    }

    fn request(self: &Arc<Self>, request: Request, source: Source) {
        if request.method.as_ref() == "ping" {
            return self.respond_later(request.id, Ok(Json::from_static("{}")));
        }
        let Some(kind) = InputKind::of_method(&request.method) else {
            let message = format!("method `{}` is not known here", request.method);
            let error = RpcError::new(code::METHOD_NOT_FOUND, message);
            return self.respond_later(request.id, Err(error));
        };
        let task = request.params.as_ref().and_then(related_task);
        let question = Question {
            kind,
            params: request.params.as_ref(),
            task: task.as_deref(),
        };
        let owners = &self.pending.owners;
        let owner = match source {
            Source::Stream(id) => owners.of_stream(id, &question),
            Source::Shared => owners.of_link(&self.clients, &question),
        };
        if matches!(source, Source::Shared) && owner != Owner::Nobody {
            self.signals.asked();
        }
        let id = match owner {
            Owner::Call(id) => id,
            Owner::Incapable(id, lacking) => {
                if let Some(events) = self.pending.events_of(id) {
                    drop(events.offer(Delivery::Lacking(lacking)));
                }
                return self.refuse(
                    request,
                    kind,
                    "the client of this call cannot be asked this",
                );
            }
            Owner::Nobody => return self.refuse(request, kind, NOBODY),
            Owner::Unclear => return self.refuse(request, kind, UNCLEAR),
        };
        owners.asking(request.id.clone(), id);
        let sent = match self.pending.events_of(id) {
            Some(events) => events.offer(Delivery::Ask(request)),
            None => Err(Delivery::Ask(request)),
        };
        if let Err(Delivery::Ask(request)) = sent {
            self.pending.owners.settle(&request.id);
            self.refuse(
                request,
                kind,
                "the client of this call is too slow to be asked",
            );
        }
    }

    /// Nobody can be asked: never a guess.
    fn refuse(self: &Arc<Self>, request: Request, kind: InputKind, why: &str) {
        if kind == InputKind::Roots {
            // Asked outside any call, typically right after the handshake.
            return self.tell_roots(request.id);
        }
        debug!(upstream = %self.server, method = %request.method, "a question was refused: {why}");
        let error = RpcError::new(
            code::METHOD_NOT_FOUND,
            format!("`{}`: {why}", request.method),
        );
        self.respond_later(request.id, Err(error));
    }
}
