//! What the mux reads of a request's `params`: a shallow look, nothing decoded but names.

use super::Meta;
use crate::wire::Json;

/// The members of `params` that decide what happens to a request.
#[derive(Clone, Debug, Default)]
pub struct CallParams {
    /// `name` of a tool or prompt.
    pub name: Option<Json>,
    /// `uri` of a resource.
    pub uri: Option<Json>,
    /// `ref` of a completion.
    pub reference: Option<Json>,
    /// `taskId` of a task.
    pub task_id: Option<Json>,
    /// `arguments` of a tool.
    pub arguments: Option<Json>,
    /// `cursor` of a list.
    pub cursor: Option<Json>,
    /// `requestState` of a retry.
    pub request_state: Option<Json>,
    /// `inputResponses` of a retry.
    pub input_responses: Option<Json>,
    /// `notifications` of a subscription.
    pub notifications: Option<Json>,
    /// `_meta`, read.
    pub meta: Meta,
}

impl CallParams {
    /// Reads `params`. Where a member comes twice, the last one counts, as in every JSON parser that
    /// the request may meet further on.
    pub fn read(params: Option<&Json>) -> Self {
        let mut read = Self::default();
        for (key, value) in params.and_then(Json::members).unwrap_or_default() {
            let slot = match key.as_ref() {
                "name" => &mut read.name,
                "uri" => &mut read.uri,
                "ref" => &mut read.reference,
                "taskId" => &mut read.task_id,
                "arguments" => &mut read.arguments,
                "cursor" => &mut read.cursor,
                "requestState" => &mut read.request_state,
                "inputResponses" => &mut read.input_responses,
                "notifications" => &mut read.notifications,
                "_meta" => {
                    read.meta = Meta::read(&value);
                    continue;
                }
                _ => continue,
            };
            *slot = Some(value);
        }
        read
    }
}
