//! Questions in the middle of a call (2026-07-28, "Multi round-trip requests").

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::wire::Json;

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

/// Composes the result that asks the client these questions and carries `state` for its retry.
pub fn input_required(requests: &[InputRequest], state: &str) -> Json {
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
        request_state: &'a str,
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
