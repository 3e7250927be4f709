//! Calls that go to one server.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;
use tokio::time::{Instant, timeout_at};

use crate::catalog::{Catalog, Route};
use crate::protocol::{
    CallEvent, InputAnswer, InputRequest, Kind, OriginalName, Outcome, Said, ServerName, signed,
};
use crate::upstream::{Errand, Outgoing, Step, Upstream, UpstreamError, Verdict};
use crate::wire::{Json, Splice};

use super::cache::Ticket;
use super::call::Call;
use super::error::{CallError, Unknown};
use super::flow::Ran;
use super::hub::{Begun, Mux};
use super::logs::with_logger;

/// A call that a server is at.
pub(super) struct Running {
    pub(super) errand: Errand,
    pub(super) call: Arc<Call>,
    pub(super) server: ServerName,
    /// The one of this name that is at it.
    upstream: Arc<Upstream>,
    pub(super) timeout: Duration,
    pub(super) deadline: Instant,
    pub(super) repeatable: Repeatable,
    /// The questions that wait for answers, signed.
    pub(super) open: Vec<InputRequest>,
    /// Whether the client is to be asked once more what it did not answer.
    ask_again: bool,
    /// A step that was taken already, to see whether the server knows what it is asked for.
    pub(super) ahead: Option<Step>,
    /// The right to keep the result.
    pub(super) ticket: Option<Ticket>,
}

async fn next(ahead: &mut Option<Step>, errand: &mut Errand) -> Result<Step, UpstreamError> {
    match ahead.take() {
        Some(step) => Ok(step),
        None => errand.step().await,
    }
}

/// Whether a call may be sent again when its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeatable {
    /// It may have had effects.
    No,
    /// It has none, or the same again.
    Yes,
}

impl Running {
    pub(super) async fn step(&mut self, hub: &Mux) -> Ran {
        let ask_again = self.ask_again;
        let step = tokio::select! {
            biased;
            step = timeout_at(self.deadline, next(&mut self.ahead, &mut self.errand)) => step,
            () = std::future::ready(()), if ask_again => {
                self.ask_again = false;
                return Ran::Asks(self.open.clone());
            }
        };
        let step = match step {
            Ok(step) => step,
            Err(_) if !self.open.is_empty() => return Ran::Done(Err(CallError::InputExpired)),
            Err(_) => Err(UpstreamError::Timeout(self.timeout)),
        };
        match step {
            Ok(Step::Event(CallEvent::Log(params))) => {
                Ran::Event(CallEvent::Log(with_logger(&self.server, params)))
            }
            Ok(Step::Event(event)) => Ran::Event(event),
            Ok(Step::Asks(questions)) => self.asks(hub, questions),
            Ok(Step::Withdrawn(key)) => {
                self.open.retain(|question| question.key != key);
                self.go_on();
                Ran::Withdrawn(key)
            }
            Ok(Step::Acknowledged(_)) => Ran::Done(Err(CallError::Upstream {
                server: self.server.clone(),
                source: UpstreamError::Broken("the server acknowledged a call".to_owned()),
            })),
            Ok(Step::Done(outcome)) => {
                self.upstream.note(Verdict::Answered);
                if let Some(ticket) = &self.ticket {
                    hub.cache.put(ticket, &outcome);
                }
                Ran::Done(Ok(hub.finished(&self.server, &self.call, outcome)))
            }
            Err(error) => {
                self.upstream.note(verdict(&error));
                if let UpstreamError::Answered(said) = &error {
                    hub.visits
                        .required(&self.server, &said.json, &self.call.caller);
                }
                self.failed(error)
            }
        }
    }

    fn asks(&mut self, hub: &Mux, questions: Vec<InputRequest>) -> Ran {
        let patience = hub.settings.load().input_timeout;
        let for_client = |question: InputRequest| {
            let relate = |params| hub.with_public_relation(&self.server, params);
            let params = question.params.map(relate);
            InputRequest {
                params: Some(signed(&question.method, params.as_ref(), &self.server)),
                ..question
            }
        };
        let signed: Vec<InputRequest> = questions.into_iter().map(for_client).collect();
        // What depends on an answer is for this call alone.
        self.ticket = None;
        hub.visits.asked(&self.server, &signed, &self.call.caller);
        self.open.extend(signed.iter().cloned());
        self.deadline = Instant::now() + patience;
        Ran::Asks(signed)
    }

    /// While the client is asked, its patience counts; afterwards the call has its time again.
    fn go_on(&mut self) {
        if self.open.is_empty() {
            self.deadline = Instant::now() + self.timeout;
        }
    }

    /// Hands answers to the server.
    pub(super) async fn answer(&mut self, answers: &[InputAnswer]) {
        self.errand.answer(answers).await;
        self.open
            .retain(|question| answers.iter().all(|answer| answer.key != question.key));
        self.go_on();
    }

    /// The client has repeated its request, under a new id and perhaps a new progress token.
    pub(super) fn resumed_by(&mut self, call: &Arc<Call>) {
        self.call = call.clone();
        self.errand
            .report_with(call.read.meta.progress_token.clone());
    }

    /// What the client left out it is asked once more.
    pub(super) fn ask_again(&mut self) {
        self.ask_again = !self.open.is_empty();
    }

    fn failed(&self, error: UpstreamError) -> Ran {
        let server = &self.server;
        match error {
            // The server did not take the request: its session was gone.
            UpstreamError::SessionLost => Ran::Again(CallError::of(server, error)),
            UpstreamError::Lost if self.repeatable == Repeatable::Yes => {
                Ran::Again(CallError::of(server, error))
            }
            UpstreamError::Lost => Ran::Done(Err(CallError::OutcomeUnknown {
                server: server.clone(),
            })),
            other => Ran::Done(Err(CallError::of(server, other))),
        }
    }
}

/// `tools/call` and `prompts/get`.
pub(super) async fn by_name(hub: &Mux, call: &Arc<Call>, kind: Kind) -> Result<Begun, CallError> {
    let name = text(call.read.name.as_ref(), "name")?;
    let is_there = |catalog: &Catalog| catalog.route(kind, &name).is_some();
    let catalog = hub.listed(is_there).await;
    let Some(route) = catalog.route(kind, &name) else {
        let suggestion = catalog.suggest(kind, &name).cloned();
        return Err(CallError::Unknown(Unknown {
            kind,
            name: name.into_owned(),
            suggestion,
        }));
    };
    let repeatable = match kind {
        Kind::Tool => match catalog.entry(kind, &name) {
            Some(entry) if entry.harmless => Repeatable::Yes,
            _ => Repeatable::No,
        },
        _ => Repeatable::Yes,
    };
    let outgoing = outgoing(call, "name", &name, &route.original);
    send(hub, call, &route.server, outgoing, repeatable).await
}

fn verdict(error: &UpstreamError) -> Verdict {
    match error {
        UpstreamError::Answered(_) | UpstreamError::SessionLost => Verdict::Answered,
        _ => Verdict::Failed,
    }
}

/// `completion/complete`: the reference is mapped back to the server's own name.
pub(super) async fn by_reference(hub: &Mux, call: &Arc<Call>) -> Result<Begun, CallError> {
    let bad = |what: &str| CallError::BadParams(format!("`ref` {what}"));
    let reference = call
        .read
        .reference
        .as_ref()
        .ok_or_else(|| bad("is missing"))?;
    let kind_of = reference.get("type");
    let (kind, member) = match kind_of.as_ref().and_then(Json::text).as_deref() {
        Some("ref/prompt") => (Kind::Prompt, "name"),
        Some("ref/resource") => (Kind::Template, "uri"),
        _ => return Err(bad("is neither `ref/prompt` nor `ref/resource`")),
    };
    let value = reference.get(member);
    let name = text(value.as_ref(), &format!("ref.{member}"))?;
    let is_there = |catalog: &Catalog| catalog.route(kind, &name).is_some();
    let catalog = hub.listed(is_there).await;
    let found = catalog.route(kind, &name).or_else(|| match kind {
        Kind::Template => catalog.route(Kind::Resource, &name),
        _ => None,
    });
    let Some(Route { server, original }) = found.cloned() else {
        let suggestion = catalog.suggest(kind, &name).cloned();
        return Err(CallError::Unknown(Unknown {
            kind,
            name: name.into_owned(),
            suggestion,
        }));
    };
    if hub
        .features(&server)
        .is_some_and(|features| !features.completions)
    {
        let nothing = Json::from_static(r#"{"completion":{"values":[]}}"#);
        return Ok(Begun::Done(Said::by_mux(nothing)));
    }
    let mut outgoing = plain(call);
    if original.as_str() != name {
        let mut splice = Splice::new(reference).ok_or_else(|| bad("is not an object"))?;
        splice.set(member, Json::string(original.as_str()));
        outgoing.replace.push(("ref", splice.finish()));
    }
    send(hub, call, &server, Arc::new(outgoing), Repeatable::Yes).await
}

/// The request for a server, its name replaced by the original one where that differs.
pub(super) fn outgoing(
    call: &Call,
    member: &'static str,
    public: &str,
    original: &OriginalName,
) -> Arc<Outgoing> {
    let mut outgoing = plain(call);
    if original.as_str() != public {
        outgoing
            .replace
            .push((member, Json::string(original.as_str())));
    }
    outgoing.name = Some(original.to_shared());
    Arc::new(outgoing)
}

/// The request for a server, as the client sent it.
pub(super) fn plain(call: &Call) -> Outgoing {
    Outgoing {
        method: call.method.clone(),
        params: call.params.clone(),
        replace: SmallVec::new(),
        name: None,
        arguments: call.read.arguments.clone(),
        client: call.client.clone(),
        party: call.caller.party(),
        progress_token: call.read.meta.progress_token.clone(),
        logs: call.logs,
    }
}

/// Leases a connection and sends the request.
pub(super) async fn send(
    hub: &Mux,
    call: &Arc<Call>,
    server: &ServerName,
    outgoing: Arc<Outgoing>,
    repeatable: Repeatable,
) -> Result<Begun, CallError> {
    let running = start(hub, call, server, outgoing, repeatable).await?;
    Ok(Begun::Running(Box::new(running)))
}

pub(super) async fn start(
    hub: &Mux,
    call: &Arc<Call>,
    server: &ServerName,
    outgoing: Arc<Outgoing>,
    repeatable: Repeatable,
) -> Result<Running, CallError> {
    if call
        .expects
        .as_ref()
        .is_some_and(|expected| expected != server)
    {
        let why = "`requestState` belongs to a server that does not offer this any more";
        return Err(CallError::BadParams(why.to_owned()));
    }
    let sent = hub.sent(server, &outgoing).await?;
    Ok(Running {
        errand: sent.errand,
        call: call.clone(),
        server: server.clone(),
        upstream: sent.upstream,
        timeout: sent.timeout,
        deadline: sent.deadline,
        repeatable,
        open: Vec::new(),
        ask_again: false,
        ahead: None,
        ticket: None,
    })
}

impl Mux {
    /// Looks at an outcome on its way to the client: remembers tasks and links, and gives the server's URIs
    /// their public form where they collided.
    fn finished(&self, server: &ServerName, call: &Call, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Complete(mut said) => {
                said.json = self.with_public_task(server, call, said.json);
                self.learn_links(server, &call.method, &said.json);
                said.json = self.with_public_uris(server, &call.method, said.json);
                Outcome::Complete(said)
            }
            asking @ Outcome::InputRequired(_) => asking,
        }
    }
}

/// A member that must be a string.
pub(super) fn text<'a>(value: Option<&'a Json>, member: &str) -> Result<Cow<'a, str>, CallError> {
    match value {
        None => Err(CallError::BadParams(format!("`{member}` is missing"))),
        Some(value) => match value.text() {
            Some(text) => Ok(text),
            None => Err(CallError::BadParams(format!("`{member}` is not a string"))),
        },
    }
}
