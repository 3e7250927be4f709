//! A request on its way to a server, before it is put into the words of an era.

use std::sync::Arc;

use crate::protocol::{ClientProfile, LogWish, Method};
use crate::wire::Json;

/// One request for a server: what the client sent, and what the mux changes of it.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What is asked.
    pub method: Method,
    /// The client's params, verbatim.
    pub params: Option<Json>,
    /// Members of `params` to replace: the original name or URI for the public one.
    pub replace: Vec<(&'static str, Json)>,
    /// The original name, URI or task id, which HTTP repeats in `Mcp-Name`.
    pub name: Option<String>,
    /// The arguments of a tool, of which HTTP may repeat some.
    pub arguments: Option<Json>,
    /// Who asks.
    pub client: Arc<ClientProfile>,
    /// The client's own progress token.
    pub progress_token: Option<Json>,
    /// Which log messages the client wants of this call.
    pub logs: LogWish,
}

impl Outgoing {
    /// A request of the mux itself.
    pub fn own(method: Method, params: Option<Json>, client: Arc<ClientProfile>) -> Self {
        Self {
            method,
            params,
            replace: Vec::new(),
            name: None,
            arguments: None,
            client,
            progress_token: None,
            logs: LogWish::Nothing,
        }
    }
}
