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
    /// the request may meet further on. In a place of its own, since it is handed from one to the next.
    pub fn read(params: Option<&Json>) -> Box<Self> {
        let mut read = Box::<Self>::default();
        for entry in params.into_iter().flat_map(Json::entries) {
            let slot = match &*entry.key() {
                b"name" => &mut read.name,
                b"uri" => &mut read.uri,
                b"ref" => &mut read.reference,
                b"taskId" => &mut read.task_id,
                b"arguments" => &mut read.arguments,
                b"cursor" => &mut read.cursor,
                b"requestState" => &mut read.request_state,
                b"inputResponses" => &mut read.input_responses,
                b"notifications" => &mut read.notifications,
                b"_meta" => {
                    read.meta = Meta::read(&entry.value());
                    continue;
                }
                _ => continue,
            };
            *slot = Some(entry.value());
        }
        read
    }
}
