//! Asking the client: in the middle of the call in the handshake era, by `input_required` after it.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use rmcp::model::{
    ClientCapabilities, CustomRequest, ElicitationCapability, InputRequest, InputRequests,
    InputRequiredResult, InputResponses, JsonObject, RequestStateCodec, RootsCapabilities,
    SamplingCapability, SealOptions, ServerRequest,
};
use rmcp::service::{RequestContext, ServiceError};
use rmcp::{ErrorData, RoleServer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definitions::Question;
use crate::fixture::is_modern;

/// What the client answered, by key.
pub(crate) type Answers = BTreeMap<String, Value>;

/// What came of asking.
pub(crate) enum Asked {
    /// Every question is answered.
    Answered(Answers),
    /// The client has to come back with answers.
    Open(InputRequiredResult),
}

/// The call on whose behalf something is asked.
pub(crate) struct Call<'a> {
    pub(crate) name: &'a str,
    pub(crate) arguments: JsonObject,
    pub(crate) responses: InputResponses,
    pub(crate) state: Option<String>,
}

/// What a `requestState` holds: answers of earlier rounds, and where we are.
#[derive(Default, Serialize, Deserialize)]
struct Progress {
    round: usize,
    answers: Answers,
}

/// Asks what the tool or prompt wants to know, in the way of the client's era.
pub(crate) async fn ask(
    question: &Question,
    call: Call<'_>,
    codec: &RequestStateCodec,
    context: &RequestContext<RoleServer>,
) -> Result<Asked, ErrorData> {
    let capabilities = context.client_capabilities().unwrap_or_default();
    let rounds = question
        .rounds
        .iter()
        .map(|round| answerable(question, round, &call.arguments, &capabilities))
        .collect::<Result<Vec<_>, _>>()?;
    if is_modern(context) {
        next_round(question, &rounds, call, codec)
    } else {
        ask_now(question, &rounds, context)
            .await
            .map(Asked::Answered)
    }
}

/// The requests of one round, with the call's arguments in their texts.
pub(crate) fn requests(
    round: &BTreeMap<String, Value>,
    arguments: &JsonObject,
) -> Result<InputRequests, ErrorData> {
    let fill = |(key, request): (&String, &Value)| {
        let filled = filled(request, arguments).to_string();
        let request = serde_json::from_str(&filled)
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok((key.clone(), request))
    };
    round.iter().map(fill).collect()
}

/// The requests of one round that the client can answer.
fn answerable(
    question: &Question,
    round: &BTreeMap<String, Value>,
    arguments: &JsonObject,
    capabilities: &ClientCapabilities,
) -> Result<InputRequests, ErrorData> {
    let mut requests = requests(round, arguments)?;
    for request in requests.values() {
        let needed = needs(request);
        if !question.optional && !declares(capabilities, &needed) {
            return Err(ErrorData::missing_required_client_capability(needed));
        }
    }
    requests.retain(|_, request| declares(capabilities, &needs(request)));
    Ok(requests)
}

/// Replaces each text `{name}` by the argument of that name.
fn filled(value: &Value, arguments: &JsonObject) -> Value {
    match value {
        Value::String(text) => {
            let put = |text: String, (name, argument): (&String, &Value)| match argument.as_str() {
                Some(argument) => text.replace(&format!("{{{name}}}"), argument),
                None => text,
            };
            Value::String(arguments.iter().fold(text.clone(), put))
        }
        Value::Array(items) => items.iter().map(|item| filled(item, arguments)).collect(),
        Value::Object(members) => {
            let fill = |(key, member): (&String, &Value)| (key.clone(), filled(member, arguments));
            Value::Object(members.iter().map(fill).collect())
        }
        other => other.clone(),
    }
}

fn needs(request: &InputRequest) -> ClientCapabilities {
    let mut needed = ClientCapabilities::default();
    match request {
        InputRequest::CreateMessage(_) => needed.sampling = Some(SamplingCapability::default()),
        InputRequest::ListRoots(_) => needed.roots = Some(RootsCapabilities::default()),
        _ => needed.elicitation = Some(ElicitationCapability::default()),
    }
    needed
}

fn declares(capabilities: &ClientCapabilities, needed: &ClientCapabilities) -> bool {
    (needed.sampling.is_none() || capabilities.sampling.is_some())
        && (needed.roots.is_none() || capabilities.roots.is_some())
        && (needed.elicitation.is_none() || capabilities.elicitation.is_some())
}

/// Goes as far through the rounds as this retry's answers allow.
fn next_round(
    question: &Question,
    rounds: &[InputRequests],
    call: Call<'_>,
    codec: &RequestStateCodec,
) -> Result<Asked, ErrorData> {
    let bound = SealOptions::new().associated_data(call.name.as_bytes());
    let mut progress: Progress = match &call.state {
        Some(state) if question.state => codec
            .open_json_with(state, call.name.as_bytes())
            .map_err(|error| ErrorData::invalid_params(error.to_string(), None))?,
        _ => Progress::default(),
    };
    let mut given = call.responses;
    while let Some(round) = rounds.get(progress.round) {
        let complete = round.iter().all(|(key, request)| {
            given
                .get(key)
                .is_some_and(|answer| is_answer(request, answer))
        });
        if !complete {
            let sealed = question
                .state
                .then(|| codec.seal_json_with(&progress, &bound));
            let state = sealed
                .transpose()
                .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
            return Ok(Asked::Open(InputRequiredResult::new(
                Some(round.clone()),
                state,
            )));
        }
        let known = std::mem::take(&mut given)
            .into_iter()
            .filter(|(key, _)| round.contains_key(key));
        progress.answers.extend(known);
        progress.round += 1;
    }
    Ok(Asked::Answered(progress.answers))
}

/// Whether the answer has the shape that the request calls for.
fn is_answer(request: &InputRequest, answer: &Value) -> bool {
    match request {
        InputRequest::CreateMessage(_) => answer.get("content").is_some(),
        InputRequest::ListRoots(_) => answer.get("roots").is_some_and(Value::is_array),
        _ => answer.get("action").is_some_and(Value::is_string),
    }
}

/// Asks one round after the other, and all questions of a round at once.
async fn ask_now(
    question: &Question,
    rounds: &[InputRequests],
    context: &RequestContext<RoleServer>,
) -> Result<Answers, ErrorData> {
    let mut answers = Answers::new();
    for round in rounds {
        let asked = round
            .iter()
            .map(|(key, request)| async move { (key, ask_one(request, context).await) });
        for (key, answer) in join_all(asked).await {
            match answer {
                Ok(answer) => drop(answers.insert(key.clone(), answer)),
                Err(_) if question.optional => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(answers)
}

async fn ask_one(
    request: &InputRequest,
    context: &RequestContext<RoleServer>,
) -> Result<Value, ErrorData> {
    let answer = context.peer.send_request(server_request(request)).await;
    let answer = answer.map_err(|error| match error {
        ServiceError::McpError(error) => error,
        other => ErrorData::internal_error(other.to_string(), None),
    })?;
    serde_json::to_value(answer).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

fn server_request(request: &InputRequest) -> ServerRequest {
    match request.clone() {
        InputRequest::CreateMessage(request) => request.into(),
        InputRequest::Elicitation(request) => request.into(),
        InputRequest::ListRoots(request) => request.into(),
        _ => CustomRequest::new("unknown", None).into(),
    }
}
