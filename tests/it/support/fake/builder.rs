//! How a test describes a fake.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use super::call::Call;
use super::offer::{Item, Offer};
use super::reply::Reply;
use super::server::FakeServer;
use crate::support::head::Head;
use crate::support::{Era, LEGACY, Pipe};

pub(super) type Handler = Arc<dyn Fn(&Call) -> Reply + Send + Sync>;
/// Answers an HTTP request with bytes of its own, or leaves it to the fake.
pub(super) type HttpHook = Arc<dyn Fn(&Head) -> Option<String> + Send + Sync>;

/// What a legacy server does with the `server/discover` that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// An error object with this code, over HTTP with status 200.
    Code(i64),
    /// Over HTTP: this status, with a text that is not JSON-RPC.
    Status(u16),
    /// Nothing at all.
    Silence,
}

/// How a fake starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Well,
    /// Takes everything and answers nothing.
    Hanging,
    /// Ends the first connections, or processes, at once.
    Refusing(usize),
}

/// A description of a server; [`Fake::over`] brings it to life.
#[derive(Clone)]
#[must_use]
pub(crate) struct Fake {
    pub(super) eras: Vec<Era>,
    pub(super) version: String,
    pub(super) offer: Offer,
    pub(super) handlers: HashMap<String, Handler>,
    pub(super) script: HashMap<String, VecDeque<Handler>>,
    pub(super) page: usize,
    pub(super) capabilities: Option<Value>,
    pub(super) probe: Probe,
    pub(super) start: Start,
    pub(super) child: Vec<String>,
    pub(super) keeps_running: bool,
    pub(super) style: Style,
    pub(super) hook: Option<HttpHook>,
}

/// How a fake uses the freedoms of streamable HTTP.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) sessions: bool,
    pub(super) always_streams: bool,
    pub(super) get_stream: bool,
    pub(super) posts: Posts,
}

/// When a POST of HTTP+SSE is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Posts {
    AreTaken,
    /// Only when what it asks is done.
    AreHeld,
}

impl Fake {
    pub(super) fn of(eras: &[Era]) -> Self {
        Self {
            eras: eras.to_vec(),
            version: LEGACY.to_owned(),
            offer: Offer::default(),
            handlers: HashMap::new(),
            script: HashMap::new(),
            page: usize::MAX,
            capabilities: None,
            probe: Probe::Code(-32601),
            start: Start::Well,
            child: Vec::new(),
            keeps_running: false,
            style: Style {
                sessions: true,
                always_streams: false,
                get_stream: true,
                posts: Posts::AreTaken,
            },
            hook: None,
        }
    }

    /// Offers a tool that says back what it was given: its name, a space, the arguments as written.
    pub(crate) fn tool(mut self, name: &str) -> Self {
        self.offer.tools.push(Item::tool(name));
        self
    }

    pub(crate) fn tools(self, names: &[&str]) -> Self {
        names.iter().fold(self, |fake, name| fake.tool(name))
    }

    pub(crate) fn tool_answering(
        self,
        name: &str,
        handler: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        self.tool(name).on(&format!("tools/call {name}"), handler)
    }

    /// A tool with this definition, byte for byte.
    pub(crate) fn tool_defined(mut self, definition: &str) -> Self {
        self.offer.tools.push(Item::defined(definition, "name"));
        self
    }

    /// A resource whose text is `content of URI`.
    pub(crate) fn resource(mut self, uri: &str) -> Self {
        self.offer.resources.push(Item::resource(uri));
        self
    }

    pub(crate) fn resource_defined(mut self, definition: &str) -> Self {
        self.offer.resources.push(Item::defined(definition, "uri"));
        self
    }

    pub(crate) fn template(mut self, uri: &str) -> Self {
        self.offer.templates.push(Item::template(uri));
        self
    }

    pub(crate) fn template_defined(mut self, definition: &str) -> Self {
        self.offer
            .templates
            .push(Item::defined(definition, "uriTemplate"));
        self
    }

    pub(crate) fn prompt(mut self, name: &str) -> Self {
        self.offer.prompts.push(Item::prompt(name));
        self
    }

    pub(crate) fn prompt_defined(mut self, definition: &str) -> Self {
        self.offer.prompts.push(Item::defined(definition, "name"));
        self
    }

    /// Answers a method, or `method name` for one tool, prompt or URI, in place of the default.
    pub(crate) fn on(
        mut self,
        key: &str,
        handler: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        self.handlers.insert(key.to_owned(), Arc::new(handler));
        self
    }

    /// One step of a script: answers once, before what [`Fake::on`] says, and must be used up.
    pub(crate) fn once(
        mut self,
        key: &str,
        handler: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        self.script
            .entry(key.to_owned())
            .or_default()
            .push_back(Arc::new(handler));
        self
    }

    /// Lists come in pages of so many entries; the second page has the empty string as its cursor.
    pub(crate) fn pages_of(self, page: usize) -> Self {
        Self { page, ..self }
    }

    /// The revision that a legacy server agrees to.
    pub(crate) fn speaking(self, version: &str) -> Self {
        Self {
            version: version.to_owned(),
            ..self
        }
    }

    /// The capabilities, in place of those that go with what is offered.
    pub(crate) fn capable_of(self, capabilities: Value) -> Self {
        Self {
            capabilities: Some(capabilities),
            ..self
        }
    }

    pub(crate) fn probed(self, probe: Probe) -> Self {
        Self { probe, ..self }
    }

    /// Takes every connection and never says a word.
    pub(crate) fn hanging(self) -> Self {
        Self {
            start: Start::Hanging,
            ..self
        }
    }

    /// Ends the first connections, or processes, as soon as they come.
    pub(crate) fn refusing(self, times: usize) -> Self {
        Self {
            start: Start::Refusing(times),
            ..self
        }
    }

    /// Options of `pipe_child`.
    pub(crate) fn child(mut self, options: &[&str]) -> Self {
        self.child
            .extend(options.iter().map(|option| (*option).to_owned()));
        self
    }

    /// The process stays when its stdin ends.
    pub(crate) fn keeps_running(self) -> Self {
        Self {
            keeps_running: true,
            ..self
        }
    }

    /// HTTP without `Mcp-Session-Id`.
    pub(crate) fn sessionless(mut self) -> Self {
        self.style.sessions = false;
        self
    }

    /// HTTP that answers every request with an event stream.
    pub(crate) fn always_streaming(mut self) -> Self {
        self.style.always_streams = true;
        self
    }

    /// HTTP whose GET is 405.
    pub(crate) fn without_get(mut self) -> Self {
        self.style.get_stream = false;
        self
    }

    /// HTTP+SSE that answers a POST only when what it asks is done.
    pub(crate) fn holding_posts(mut self) -> Self {
        self.style.posts = Posts::AreHeld;
        self
    }

    /// Answers HTTP requests with whole responses, byte for byte, where the hook gives one.
    pub(crate) fn http_answering(
        self,
        hook: impl Fn(&Head) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            hook: Some(Arc::new(hook)),
            ..self
        }
    }

    pub(crate) fn stdio(self) -> FakeServer {
        FakeServer::start(self, Pipe::Stdio)
    }

    pub(crate) fn http(self) -> FakeServer {
        FakeServer::start(self, Pipe::Http)
    }

    pub(crate) fn websocket(self) -> FakeServer {
        FakeServer::start(self, Pipe::WebSocket)
    }

    pub(crate) fn sse(self) -> FakeServer {
        FakeServer::start(self, Pipe::Sse)
    }

    pub(crate) fn over(self, pipe: Pipe) -> FakeServer {
        FakeServer::start(self, pipe)
    }
}
