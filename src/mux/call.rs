//! What comes in.

use std::sync::Arc;

use crate::protocol::{CallParams, ClientProfile, LogWish, Method, ServerName};
use crate::upstream::Party;
use crate::wire::Json;

const ANONYMOUS: &str = "anonymous";

/// Who a call comes from. Parked calls can be resumed by their own caller only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller(Arc<str>);

impl Caller {
    /// A caller with this identity.
    pub fn new(identity: impl Into<Arc<str>>) -> Self {
        Self(identity.into())
    }

    /// Somebody who did not say who they are.
    pub fn anonymous() -> Self {
        Self::new(ANONYMOUS)
    }

    /// The identity.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The party that the caller is to servers; `None` if it could be anybody.
    pub(super) fn party(&self) -> Option<Party> {
        (&*self.0 != ANONYMOUS).then(|| Party::new(self.0.clone()))
    }
}

/// One request of a client, in the words that all rooms share.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is asked.
    pub method: Method,
    /// The params, verbatim.
    pub params: Option<Json>,
    /// What the mux read of them.
    pub read: Box<CallParams>,
    /// Who the client says it is, and what it can be asked.
    pub client: Arc<ClientProfile>,
    /// Whom the call belongs to.
    pub caller: Caller,
    /// Which log messages the client wants of this call.
    pub logs: LogWish,
    /// The only server that this call may go to, if it carries something of this server's. The mux sets it.
    pub expects: Option<ServerName>,
}

impl Call {
    /// A call with these params of a client that can be asked nothing, as the command line makes them.
    pub fn plain(method: Method, params: Json) -> Self {
        Self {
            method,
            read: CallParams::read(Some(&params)),
            params: Some(params),
            client: Arc::new(ClientProfile::silent(
                crate::protocol::ProtocolVersion::NEWEST_MODERN,
            )),
            caller: Caller::new("command line"),
            logs: LogWish::Nothing,
            expects: None,
        }
    }
}
