//! What can come back from a call.

use super::{Era, Hints};
use crate::wire::Json;

/// Something said on the wire, and the era it was said in, so that only a neighbour of the other era
/// needs it translated. `None`: the mux composed it, in words that both eras share.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The JSON, verbatim.
    pub json: Json,
    /// The era of who said it.
    pub era: Option<Era>,
    /// How long it may be kept, if the mux knows better than the JSON says.
    pub hints: Option<Hints>,
}

impl Said {
    /// What a server of this era said.
    pub fn by(era: Era, json: Json) -> Self {
        Self {
            json,
            era: Some(era),
            hints: None,
        }
    }

    /// What the mux itself says.
    pub fn by_mux(json: Json) -> Self {
        Self {
            json,
            era: None,
            hints: None,
        }
    }
}

/// What a call ends in, errors aside.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The result.
    Complete(Said),
    /// A result of type `input_required` (2026-07-28, "Multi round-trip requests"): the client is to
    /// answer and to repeat the request.
    InputRequired(Json),
}

/// What a server says of a call before it ends.
#[derive(Clone, Debug, PartialEq)]
pub enum CallEvent {
    /// The params of a `notifications/progress`, with the client's own token.
    Progress(Json),
    /// The params of a `notifications/message`.
    Log(Json),
}
