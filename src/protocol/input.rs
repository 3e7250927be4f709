//! Questions in the middle of a call (2026-07-28, "Multi round-trip requests").

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{InputKind, ServerName, keys};
use crate::wire::{Json, Splice};

/// One question of a server, under the key by which the answer will name it.
#[derive(Clone, Debug, PartialEq)]
pub struct InputRequest {
    /// The key in `inputRequests` and `inputResponses`.
    pub key: String,
    /// The request method, such as `elicitation/create`.
    pub method: String,
    /// The request's params, verbatim.
    pub params: Option<Json>,
}

/// What became of one question.
#[derive(Clone, Debug, PartialEq)]
pub struct InputAnswer {
    /// The key of the question.
    pub key: String,
    /// The client's result, or the error object with which it refused, verbatim.
    pub body: Result<Json, Json>,
}

/// The answers in `inputResponses`. What is not an object holds none.
pub fn read_answers(responses: Option<&Json>) -> Vec<InputAnswer> {
    let members = responses.and_then(Json::members).unwrap_or_default();
    members
        .into_iter()
        .map(|(key, result)| InputAnswer {
            key: key.into_owned(),
            body: Ok(result),
        })
        .collect()
}

/// The result of an elicitation that nobody went through with. It is what stands for an error where answers
/// have no room for one.
pub fn elicitation_cancelled() -> Json {
    Json::from_static(r#"{"action":"cancel"}"#)
}

/// The result to put where answers have no room for errors (2026-07-28, "Multi round-trip requests"): an elicitation
/// has a word for a refusal; the error of anything else comes back.
pub fn without_error(method: &str, body: Result<Json, Json>) -> Result<Json, Json> {
    body.or_else(|error| match InputKind::of_method(method) {
        Some(InputKind::Elicitation) => Ok(elicitation_cancelled()),
        _ => Err(error),
    })
}

/// The params of a question, with the name of the server that asks: clients must show it, and without it
/// they could show the mux only (2026-07-28, "Elicitation"). In `_meta` for programs, and in front of an
/// elicitation's message for people.
pub fn signed(method: &str, params: Option<&Json>, server: &ServerName) -> Json {
    let empty = Json::from_static("{}");
    let params = params.unwrap_or(&empty);
    let Some(mut splice) = Splice::new(params) else {
        return params.clone();
    };
    if InputKind::of_method(method) == Some(InputKind::Elicitation)
        && let Some(message) = params.get("message").as_ref().and_then(Json::text)
    {
        splice.set("message", Json::string(&format!("[{server}] {message}")));
    }
    let meta = params.get("_meta").unwrap_or(empty);
    if let Some(mut meta) = Splice::new(&meta) {
        meta.set(keys::ASKED_BY, Json::string(server.as_str()));
        splice.set("_meta", meta.finish());
    }
    splice.finish()
}

/// A result of type `input_required` whose questions are [`signed`]; all else stays as it is.
pub fn signed_result(result: &Json, server: &ServerName) -> Json {
    let requests = result.get("inputRequests");
    let Some((requests, mut all)) =
        requests.and_then(|json| Some((json.clone(), Splice::new(&json)?)))
    else {
        return result.clone();
    };
    for (key, question) in requests.members().unwrap_or_default() {
        let method = question.get("method");
        let Some(method) = method.as_ref().and_then(Json::text) else {
            continue;
        };
        let Some(mut edited) = Splice::new(&question) else {
            continue;
        };
        edited.set(
            "params",
            signed(&method, question.get("params").as_ref(), server),
        );
        all.set(key.into_owned(), edited.finish());
    }
    let Some(mut splice) = Splice::new(result) else {
        return result.clone();
    };
    splice.set("inputRequests", all.finish());
    splice.finish()
}

/// Composes the result that asks the client these questions and carries `state` for its retry.
pub fn input_required(requests: &[InputRequest], state: Option<&str>) -> Json {
    struct Requests<'a>(&'a [InputRequest]);
    impl Serialize for Requests<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(Some(self.0.len()))?;
            for request in self.0 {
                map.serialize_entry(&request.key, &Question(request))?;
            }
            map.end()
        }
    }
    struct Question<'a>(&'a InputRequest);
    impl Serialize for Question<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("method", &self.0.method)?;
            if let Some(params) = &self.0.params {
                map.serialize_entry("params", params)?;
            }
            map.end()
        }
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        result_type: &'static str,
        input_requests: Requests<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_state: Option<&'a str>,
    }
    Json::encode(&Body {
        result_type: "input_required",
        input_requests: Requests(requests),
        request_state: state,
    })
}

/// Reads a result of type `input_required`: the questions, and the state to send back with the answers.
/// Entries that are not questions are left out.
pub fn read_input_required(result: &Json) -> (Vec<InputRequest>, Option<Json>) {
    let state = result.get("requestState");
    let requests = result.get("inputRequests");
    let members = requests
        .as_ref()
        .and_then(Json::members)
        .unwrap_or_default();
    let questions = members
        .into_iter()
        .filter_map(|(key, question)| {
            Some(InputRequest {
                key: key.into_owned(),
                method: question.get("method")?.text()?.into_owned(),
                params: question.get("params"),
            })
        })
        .collect();
    (questions, state)
}
