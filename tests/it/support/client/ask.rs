//! One request in the making.

use serde_json::{Value, json};

use super::exchange::{Answer, Exchange};
use super::{Client, Link};
use crate::support::{Era, Msg, Request};

/// A request whose members are JSON text; what is not said is not sent.
#[must_use]
pub(crate) struct Ask<'c> {
    client: &'c Client,
    method: String,
    id: String,
    params: Vec<(String, String)>,
    meta: Vec<(String, String)>,
    headers: Vec<(String, Option<String>)>,
}

impl<'c> Ask<'c> {
    pub(super) fn new(client: &'c Client, method: &str) -> Self {
        let mut meta = Vec::new();
        if client.era == Era::Modern {
            let mut add = |key: &str, value: Value| {
                meta.push((format!("io.modelcontextprotocol/{key}"), value.to_string()));
            };
            add("protocolVersion", json!(client.version));
            add("clientInfo", json!({"name": "raw", "version": "1"}));
            add("clientCapabilities", client.capabilities.clone());
        }
        let (method, id) = (method.to_owned(), client.fresh_id().to_string());
        Self {
            client,
            method,
            id,
            params: Vec::new(),
            meta,
            headers: Vec::new(),
        }
    }

    /// The id as JSON text.
    pub(crate) fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// One member of `params` as JSON text.
    pub(crate) fn member(mut self, key: &str, text: &str) -> Self {
        self.params.push((key.to_owned(), text.to_owned()));
        self
    }

    /// Several members of `params`; a `_meta` among them is merged with ours.
    pub(crate) fn params(mut self, params: &Value) -> Self {
        for (key, value) in params.as_object().into_iter().flatten() {
            if key == "_meta" {
                for (key, value) in value.as_object().into_iter().flatten() {
                    self = self.meta(key, &value.to_string());
                }
            } else {
                self = self.member(key, &value.to_string());
            }
        }
        self
    }

    /// One member of `_meta` as JSON text, in place of ours of that name.
    pub(crate) fn meta(mut self, key: &str, text: &str) -> Self {
        self = self.without_meta(key);
        self.meta.push((key.to_owned(), text.to_owned()));
        self
    }

    pub(crate) fn without_meta(mut self, key: &str) -> Self {
        self.meta.retain(|(other, _)| other != key);
        self
    }

    /// The progress token as JSON text.
    pub(crate) fn token(self, token: &str) -> Self {
        self.meta("progressToken", token)
    }

    /// An HTTP header in place of the usual one.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.headers.push((name.to_owned(), None));
        self
    }

    /// The message as it will be sent.
    pub(crate) fn text(&self) -> String {
        let mut params = self.params.clone();
        if !self.meta.is_empty() {
            params.push(("_meta".to_owned(), object(&self.meta)));
        }
        let params = if params.is_empty() {
            String::new()
        } else {
            format!(",\"params\":{}", object(&params))
        };
        let method = Value::from(self.method.as_str());
        format!(
            r#"{{"jsonrpc":"2.0","id":{},"method":{method}{params}}}"#,
            self.id
        )
    }

    /// Sends the request and waits for its answer.
    #[track_caller]
    pub(crate) fn answer(self) -> Answer {
        self.send().answer()
    }

    /// Sends the request.
    #[track_caller]
    pub(crate) fn send(self) -> Exchange<'c> {
        let text = self.text();
        let token = self.meta.iter().find(|(key, _)| key == "progressToken");
        let token = token.map(|(_, value)| value.clone());
        match &self.client.link {
            Link::Stdio(stdio) => {
                stdio.write(text.as_bytes());
                Exchange::stdio(self.client, self.id, token)
            }
            Link::Http { addr, .. } => {
                let stream = self
                    .http(&text)
                    .post_off(*addr)
                    .expect("the mux takes a request");
                Exchange::http(self.client, self.id, stream)
            }
        }
    }

    /// The HTTP request that carries this one.
    pub(crate) fn http(&self, text: &str) -> Request {
        let mut request = self.client.dressed(Request::post(text));
        if self.client.era == Era::Modern {
            request = request.header("Mcp-Method", &self.method);
            if let Some(name) = self.name(text) {
                request = request.header("Mcp-Name", &header_text(&name));
            }
        }
        for (name, value) in &self.headers {
            request = match value {
                Some(value) => request.header(name, value),
                None => request.without(name),
            };
        }
        request
    }

    fn name(&self, text: &str) -> Option<String> {
        let key = match self.method.as_str() {
            "tools/call" | "prompts/get" => "params/name",
            "resources/read" => "params/uri",
            method if method.starts_with("tasks/") => "params/taskId",
            _ => return None,
        };
        Msg::parse(text.as_bytes())
            .get(key)
            .as_str()
            .map(str::to_owned)
    }
}

fn object(members: &[(String, String)]) -> String {
    let member = |(key, value): &(String, String)| format!("{}:{value}", json!(key));
    format!(
        "{{{}}}",
        members.iter().map(member).collect::<Vec<_>>().join(",")
    )
}

/// A text as a header may carry it: what does not fit goes as base64 (2026-07-28, SEP-2243).
fn header_text(text: &str) -> String {
    let fits = text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text;
    if fits {
        text.to_owned()
    } else {
        format!("=?base64?{}?=", base64(text.as_bytes()))
    }
}

fn base64(bytes: &[u8]) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            let padding = digit > chunk.len();
            text.push(if padding {
                '='
            } else {
                digits[value as usize].into()
            });
        }
    }
    text
}
