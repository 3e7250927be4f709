//! What comes in.

use std::sync::Arc;

use crate::protocol::{CallParams, ClientProfile, LogWish, Method};
use crate::wire::Json;

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
        Self::new("anonymous")
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
    pub read: CallParams,
    /// Who the client says it is, and what it can be asked.
    pub client: Arc<ClientProfile>,
    /// Whom the call belongs to.
    pub caller: Caller,
    /// Which log messages the client wants of this call.
    pub logs: LogWish,
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
        }
    }
}
