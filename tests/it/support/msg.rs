//! One JSON-RPC message as it stood on the wire.

use indexmap::IndexMap;
use serde_json::Value;
use serde_json::value::RawValue;

type Members = IndexMap<String, Box<RawValue>>;

/// A message whose text is kept; members are cut out of it without being decoded.
#[derive(Clone, Debug)]
pub(crate) struct Msg {
    text: String,
    members: Members,
}

impl Msg {
    #[track_caller]
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self::try_parse(bytes).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn try_parse(bytes: &[u8]) -> Result<Self, String> {
        let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(400)]).into_owned();
        let text = std::str::from_utf8(bytes).map_err(|e| format!("{e} in {}", shown()))?;
        let members: Members =
            serde_json::from_str(text).map_err(|e| format!("{e} in {}", shown()))?;
        Ok(Self {
            text: text.to_owned(),
            members,
        })
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The id as it is written, quotes and all.
    pub(crate) fn id(&self) -> Option<&str> {
        self.members.get("id").map(|id| id.get())
    }

    /// The method, or nothing for a response.
    pub(crate) fn method(&self) -> &str {
        self.members
            .get("method")
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default()
    }

    pub(crate) fn is_request(&self) -> bool {
        self.members.contains_key("method") && self.members.contains_key("id")
    }

    pub(crate) fn is_response(&self) -> bool {
        self.members.contains_key("result") || self.members.contains_key("error")
    }

    /// The text of a member somewhere inside, `result/content/0/text`; `None` where there is none.
    /// A `/` within a key is written `~1`.
    pub(crate) fn raw(&self, path: &str) -> Option<String> {
        let mut steps = path.split('/').map(|step| step.replace("~1", "/"));
        let first = self.members.get(&steps.next()?)?.get();
        let mut here = first.to_owned();
        for step in steps {
            here = within(&here, &step)?;
        }
        Some(here)
    }

    /// The value of a member somewhere inside; `null` where there is none.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.raw(path).map_or(Value::Null, |raw| {
            serde_json::from_str(&raw).unwrap_or_else(|e| panic!("{e} in {raw}"))
        })
    }

    /// A string somewhere inside; empty where there is none.
    pub(crate) fn str(&self, path: &str) -> String {
        self.get(path).as_str().unwrap_or_default().to_owned()
    }

    /// The result; panics with the message if it is an error.
    #[track_caller]
    pub(crate) fn result(&self) -> Value {
        assert!(
            self.members.contains_key("result"),
            "no result in {}",
            self.text
        );
        self.get("result")
    }

    /// The error; panics with the message if it is a result.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        assert!(
            self.members.contains_key("error"),
            "no error in {}",
            self.text
        );
        self.get("error")
    }

    /// The code of the error; panics with the message if it is a result.
    #[track_caller]
    pub(crate) fn code(&self) -> i64 {
        self.error()["code"]
            .as_i64()
            .unwrap_or_else(|| panic!("no code in {}", self.text))
    }
}

fn within(text: &str, step: &str) -> Option<String> {
    if let Ok(elements) = serde_json::from_str::<Vec<Box<RawValue>>>(text) {
        return elements
            .get(step.parse::<usize>().ok()?)
            .map(|raw| raw.get().to_owned());
    }
    let members: Members = serde_json::from_str(text).ok()?;
    members.get(step).map(|raw| raw.get().to_owned())
}
