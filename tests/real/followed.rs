//! A tool of server-everything that only works as a task, called by a client of the era that has none of its kind. There
//! is nothing to compare it with: without the mux, the call is refused.

use serde_json::json;

use crate::clients::{Client, Stage};
use crate::lists::public;
use crate::session::{Era, Operation, Session, Target};
use crate::through::Mux;
use crate::verdict::Verdict;

/// Calls the tool with and without a question on the way: a report must come of it, and progress before.
pub(crate) fn verdict(mux: &Mux, stage: &Stage) -> Result<Verdict, String> {
    let name = public("everything", "simulate-research-query");
    let calling = |id, ambiguous| {
        let arguments = json!({ "topic": "rust", "ambiguous": ambiguous });
        let params = json!({ "name": name, "arguments": arguments });
        Operation::new(id, "tools/call", Some(params))
    };
    let session = Session {
        id: "followed".to_owned(),
        era: Era::Modern,
        target: Target::Http(mux.url.clone()),
        operations: vec![calling("plain", false), calling("ambiguous", true)],
    };
    let answers = Client::Py2.drive(stage, &[session], 1)?;
    let mut verdict = Verdict::default();
    for (operation, report) in [
        ("plain", "# Research Report: rust\n"),
        ("ambiguous", "# Research Report: rust ("),
    ] {
        let line = answers.get("followed", operation)?;
        let text = line["result"]["content"][0]["text"].as_str();
        let told = line["progress"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
        if !told || !text.is_some_and(|text| text.starts_with(report)) {
            verdict.offences.push(format!("{operation} task: {line}"));
        } else {
            verdict.equal += 1;
        }
    }
    Ok(verdict)
}
