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
    /// The members of `params` and of its `_meta`: every check looks there.
    params: Members,
    meta: Members,
    owner: Owner,
}

/// What a message that a client gets belongs to; ids and tokens as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The request of this id: an answer, or a notification of its subscription.
    Request(String),
    /// The request of this progress token.
    Token(String),
    Nobody,
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
        let inner = |members: &Members, key: &str| -> Members {
            let raw = members.get(key).map_or("{}", |raw| raw.get());
            serde_json::from_str(raw).unwrap_or_default()
        };
        let params = inner(&members, "params");
        let meta = inner(&params, "_meta");
        let own = |members: &Members, key: &str| members.get(key).map(|raw| raw.get().to_owned());
        let token = own(&params, "progressToken").map(Owner::Token);
        let listen = own(&meta, "io.modelcontextprotocol/subscriptionId").map(Owner::Request);
        let owner = if members.contains_key("method") {
            token.or(listen).unwrap_or(Owner::Nobody)
        } else {
            own(&members, "id").map_or(Owner::Nobody, Owner::Request)
        };
        Ok(Self {
            owner,
            text: text.to_owned(),
            members,
            params,
            meta,
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

    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The text of a member somewhere inside, `result/content/0/text`; `None` where there is none.
    /// A `/` within a key is written `~1`.
    pub(crate) fn raw(&self, path: &str) -> Option<String> {
        let (first, rest) = match path {
            _ if path.starts_with("params/_meta/") => (&self.meta, &path["params/_meta/".len()..]),
            _ if path.starts_with("params/") => (&self.params, &path["params/".len()..]),
            _ => (&self.members, path),
        };
        let mut steps = rest.split('/').map(|step| step.replace("~1", "/"));
        let mut here = first.get(&steps.next()?)?.get().to_owned();
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
        self.result_text();
        self.get("result")
    }

    /// The text of the result; panics with the message if it is an error.
    #[track_caller]
    pub(crate) fn result_text(&self) -> &str {
        let result = self.members.get("result");
        result
            .unwrap_or_else(|| panic!("no result in {}", self.text))
            .get()
    }

    /// The texts of the elements of an array somewhere inside.
    #[track_caller]
    pub(crate) fn elements(&self, path: &str) -> Vec<String> {
        let raw = self
            .raw(path)
            .unwrap_or_else(|| panic!("no {path} in {}", self.text));
        let elements: Vec<Box<RawValue>> =
            serde_json::from_str(&raw).unwrap_or_else(|e| panic!("{e} in {raw}"));
        elements.iter().map(|raw| raw.get().to_owned()).collect()
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
