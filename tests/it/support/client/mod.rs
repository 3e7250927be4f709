//! Raw clients of both eras, over stdio, streamable HTTP and what there is beside it.
//!
//! A client writes exactly the text it is told to and hands out exactly the text that came back.

mod ask;
mod connect;
mod exchange;
mod feed;
pub(crate) mod sse;
mod stdio;
pub(crate) mod websocket;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

pub(crate) use ask::Ask;
pub(crate) use connect::Connect;
pub(crate) use exchange::{Answer, Exchange};
pub(crate) use feed::Feed;
pub(crate) use stdio::Stdio;

use super::door::Door;
use super::{Era, Msg, Request, Response};

/// A client that has connected; a legacy one has done its handshake.
pub(crate) struct Client {
    pub(crate) era: Era,
    /// The revision that client and server agreed on.
    pub(crate) version: String,
    pub(super) capabilities: Value,
    pub(super) link: Link,
    pub(super) next_id: AtomicU64,
    /// The answer to `initialize`, of a legacy client.
    pub(crate) handshake: Option<Msg>,
}

/// What carries a client's messages.
pub(super) enum Link {
    Stdio(Arc<Stdio>),
    Http { addr: Door, session: Option<String> },
}

impl Client {
    pub(crate) fn era(&self) -> Era {
        self.era
    }

    /// A request that is yet to be described.
    pub(crate) fn ask(&self, method: &str) -> Ask<'_> {
        Ask::new(self, method)
    }

    /// Asks and waits for the answer.
    #[track_caller]
    pub(crate) fn request(&self, method: &str, params: &Value) -> Answer {
        self.ask(method).params(params).answer()
    }

    /// Calls a tool and waits for the answer.
    #[track_caller]
    pub(crate) fn call(&self, tool: &str, arguments: &Value) -> Answer {
        self.start_call(tool, arguments).answer()
    }

    /// Calls a tool and leaves the answer for later.
    #[track_caller]
    pub(crate) fn start_call(&self, tool: &str, arguments: &Value) -> Exchange<'_> {
        self.ask_call(tool)
            .member("arguments", &arguments.to_string())
            .send()
    }

    /// A call of a tool without arguments.
    pub(crate) fn ask_call(&self, tool: &str) -> Ask<'_> {
        self.ask("tools/call")
            .member("name", &Value::from(tool).to_string())
    }

    /// Every entry of a list as JSON text, page by page: `tools`, `resources`,
    /// `resourceTemplates`, `prompts`.
    #[track_caller]
    pub(crate) fn list_raw(&self, list: &str) -> Vec<String> {
        let mut entries = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut ask = self.ask(list_method(list));
            if let Some(cursor) = &cursor {
                ask = ask.member("cursor", cursor);
            }
            let answer = ask.answer();
            answer.result_text();
            entries.extend(answer.elements(&format!("result/{list}")));
            cursor = answer.raw("result/nextCursor");
            if cursor.is_none() {
                return entries;
            }
        }
    }

    /// Every entry of a list.
    #[track_caller]
    pub(crate) fn list(&self, list: &str) -> Vec<Value> {
        let entries = self.list_raw(list);
        let parse = |text: &String| serde_json::from_str(text).expect("an ordinary entry");
        entries.iter().map(parse).collect()
    }

    /// The names, or URIs, of a list in its order.
    #[track_caller]
    pub(crate) fn names(&self, list: &str) -> Vec<String> {
        let key = match list {
            "resources" => "uri",
            "resourceTemplates" => "uriTemplate",
            _ => "name",
        };
        let name = |entry: &Value| entry[key].as_str().expect("a name").to_owned();
        self.list(list).iter().map(name).collect()
    }

    /// How many entries all lists have together.
    pub(crate) fn total(&self) -> usize {
        let lists = ["tools", "resources", "resourceTemplates", "prompts"];
        lists.iter().map(|list| self.list_raw(list).len()).sum()
    }

    #[track_caller]
    pub(crate) fn notify(&self, method: &str, params: &Value) {
        let message = serde_json::json!({"jsonrpc": "2.0", "method": method, "params": params});
        self.post(&message.to_string());
    }

    /// Refuses a request of the server's with this error object.
    #[track_caller]
    pub(crate) fn refuse(&self, to: &Msg, error: &str) {
        let id = to.id().expect("a request");
        self.post(&format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#));
    }

    /// Answers a request of the server's.
    #[track_caller]
    pub(crate) fn respond(&self, to: &Msg, result: &str) {
        let id = to.id().expect("a request");
        self.post(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#
        ));
    }

    /// Sends a message that wants no answer.
    #[track_caller]
    pub(crate) fn post(&self, text: &str) {
        match &self.link {
            Link::Stdio(stdio) => stdio.write(text.as_bytes()),
            Link::Http { addr, .. } => {
                let answer = self.dressed(Request::post(text)).send(*addr);
                assert_eq!(answer.status(), 202, "for {text}");
            }
        }
    }

    /// Notifications that belong to no request: the link, the GET stream, or a listen.
    #[track_caller]
    pub(crate) fn feed(&self) -> Feed<'_> {
        Feed::open(self)
    }

    /// The GET stream of a legacy session.
    #[track_caller]
    pub(crate) fn get_stream(&self) -> Response {
        self.dressed(Request::get()).send(self.addr())
    }

    /// Ends a legacy session over HTTP.
    #[track_caller]
    pub(crate) fn delete(&self) -> Response {
        self.dressed(Request::delete()).send(self.addr())
    }

    pub(crate) fn addr(&self) -> Door {
        match &self.link {
            Link::Http { addr, .. } => *addr,
            Link::Stdio(_) => panic!("stdio has no address"),
        }
    }

    pub(crate) fn is_http(&self) -> bool {
        matches!(self.link, Link::Http { .. })
    }

    pub(crate) fn session(&self) -> Option<&str> {
        match &self.link {
            Link::Http { session, .. } => session.as_deref(),
            Link::Stdio(_) => None,
        }
    }

    pub(crate) fn stdio(&self) -> &Stdio {
        match &self.link {
            Link::Stdio(stdio) => stdio,
            Link::Http { .. } => panic!("HTTP has no stdio"),
        }
    }

    pub(super) fn fresh_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds the headers that every request of this client has.
    pub(crate) fn dressed(&self, mut request: Request) -> Request {
        if let Some(session) = self.session() {
            request = request.header("Mcp-Session-Id", session);
        }
        request.header("MCP-Protocol-Version", &self.version)
    }
}

fn list_method(list: &str) -> &'static str {
    match list {
        "tools" => "tools/list",
        "resources" => "resources/list",
        "resourceTemplates" => "resources/templates/list",
        "prompts" => "prompts/list",
        other => panic!("no list of {other}"),
    }
}
