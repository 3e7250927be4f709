//! What the mux says of itself, and what it reads of what servers say of themselves.
//!
//! The only file that knows `rmcp::model`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rmcp::model::{Implementation, ServerCapabilities};
use serde::Serialize;

use super::{Kind, ProtocolVersion, TASKS, keys};
use crate::wire::{Json, Splice};

/// Extensions whose requests the mux can route to the server that they belong to.
const EXTENSIONS: [&str; 3] = [TASKS, SKILLS, "io.modelcontextprotocol/ui"];
/// The extension under which servers have skills (SEP-2640).
pub const SKILLS: &str = "io.modelcontextprotocol/skills";

/// What a server said it offers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerFeatures {
    /// Which kinds of entries it has; templates come with resources.
    pub kinds: Vec<Kind>,
    /// Whether it completes arguments.
    pub completions: bool,
    /// Whether it sends log messages.
    pub logging: bool,
    /// Whether resources can be subscribed to.
    pub subscribe: bool,
    /// Which of its lists announce changes.
    pub list_changed: Vec<Kind>,
    /// What it says of tasks, verbatim (2025-11-25).
    pub tasks: Option<Json>,
    /// The extensions that it declares, with their settings.
    pub extensions: BTreeMap<String, Json>,
    /// The result in which it said so, verbatim.
    pub said: Option<Json>,
    /// Its instructions for the model, if any.
    pub instructions: Option<String>,
}

impl ServerFeatures {
    /// Reads an `initialize` or `server/discover` result.
    pub fn read(result: &Json) -> Self {
        let mut features = Self {
            instructions: result
                .get("instructions")
                .and_then(|text| text.text().map(Cow::into_owned)),
            said: Some(result.detached()),
            ..Self::default()
        };
        let capabilities = result.get("capabilities");
        let members = capabilities
            .as_ref()
            .and_then(Json::members)
            .unwrap_or_default();
        let is_true = |settings: &Json, key: &str| {
            settings
                .get(key)
                .is_some_and(|flag| flag.as_bytes() == b"true")
        };
        for (name, settings) in members {
            let kinds: &[Kind] = match name.as_ref() {
                "tools" => &[Kind::Tool],
                "resources" => {
                    features.subscribe = is_true(&settings, "subscribe");
                    &[Kind::Resource, Kind::Template]
                }
                "prompts" => &[Kind::Prompt],
                "completions" => {
                    features.completions = true;
                    continue;
                }
                "logging" => {
                    features.logging = true;
                    continue;
                }
                "tasks" => {
                    features.tasks = Some(settings.detached());
                    continue;
                }
                "extensions" => {
                    for (id, settings) in settings.members().unwrap_or_default() {
                        features
                            .extensions
                            .insert(id.into_owned(), settings.detached());
                    }
                    continue;
                }
                _ => continue,
            };
            features.kinds.extend_from_slice(kinds);
            if is_true(&settings, "listChanged") {
                features.list_changed.extend_from_slice(kinds);
            }
        }
        features
    }

    /// Whether it lists tasks (2025-11-25, "Tasks").
    pub fn lists_tasks(&self) -> bool {
        let tasks = self.tasks.as_ref();
        tasks.is_some_and(|tasks| tasks.get("list").is_some())
    }

    /// Whether its tools can be called as tasks (2025-11-25, "Tasks").
    pub fn has_tool_tasks(&self) -> bool {
        let requests = self.tasks.as_ref().and_then(|tasks| tasks.get("requests"));
        let tools = requests.and_then(|requests| requests.get("tools"));
        tools.is_some_and(|tools| tools.get("call").is_some())
    }
}

/// The settings of an extension that two servers have: what either says, the first where both do.
fn both(first: &Json, second: &Json) -> Json {
    let Some(mut splice) = Splice::new(first) else {
        return first.clone();
    };
    for (key, value) in second.members().unwrap_or_default() {
        if first.get(&key).is_none() {
            splice.set(key.into_owned(), value);
        }
    }
    splice.finish()
}

/// What the mux is, and what it offers on behalf of the servers behind it.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Extensions that some server offers and the mux can pass.
    pub extensions: BTreeMap<String, Json>,
    /// What some server offers of tasks (2025-11-25).
    tasks: BTreeMap<&'static str, Json>,
    /// The servers' instructions, put together.
    pub instructions: Option<String>,
}

impl Identity {
    /// Merges what the servers said of themselves, in the order given. Capabilities are the mux's own
    /// and no intersection, so that one old server downgrades nobody.
    pub fn merge<'a>(servers: impl Iterator<Item = (&'a str, &'a ServerFeatures)>) -> Self {
        let mut identity = Self::default();
        let mut texts = Vec::new();
        for (name, features) in servers {
            for (id, settings) in &features.extensions {
                if EXTENSIONS.contains(&id.as_str()) {
                    let merged = match identity.extensions.get(id) {
                        Some(before) => both(before, settings),
                        None => settings.clone(),
                    };
                    identity.extensions.insert(id.clone(), merged);
                }
            }
            if features.has_tool_tasks() {
                let requests = Json::from_static(r#"{"tools":{"call":{}}}"#);
                identity.tasks.insert("requests", requests);
                for key in ["list", "cancel"] {
                    if features
                        .tasks
                        .as_ref()
                        .is_some_and(|tasks| tasks.get(key).is_some())
                    {
                        identity.tasks.insert(key, Json::from_static("{}"));
                    }
                }
            }
            if let Some(text) = &features.instructions {
                texts.push(format!("## {name}\n\n{text}"));
            }
        }
        identity.instructions = (!texts.is_empty()).then(|| texts.join("\n\n"));
        identity
    }

    /// The mux's `Implementation`.
    pub fn implementation() -> Json {
        let mut me = Implementation::new("mcpmux", env!("CARGO_PKG_VERSION"));
        me.title = Some("mcpmux".to_owned());
        Json::encode(&me)
    }

    /// The capabilities that the mux declares when it is a client: whatever a server asks, some client
    /// behind the mux may be able to answer.
    pub fn client_capabilities() -> Json {
        Json::from_static(
            r#"{"roots":{"listChanged":true},"sampling":{"tools":{},"context":{}},"elicitation":{"form":{},"url":{}},"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}"#,
        )
    }

    /// The capabilities that the mux declares to clients.
    fn capabilities(&self) -> Json {
        let mut capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_resources()
            .enable_resources_list_changed()
            .enable_resources_subscribe()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_completions()
            .build();
        capabilities.logging = Some(serde_json::Map::new());
        if !self.extensions.is_empty() {
            capabilities.extensions = Some(
                self.extensions
                    .iter()
                    .map(|(id, settings)| (id.clone(), settings.decode().unwrap_or_default()))
                    .collect(),
            );
        }
        Json::encode(&capabilities)
    }

    /// The capabilities that the mux declares to clients with a handshake: they have tasks in another form.
    fn legacy_capabilities(&self, version: ProtocolVersion) -> Json {
        let all = self.capabilities();
        let Some(mut splice) = Splice::new(&all) else {
            return all;
        };
        let extensions = all.get("extensions");
        if let Some(mut extensions) = extensions.as_ref().and_then(Splice::new) {
            let rest = extensions.remove(TASKS).finish();
            if rest.is_empty_object() {
                splice.remove("extensions");
            } else {
                splice.set("extensions", rest);
            }
        }
        if version == ProtocolVersion::NEWEST_LEGACY && !self.tasks.is_empty() {
            splice.set("tasks", Json::encode(&self.tasks));
        }
        splice.finish()
    }

    /// The result of `initialize` in this revision (2025-11-25, "Initialization").
    pub fn initialize_result(&self, version: ProtocolVersion) -> Json {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            protocol_version: &'static str,
            capabilities: Json,
            server_info: Json,
            #[serde(skip_serializing_if = "Option::is_none")]
            instructions: Option<&'a str>,
        }
        Json::encode(&Body {
            protocol_version: version.as_str(),
            capabilities: self.legacy_capabilities(version),
            server_info: Self::implementation(),
            instructions: self.instructions.as_deref(),
        })
    }

    /// The result of `server/discover`, fresh for `ttl_ms` milliseconds (2026-07-28, "Discovery").
    pub fn discover_result(&self, ttl_ms: u64) -> Json {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            result_type: &'static str,
            supported_versions: Vec<&'static str>,
            capabilities: Json,
            #[serde(skip_serializing_if = "Option::is_none")]
            instructions: Option<&'a str>,
            ttl_ms: u64,
            cache_scope: &'static str,
            #[serde(rename = "_meta")]
            meta: BTreeMap<&'static str, Json>,
        }
        Json::encode(&Body {
            result_type: "complete",
            supported_versions: ProtocolVersion::modern()
                .map(ProtocolVersion::as_str)
                .collect(),
            capabilities: self.capabilities(),
            instructions: self.instructions.as_deref(),
            ttl_ms,
            cache_scope: "private",
            meta: BTreeMap::from([(keys::SERVER_INFO, Self::implementation())]),
        })
    }
}
