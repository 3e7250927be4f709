//! URLs that users have to visit before a call: an error up to 2025-11-25, questions since 2026-07-28.

use crate::protocol::{
    InputKind, InputRequest, RpcError, ServerName, code, input_required, signed,
};
use crate::wire::{Json, Splice};

use super::answer::Wants;

/// What becomes of the error `URLElicitationRequired` for a modern client.
pub(super) enum Visits {
    /// The result that asks the client to have them visited, and to repeat its request.
    Needed(Json),
    /// The client cannot do that: the capability that it lacks.
    Impossible(Json),
}

/// What a server's error asks for; `None` if it is another error.
pub(super) fn asked(error: &Json, server: &ServerName, wants: &Wants<'_>) -> Option<Visits> {
    if RpcError::code_of(error) != Some(code::URL_ELICITATION_REQUIRED) || !wants.method.may_ask() {
        return None;
    }
    let all = error.get("data")?.get("elicitations")?.elements()?;
    let mut questions = Vec::new();
    for (index, elicitation) in all.iter().enumerate() {
        let mut params = Splice::new(elicitation)?;
        let params = params
            .set("mode", Json::from_static("\"url\""))
            .clone()
            .finish();
        let lacks = wants.client.lacks(InputKind::Elicitation, Some(&params));
        if let Some(lacking) = lacks {
            return Some(Visits::Impossible(lacking));
        }
        questions.push(InputRequest {
            key: format!("q{}", index + 1),
            method: ELICITATION.to_owned(),
            params: Some(signed(ELICITATION, Some(&params), server)),
        });
    }
    (!questions.is_empty()).then(|| Visits::Needed(input_required(&questions, None)))
}

const ELICITATION: &str = "elicitation/create";
