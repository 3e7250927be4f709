//! Who asks, and what they can be asked in turn.

use super::{Identity, Meta, ProtocolVersion, TASKS};
use crate::wire::{Json, Splice};

/// A question that a server may put to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputKind {
    /// `elicitation/create`
    Elicitation,
    /// `sampling/createMessage`
    Sampling,
    /// `roots/list`
    Roots,
}

impl InputKind {
    /// The kind of question that this request method asks.
    pub fn of_method(method: &str) -> Option<Self> {
        match method {
            "elicitation/create" => Some(Self::Elicitation),
            "sampling/createMessage" => Some(Self::Sampling),
            "roots/list" => Some(Self::Roots),
            _ => None,
        }
    }

    /// The capability that a client declares to be asked this.
    pub fn capability(self) -> &'static str {
        match self {
            Self::Elicitation => "elicitation",
            Self::Sampling => "sampling",
            Self::Roots => "roots",
        }
    }
}

/// What a client said of itself, in the handshake or on the request.
#[derive(Clone, Debug)]
pub struct ClientProfile {
    /// The revision that the client speaks.
    pub version: ProtocolVersion,
    /// Its `Implementation`, verbatim.
    pub info: Option<Json>,
    /// Its capabilities, verbatim; an object.
    pub capabilities: Json,
}

impl ClientProfile {
    /// A client that says nothing of itself and can be asked nothing.
    pub fn silent(version: ProtocolVersion) -> Self {
        Self {
            version,
            info: None,
            capabilities: Json::from_static("{}"),
        }
    }

    /// The mux itself: whatever a server asks, some client behind the mux may be able to answer.
    pub fn mux() -> Self {
        Self {
            version: ProtocolVersion::NEWEST_MODERN,
            info: Some(Identity::implementation()),
            capabilities: Identity::client_capabilities(),
        }
        .declaring(TASKS)
    }

    /// The profile that `_meta` of a modern request carries.
    pub fn from_meta(version: ProtocolVersion, meta: &Meta) -> Self {
        Self {
            version,
            info: meta.client_info.clone(),
            capabilities: meta
                .client_capabilities
                .clone()
                .unwrap_or_else(|| Json::from_static("{}")),
        }
    }

    /// Whether the client declared this extension.
    pub fn declares(&self, extension: &str) -> bool {
        let extensions = self.capabilities.get("extensions");
        extensions.is_some_and(|all| all.get(extension).is_some())
    }

    /// The same client, as one that declares this extension too.
    #[must_use]
    pub fn declaring(&self, extension: &str) -> Self {
        let empty = Json::from_static("{}");
        let old = self.capabilities.get("extensions");
        let with = |object: &Json, key: &str, value: &Json| match Splice::new(object) {
            Some(mut splice) => splice.set(key, value.clone()).finish(),
            None => Json::object([(key, value)]),
        };
        let extensions = with(old.as_ref().unwrap_or(&empty), extension, &empty);
        Self {
            capabilities: with(&self.capabilities, "extensions", &extensions),
            ..self.clone()
        }
    }

    /// Whether the client declared that it can be asked this.
    pub fn can_answer(&self, kind: InputKind) -> bool {
        self.capabilities.get(kind.capability()).is_some()
    }
}
