//! The legacy dialect, towards a client: a handshake, then requests within a session (up to 2025-11-25).

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::sleep;

use crate::mux::{Call, CallError, CallStep, InFlight};
use crate::protocol::{CallParams, InputAnswer, InputRequest, Kind, Method, RpcError, Said, code};
use crate::wire::{Json, Request, RequestId};

use super::answer;
use super::asking::Asking;
use super::reply::{Item, Last, Reply, event_frame};
use super::session::{Cancelled, Registered, Session, is_legacy};

/// A request of a legacy client.
pub(super) struct LegacyReply {
    session: Arc<Session>,
    id: RequestId,
    method: Method,
    /// The list whose first page it asks for.
    first_of: Option<Kind>,
    /// Until the response is there: its id may be used again from then on.
    registered: Option<(Registered, Cancelled)>,
    state: State,
    /// Messages that go before anything else.
    outbox: VecDeque<Item>,
}

enum State {
    Calling(InFlight, Asking),
    Watching(String),
    Unwatching(String),
    Over,
}

/// The reply to a request within a session.
pub(super) fn open(session: &Arc<Session>, request: Request) -> Reply {
    let read = CallParams::read(request.params.as_ref());
    open_read(session, request, read)
}

/// The reply to a request whose params have been looked at.
pub(super) fn open_read(session: &Arc<Session>, request: Request, read: Box<CallParams>) -> Reply {
    let id = request.id.clone();
    match try_open(session, request, read) {
        Ok(reply) => reply,
        Err(error) => Reply::ready(answer::error(&id, &error)),
    }
}

fn try_open(
    session: &Arc<Session>,
    request: Request,
    read: Box<CallParams>,
) -> Result<Reply, RpcError> {
    let Request { id, method, params } = request;
    let method = Method::parse(&method);
    if !is_legacy(&method) {
        return Err(answer::unknown_method(&method));
    }
    let first_of = match (&method, &read.cursor) {
        (Method::List(kind), None) => Some(*kind),
        _ => None,
    };
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
        _ => State::Calling(call(session, &method, params, read), Asking::new(session)),
    };
    let registered = session.register(&id)?;
    Ok(Reply::Legacy(Box::new(LegacyReply {
        session: session.clone(),
        id,
        method,
        first_of,
        registered: Some(registered),
        state,
        outbox: VecDeque::new(),
    })))
}

fn call(
    session: &Arc<Session>,
    method: &Method,
    params: Option<Json>,
    read: Box<CallParams>,
) -> InFlight {
    session.hub.call(Call {
        method: method.clone(),
        read,
        params,
        client: session.client.clone(),
        caller: session.caller.clone(),
        logs: session.logs(),
        expects: None,
    })
}

fn uri(params: Option<&Json>) -> Result<String, RpcError> {
    let uri = params.and_then(|params| params.get("uri"));
    let text = uri.as_ref().and_then(Json::text).map(Cow::into_owned);
    text.ok_or_else(|| RpcError::new(code::INVALID_PARAMS, "`uri` is missing or not a string"))
}

impl LegacyReply {
    pub(super) async fn next(&mut self) -> Item {
        let Some((registered, mut cancelled)) = self.registered.take() else {
            return Item::Cancelled;
        };
        let item = tokio::select! {
            biased;
            _ = &mut cancelled => Item::Cancelled,
            item = self.advance() => item,
        };
        if let Item::Message(_) = item {
            self.registered = Some((registered, cancelled));
        } else {
            self.state = State::Over;
        }
        item
    }

    /// What is rare waits in places of its own: the future of a call is made for each one, and need not have room for it.
    async fn advance(&mut self) -> Item {
        loop {
            if let Some(item) = self.outbox.pop_front() {
                return item;
            }
            match &mut self.state {
                State::Calling(flow, asking) => {
                    let came = if asking.is_open() {
                        Box::pin(next_or_answer(flow, asking)).await
                    } else {
                        Came::Next(flow.step().await)
                    };
                    match came {
                        Came::Next(CallStep::Done(outcome)) => return self.end(outcome),
                        other => {
                            if let Some(last) = Box::pin(self.came(other)).await {
                                return last;
                            }
                        }
                    }
                }
                State::Watching(uri) => {
                    let watched = Box::pin(self.session.subscription.watch(uri)).await;
                    return self.last(watched.map(|()| nothing()));
                }
                State::Unwatching(uri) => {
                    Box::pin(self.session.subscription.unwatch(uri)).await;
                    return self.last(Ok(nothing()));
                }
                State::Over => return Item::Cancelled,
            }
        }
    }

    /// Takes note of what is not the end; gives the last message if it comes to that all the same.
    async fn came(&mut self, came: Came) -> Option<Item> {
        let State::Calling(flow, asking) = &mut self.state else {
            return None;
        };
        match came {
            Came::Answer(answer) => {
                let answered = flow.answer(vec![answer]).await;
                return answered.err().map(|error| self.end(Err(error)));
            }
            Came::Next(CallStep::Done(outcome)) => return Some(self.end(outcome)),
            Came::Next(CallStep::Asks(questions)) => self.ask(questions).await,
            Came::Next(CallStep::Event(event)) => {
                let frame = event_frame(event, self.session.hears());
                self.outbox.extend(frame.map(Item::Message));
            }
            Came::Next(CallStep::Withdrawn(key)) => {
                self.outbox.extend(asking.withdraw(&key).map(Item::Message));
            }
        }
        None
    }

    async fn ask(&mut self, questions: Vec<InputRequest>) {
        let State::Calling(flow, asking) = &mut self.state else {
            return;
        };
        let nothing = questions.is_empty();
        match asking.ask(questions) {
            Ok(frames) => self.outbox.extend(frames.into_iter().map(Item::Message)),
            Err(error) => {
                let refused = answer::error(&self.id, &error);
                return self.outbox.push_back(Item::Last(refused));
            }
        }
        if nothing {
            sleep(asking.pause()).await;
            if let Err(error) = flow.answer(Vec::new()).await {
                let next = self.end(Err(error));
                self.outbox.push_front(next);
            }
        }
    }

    /// The next of the last messages: the response comes after the client has been told which questions nobody waits for
    /// any more.
    fn end(&mut self, outcome: Result<Said, CallError>) -> Item {
        if let State::Calling(_, asking) = &mut self.state {
            let withdrawn = asking.withdraw_all();
            self.outbox.extend(withdrawn.into_iter().map(Item::Message));
        }
        if let Ok(said) = &outcome {
            self.note_list(said);
        }
        let last = self.last(outcome);
        match self.outbox.pop_front() {
            None => last,
            Some(first) => {
                self.outbox.push_back(last);
                first
            }
        }
    }

    /// What the client knows from now on.
    fn note_list(&self, said: &Said) {
        if let Some(kind) = self.first_of {
            self.session.subscription.has_seen(kind, &said.json);
        }
    }

    fn last(&self, outcome: Result<Said, CallError>) -> Item {
        let last: Last = answer::legacy(&self.id, &self.method, outcome);
        Item::Last(last)
    }
}

/// What comes first while the client is asked.
enum Came {
    Next(CallStep),
    Answer(InputAnswer),
}

async fn next_or_answer(flow: &mut InFlight, asking: &mut Asking) -> Came {
    tokio::select! {
        biased;
        step = flow.step() => Came::Next(step),
        answer = asking.answer() => Came::Answer(answer),
    }
}

fn nothing() -> Said {
    Said::by_mux(Json::from_static("{}"))
}
