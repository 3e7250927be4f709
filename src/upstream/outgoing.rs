//! A request on its way to a server, before it is put into the words of an era.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::protocol::{ClientProfile, LogWish, Method};
use crate::wire::Json;

/// One client, as far as connections are concerned: calls of the same party may share what is the client's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Party(Arc<str>);

impl Party {
    /// The party with this identity.
    pub fn new(identity: impl Into<Arc<str>>) -> Self {
        Self(identity.into())
    }
}

/// One request for a server: what the client sent, and what the mux changes of it.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What is asked.
    pub method: Method,
    /// The client's params, verbatim.
    pub params: Option<Json>,
    /// Members of `params` to replace: the original name or URI for the public one.
    pub replace: SmallVec<[(&'static str, Json); 1]>,
    /// The original name, URI or task id, which HTTP repeats in `Mcp-Name`.
    pub name: Option<Arc<str>>,
    /// The arguments of a tool, of which HTTP may repeat some.
    pub arguments: Option<Json>,
    /// Who asks.
    pub client: Arc<ClientProfile>,
    /// Which client that is; `None`: it cannot be told from others.
    pub party: Option<Party>,
    /// The client's own progress token.
    pub progress_token: Option<Json>,
    /// Which log messages the client wants of this call.
    pub logs: LogWish,
}

impl Outgoing {
    /// Whether it makes a task or asks about one, on the client's own account.
    pub(super) fn is_about_task(&self) -> bool {
        match self.method {
            Method::Task(_) => true,
            Method::ToolsCall => self
                .params
                .as_ref()
                .is_some_and(|params| params.get("task").is_some()),
            _ => false,
        }
    }

    /// A request of the mux itself.
    pub fn own(method: Method, params: Option<Json>, client: Arc<ClientProfile>) -> Self {
        Self {
            method,
            params,
            replace: SmallVec::new(),
            name: None,
            arguments: None,
            client,
            party: None,
            progress_token: None,
            logs: LogWish::Nothing,
        }
    }
}
