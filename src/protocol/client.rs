//! Who asks, and what they can be asked in turn.

use std::sync::OnceLock;

use super::{Era, Identity, Meta, ProtocolVersion, TASKS, keys};
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

    /// The part of the capability that a question with these params needs, where it has parts.
    fn needs(self, params: Option<&Json>) -> Option<&'static str> {
        let member = |key| params.and_then(|params| params.get(key));
        match self {
            Self::Elicitation => {
                let mode = member("mode");
                match mode.as_ref().and_then(Json::text).as_deref() {
                    Some("url") => Some("url"),
                    _ => Some("form"),
                }
            }
            Self::Sampling if member("tools").is_some() || member("toolChoice").is_some() => {
                Some("tools")
            }
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

/// What structured results may be (SEP-2106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structured {
    /// Objects only.
    Objects,
    /// Any JSON value.
    Anything,
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
    introduction: Introduction,
}

/// What [`ClientProfile::introduction`] says. A copy of a client may be about to change, so it starts without.
#[derive(Debug, Default)]
struct Introduction(OnceLock<Json>);

impl Clone for Introduction {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl ClientProfile {
    /// A client that speaks this revision, with its `Implementation` and its capabilities, an object.
    pub fn new(version: ProtocolVersion, info: Option<Json>, capabilities: Json) -> Self {
        Self {
            version,
            info,
            capabilities,
            introduction: Introduction::default(),
        }
    }

    /// A client that says nothing of itself and can be asked nothing.
    pub fn silent(version: ProtocolVersion) -> Self {
        Self::new(version, None, Json::from_static("{}"))
    }

    /// The mux itself: whatever a server asks, some client behind the mux may be able to answer.
    pub fn mux() -> Self {
        let capabilities = Identity::client_capabilities();
        let info = Some(Identity::implementation());
        Self::new(ProtocolVersion::NEWEST_MODERN, info, capabilities).declaring(TASKS)
    }

    /// The profile that `_meta` of a modern request carries.
    pub fn from_meta(version: ProtocolVersion, meta: &Meta) -> Self {
        let capabilities = meta.client_capabilities.clone();
        let capabilities = capabilities.unwrap_or_else(|| Json::from_static("{}"));
        Self::new(version, meta.client_info.clone(), capabilities)
    }

    /// What `_meta` of a modern request says of who makes it (2026-07-28, "General fields"), in the mux's own revision.
    pub fn introducing(&self) -> [(&'static str, Json); 3] {
        let version = Json::string(ProtocolVersion::NEWEST_MODERN.as_str());
        let info = self.info.clone();
        [
            (keys::PROTOCOL_VERSION, version),
            (
                keys::CLIENT_INFO,
                info.unwrap_or_else(Identity::implementation),
            ),
            (keys::CLIENT_CAPABILITIES, self.capabilities.clone()),
        ]
    }

    /// The `_meta` that says this and nothing else: most requests have it, so it is put together once.
    pub fn introduction(&self) -> &Json {
        self.introduction.0.get_or_init(|| {
            let members = self.introducing();
            Json::object(members.iter().map(|(key, value)| (*key, value)))
        })
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
            Some(mut splice) => splice.set(key.to_owned(), value.clone()).finish(),
            None => Json::object([(key, value)]),
        };
        let extensions = with(old.as_ref().unwrap_or(&empty), extension, &empty);
        Self {
            capabilities: with(&self.capabilities, "extensions", &extensions),
            ..self.clone()
        }
    }

    /// What sort of structured results the client takes, and of schemas for them.
    pub fn takes(&self) -> Structured {
        match self.version.era() {
            Era::Legacy => Structured::Objects,
            Era::Modern => Structured::Anything,
        }
    }

    /// The capability that this question needs and the client did not declare, as the object that would
    /// declare it; `None`: the client can be asked. A server must not ask what was not declared
    /// (2026-07-28, "Elicitation" and "Sampling").
    pub fn lacks(&self, kind: InputKind, params: Option<&Json>) -> Option<Json> {
        let needed = kind.needs(params);
        let declared = self.capabilities.get(kind.capability());
        let has = declared.as_ref().is_some_and(|declared| match needed {
            None => true,
            // A client that names no mode takes forms, as all did before there was another one.
            Some("form") => declared.get("form").is_some() || declared.get("url").is_none(),
            Some(part) => declared.get(part).is_some(),
        });
        if has {
            return None;
        }
        let nothing = Json::from_static("{}");
        let inner = match needed {
            Some(part) => Json::object([(part, &nothing)]),
            None => nothing,
        };
        Some(Json::object([(kind.capability(), &inner)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacks(capabilities: &str, method: &str, params: &str) -> Option<String> {
        let client = ClientProfile {
            capabilities: Json::parse(capabilities.to_owned()).unwrap(),
            ..ClientProfile::silent(ProtocolVersion::NEWEST_MODERN)
        };
        let params = Json::parse(params.to_owned()).unwrap();
        let kind = InputKind::of_method(method).unwrap();
        client
            .lacks(kind, Some(&params))
            .map(|json| json.to_string())
    }

    #[test]
    fn a_question_needs_the_capability_and_its_part() {
        let form = r#"{"mode":"form"}"#;
        let url = r#"{"mode":"url"}"#;
        let elicit = |capabilities, params| lacks(capabilities, "elicitation/create", params);
        assert_eq!(elicit(r#"{"elicitation":{}}"#, form), None);
        assert_eq!(elicit(r#"{"elicitation":{}}"#, "{}"), None);
        assert_eq!(elicit(r#"{"elicitation":{"form":{},"url":{}}}"#, url), None);
        let missing = |text: &str| Some(text.to_owned());
        assert_eq!(
            elicit(r#"{"elicitation":{}}"#, url),
            missing(r#"{"elicitation":{"url":{}}}"#)
        );
        assert_eq!(
            elicit(r#"{"elicitation":{"url":{}}}"#, form),
            missing(r#"{"elicitation":{"form":{}}}"#)
        );
        let sample = |capabilities, params| lacks(capabilities, "sampling/createMessage", params);
        assert_eq!(sample(r#"{"sampling":{}}"#, "{}"), None);
        assert_eq!(sample("{}", "{}"), missing(r#"{"sampling":{}}"#));
        assert_eq!(
            sample(r#"{"sampling":{}}"#, r#"{"tools":[]}"#),
            missing(r#"{"sampling":{"tools":{}}}"#)
        );
        assert_eq!(lacks(r#"{"roots":{}}"#, "roots/list", "{}"), None);
    }
}
