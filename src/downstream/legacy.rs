//! The legacy dialect, towards a client: a handshake, then requests within a session (up to 2025-11-25).

use std::borrow::Cow;
use std::sync::Arc;

use crate::mux::{Call, CallError, CallStep, InFlight};
use crate::protocol::{CallParams, Method, Outcome, RpcError, Said, code};
use crate::wire::{Json, Request, RequestId};

use super::answer;
use super::asking::Asking;
use super::reply::{Item, Last, Reply, event_frame};
use super::session::{Registered, Session, is_legacy};

/// How often one call may ask.
const MAX_ROUNDS: u32 = 32;

/// A request of a legacy client.
pub(super) struct LegacyReply {
    session: Arc<Session>,
    id: RequestId,
    method: Method,
    params: Option<Json>,
    /// Until the response is there: its id may be used again from then on.
    registered: Option<Registered>,
    state: State,
    rounds: u32,
}

enum State {
    Calling(Box<InFlight>),
    Asking(Asking),
    Watching(String),
    Unwatching(String),
    Over,
}

/// The reply to a request within a session.
pub(super) fn open(session: &Arc<Session>, request: Request) -> Reply {
    let id = request.id.clone();
    match try_open(session, request) {
        Ok(reply) => reply,
        Err(error) => Reply::ready(answer::error(&id, &error)),
    }
}

fn try_open(session: &Arc<Session>, request: Request) -> Result<Reply, RpcError> {
    let Request { id, method, params } = request;
    let method = Method::parse(&method);
    if !is_legacy(&method) {
        return Err(answer::unknown_method(&method));
    }
    let nothing = || Reply::ready(answer::result(&id, Json::from_static("{}")));
    let state = match method {
        Method::Ping => return Ok(nothing()),
        Method::SetLevel => {
            session.set_level(params.as_ref())?;
            return Ok(nothing());
        }
        Method::Initialize => {
            return Err(RpcError::new(
                code::INVALID_REQUEST,
                "the session is initialized already",
            ));
        }
        Method::Subscribe => State::Watching(uri(params.as_ref())?),
        Method::Unsubscribe => State::Unwatching(uri(params.as_ref())?),
        _ => State::Calling(Box::new(call(session, &method, params.clone()))),
    };
    let registered = session.register(&id)?;
    Ok(Reply::Legacy(Box::new(LegacyReply {
        session: session.clone(),
        id,
        method,
        params,
        registered: Some(registered),
        state,
        rounds: 0,
    })))
}

fn call(session: &Arc<Session>, method: &Method, params: Option<Json>) -> InFlight {
    session.hub.call(Call {
        method: method.clone(),
        read: CallParams::read(params.as_ref()),
        params,
        client: session.client.clone(),
        caller: session.caller.clone(),
        logs: session.logs(),
    })
}

fn uri(params: Option<&Json>) -> Result<String, RpcError> {
    let uri = params.and_then(|params| params.get("uri"));
    let text = uri.as_ref().and_then(Json::text).map(Cow::into_owned);
    text.ok_or_else(|| RpcError::new(code::INVALID_PARAMS, "`uri` is missing or not a string"))
}

impl LegacyReply {
    pub(super) async fn next(&mut self) -> Item {
        let Some(registered) = &self.registered else {
            return Item::Cancelled;
        };
        let cancelled = registered.cancelled.clone();
        let item = tokio::select! {
            biased;
            () = cancelled.cancelled() => Item::Cancelled,
            item = self.advance() => item,
        };
        if !matches!(item, Item::Message(_)) {
            self.state = State::Over;
            self.registered = None;
        }
        item
    }

    async fn advance(&mut self) -> Item {
        loop {
            match &mut self.state {
                State::Calling(flow) => match flow.step().await {
                    CallStep::Event(event) => {
                        if let Some(frame) = event_frame(event, self.session.logs()) {
                            return Item::Message(frame);
                        }
                    }
                    CallStep::Done(Ok(Outcome::InputRequired(asks))) => {
                        if let Err(error) = self.ask(&asks) {
                            return Item::Last(answer::error(&self.id, &error));
                        }
                    }
                    CallStep::Done(Ok(Outcome::Complete(said))) => {
                        self.note_list(&said);
                        return self.last(Ok(said));
                    }
                    CallStep::Done(Err(error)) => return self.last(Err(error)),
                },
                State::Asking(asking) => {
                    if let Some(frame) = asking.next_frame() {
                        return Item::Message(frame);
                    }
                    match asking.answers(self.params.as_ref()).await {
                        Ok(params) => {
                            let again = call(&self.session, &self.method, Some(params));
                            self.state = State::Calling(Box::new(again));
                        }
                        Err(error) => return Item::Last(answer::error(&self.id, &error)),
                    }
                }
                State::Watching(uri) => {
                    let watched = self.session.subscription.watch(uri).await;
                    return self.last(watched.map(|()| nothing()));
                }
                State::Unwatching(uri) => {
                    self.session.subscription.unwatch(uri).await;
                    return self.last(Ok(nothing()));
                }
                State::Over => return Item::Cancelled,
            }
        }
    }

    /// What the client knows from now on.
    fn note_list(&self, said: &Said) {
        let more = self.params.as_ref().and_then(|params| params.get("cursor"));
        if let (Method::List(kind), None) = (&self.method, more) {
            self.session.subscription.has_seen(*kind, &said.json);
        }
    }

    fn ask(&mut self, asks: &Json) -> Result<(), RpcError> {
        self.rounds += 1;
        if self.rounds > MAX_ROUNDS {
            return Err(RpcError::new(code::BROKEN, "the server asks without end"));
        }
        self.state = State::Asking(Asking::new(&self.session, asks)?);
        Ok(())
    }

    fn last(&self, outcome: Result<Said, CallError>) -> Item {
        let last: Last = answer::legacy(&self.id, &self.method, outcome);
        Item::Last(last)
    }
}

fn nothing() -> Said {
    Said::by_mux(Json::from_static("{}"))
}
