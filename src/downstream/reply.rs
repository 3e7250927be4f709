//! What a client gets for one request: messages, and last the response.

use std::sync::Arc;

use bytes::Bytes;

use crate::mux::{CallError, CallStep, InFlight};
use crate::protocol::{CallEvent, ClientProfile, LogLevel, LogWish, Method, Said, notification};
use crate::wire::{Json, Notification, Pieces, RequestId};

use super::answer;
use super::legacy::LegacyReply;
use super::listen::ListenReply;

/// The next message of a reply.
#[derive(Debug)]
pub(super) enum Item {
    /// A notification or a request to the client; more follow.
    Message(Bytes),
    /// The response; nothing follows.
    Last(Last),
    /// The request was cancelled: there is no response.
    Cancelled,
}

/// A response.
#[derive(Debug)]
pub(super) struct Last {
    /// The message.
    pub(super) message: Pieces,
    /// Its error code, if it is an error.
    pub(super) error: Option<i64>,
}

impl Last {
    /// The message as one frame.
    pub(super) fn frame(self) -> Bytes {
        self.message.joined()
    }
}

/// What a client gets for one request. Dropping it cancels the request.
pub(super) enum Reply {
    /// It is known already.
    Ready(Option<Last>),
    /// A call of a modern client.
    Modern(Box<ModernReply>),
    /// A subscription of a modern client.
    Listen(Box<ListenReply>),
    /// A request of a legacy client.
    Legacy(Box<LegacyReply>),
}

impl Reply {
    /// A response without more ado.
    pub(super) fn ready(last: Last) -> Self {
        Self::Ready(Some(last))
    }

    /// The next message. Not cancel safe: keep the future until it is ready.
    pub(super) async fn next(&mut self) -> Item {
        match self {
            Self::Ready(last) => last.take().map_or(Item::Cancelled, Item::Last),
            Self::Modern(reply) => reply.next().await,
            Self::Listen(reply) => reply.next().await,
            Self::Legacy(reply) => reply.next().await,
        }
    }
}

/// A call of a modern client.
pub(super) struct ModernReply {
    pub(super) id: RequestId,
    pub(super) method: Method,
    pub(super) client: Arc<ClientProfile>,
    pub(super) flow: InFlight,
    pub(super) logs: LogWish,
    pub(super) ttl_ms: u64,
}

impl ModernReply {
    fn last(&self, outcome: Result<Said, CallError>) -> Last {
        let wants = answer::Wants {
            method: &self.method,
            client: &self.client,
            ttl_ms: self.ttl_ms,
        };
        answer::modern(&self.id, &wants, outcome)
    }

    async fn next(&mut self) -> Item {
        loop {
            match self.flow.step().await {
                CallStep::Event(event) => {
                    if let Some(frame) = event_frame(event, self.logs) {
                        return Item::Message(frame);
                    }
                }
                CallStep::Asks(_) => {
                    let last = match self.flow.park() {
                        Ok(asks) => answer::result(&self.id, asks),
                        Err(error) => self.last(Err(error)),
                    };
                    return Item::Last(last);
                }
                CallStep::Withdrawn(_) => {}
                CallStep::Done(outcome) => return Item::Last(self.last(outcome)),
            }
        }
    }
}

/// The notification for an event of a call; `None` if the caller does not want it.
pub(super) fn event_frame(event: CallEvent, logs: LogWish) -> Option<Bytes> {
    let (method, params) = match event {
        CallEvent::Progress(params) => (notification::PROGRESS, params),
        CallEvent::Log(params) => {
            if !logs.wants(level_of(&params)) {
                return None;
            }
            (notification::MESSAGE, params)
        }
    };
    Some(
        Notification {
            method: method.into(),
            params: Some(params),
        }
        .encode(),
    )
}

/// The level of a log message.
pub(super) fn level_of(params: &Json) -> Option<LogLevel> {
    LogLevel::parse(&params.get("level")?.text()?)
}
