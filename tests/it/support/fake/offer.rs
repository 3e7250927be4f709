//! What a fake offers: definitions as text, in the order in which they are listed.

use serde_json::{Value, json};

use crate::support::Msg;

/// One definition and the name or URI in it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(super) key: String,
    pub(super) text: String,
}

/// Everything a fake lists.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offer {
    pub(super) tools: Vec<Item>,
    pub(super) resources: Vec<Item>,
    pub(super) templates: Vec<Item>,
    pub(super) prompts: Vec<Item>,
}

impl Offer {
    /// The list that a method asks for, and the member of its result.
    pub(super) fn list(&mut self, method: &str) -> Option<(&mut Vec<Item>, &'static str)> {
        match method {
            "tools/list" => Some((&mut self.tools, "tools")),
            "resources/list" => Some((&mut self.resources, "resources")),
            "resources/templates/list" => Some((&mut self.templates, "resourceTemplates")),
            "prompts/list" => Some((&mut self.prompts, "prompts")),
            _ => None,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.tools.len() + self.resources.len() + self.templates.len() + self.prompts.len()
    }

    /// The capabilities that go with what is offered.
    pub(super) fn capabilities(&self) -> Value {
        let mut capabilities = json!({});
        if !self.tools.is_empty() {
            capabilities["tools"] = json!({"listChanged": true});
        }
        if !self.resources.is_empty() || !self.templates.is_empty() {
            capabilities["resources"] = json!({"listChanged": true, "subscribe": true});
        }
        if !self.prompts.is_empty() {
            capabilities["prompts"] = json!({"listChanged": true});
            capabilities["completions"] = json!({});
        }
        capabilities
    }
}

impl Item {
    pub(super) fn tool(name: &str) -> Self {
        let text = json!({
            "name": name,
            "description": format!("The tool {name}."),
            "inputSchema": {"type": "object"},
        });
        Self {
            key: name.to_owned(),
            text: text.to_string(),
        }
    }

    pub(super) fn resource(uri: &str) -> Self {
        let text = json!({"uri": uri, "name": uri, "mimeType": "text/plain"});
        Self {
            key: uri.to_owned(),
            text: text.to_string(),
        }
    }

    pub(super) fn template(uri: &str) -> Self {
        let text = json!({"uriTemplate": uri, "name": uri});
        Self {
            key: uri.to_owned(),
            text: text.to_string(),
        }
    }

    pub(super) fn prompt(name: &str) -> Self {
        let text = json!({
            "name": name,
            "description": format!("The prompt {name}."),
            "arguments": [{"name": "topic", "required": false}],
        });
        Self {
            key: name.to_owned(),
            text: text.to_string(),
        }
    }

    /// A definition given as text.
    pub(super) fn defined(text: &str, key: &str) -> Self {
        let key = Msg::parse(text.as_bytes()).str(key);
        assert!(!key.is_empty(), "a definition without its key: {text}");
        Self {
            key,
            text: text.to_owned(),
        }
    }
}
