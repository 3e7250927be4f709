//! What is listed, as JSON beside this file: the texts are data, not code.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rmcp::model::{Prompt, Resource, ResourceTemplate, Tool};
use serde::Deserialize;
use serde_json::Value;

/// Everything the lists can hold, in listed order.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Definitions {
    pub(crate) tools: Vec<Tool>,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) resource_templates: Vec<ResourceTemplate>,
}

/// What one tool or prompt asks the client before it answers.
#[derive(Deserialize)]
pub(crate) struct Question {
    /// Send a sealed `requestState` along, and demand it back.
    #[serde(default)]
    pub(crate) state: bool,
    /// Leave out what the client cannot answer, rather than refuse the call.
    #[serde(default)]
    pub(crate) optional: bool,
    /// The rounds, one after the other; each is a map from key to request.
    /// `{name}` in a text stands for the call's argument of that name.
    pub(crate) rounds: Vec<BTreeMap<String, Value>>,
}

pub(crate) static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| {
    serde_json::from_str(include_str!("definitions.json")).expect("the file is part of the binary")
});

pub(crate) static QUESTIONS: LazyLock<BTreeMap<String, Question>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("questions.json")).expect("the file is part of the binary")
});
