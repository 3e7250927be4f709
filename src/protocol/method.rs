//! The requests and notifications of MCP, as one table.

use std::fmt;
use std::sync::Arc;

use super::Kind;

/// A request method.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `initialize` (legacy)
    Initialize,
    /// `ping` (legacy)
    Ping,
    /// `server/discover` (modern)
    Discover,
    /// `tools/list`, `resources/list`, `resources/templates/list`, `prompts/list`
    List(Kind),
    /// `tools/call`
    ToolsCall,
    /// `resources/read`
    ResourcesRead,
    /// `prompts/get`
    PromptsGet,
    /// `completion/complete`
    Complete,
    /// `subscriptions/listen` (modern)
    Listen,
    /// `resources/subscribe` (legacy)
    Subscribe,
    /// `resources/unsubscribe` (legacy)
    Unsubscribe,
    /// `logging/setLevel` (legacy)
    SetLevel,
    /// `tasks/get`, `tasks/update`, `tasks/cancel`, `tasks/result`, `tasks/list`
    Task(TaskMethod),
    /// `skills/list` (SEP-2640)
    SkillsList,
    /// `skills/get` (SEP-2640)
    SkillsGet,
    /// `resources/directory/read` (SEP-2640)
    DirectoryRead,
    /// Any other, by its name
    Other(Arc<str>),
}

/// A request about tasks (SEP-2663; up to 2025-11-25 "Tasks").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskMethod {
    /// `tasks/get`
    Get,
    /// `tasks/update`
    Update,
    /// `tasks/cancel`
    Cancel,
    /// `tasks/result` (legacy)
    Result,
    /// `tasks/list` (legacy)
    List,
}

/// What decides which server a request goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoutedBy {
    /// The mux answers it itself.
    Mux,
    /// `params.name`, looked up among the entries of this kind.
    Name(Kind),
    /// `params.uri`
    Uri,
    /// `params.ref`, a prompt or a template.
    Reference,
    /// `params.taskId`
    TaskId,
}

impl Method {
    const TABLE: [(&'static str, Self); 23] = [
        ("tools/call", Self::ToolsCall),
        ("tools/list", Self::List(Kind::Tool)),
        ("resources/read", Self::ResourcesRead),
        ("prompts/get", Self::PromptsGet),
        ("initialize", Self::Initialize),
        ("ping", Self::Ping),
        ("server/discover", Self::Discover),
        ("resources/list", Self::List(Kind::Resource)),
        ("resources/templates/list", Self::List(Kind::Template)),
        ("prompts/list", Self::List(Kind::Prompt)),
        ("completion/complete", Self::Complete),
        ("subscriptions/listen", Self::Listen),
        ("resources/subscribe", Self::Subscribe),
        ("resources/unsubscribe", Self::Unsubscribe),
        ("logging/setLevel", Self::SetLevel),
        ("tasks/get", Self::Task(TaskMethod::Get)),
        ("tasks/update", Self::Task(TaskMethod::Update)),
        ("tasks/cancel", Self::Task(TaskMethod::Cancel)),
        ("tasks/result", Self::Task(TaskMethod::Result)),
        ("tasks/list", Self::Task(TaskMethod::List)),
        ("skills/list", Self::SkillsList),
        ("skills/get", Self::SkillsGet),
        ("resources/directory/read", Self::DirectoryRead),
    ];

    /// The method with this name.
    pub fn parse(name: &str) -> Self {
        Self::TABLE
            .iter()
            .find(|(text, _)| *text == name)
            .map_or_else(|| Self::Other(name.into()), |(_, method)| method.clone())
    }

    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(name) => name,
            known => known.known().unwrap_or_default(),
        }
    }

    /// The name of a method that MCP defines.
    pub fn known(&self) -> Option<&'static str> {
        let mut table = Self::TABLE.iter();
        table
            .find(|(_, method)| method == self)
            .map(|(text, _)| *text)
    }

    /// What decides where the request goes.
    pub fn routed_by(&self) -> RoutedBy {
        match self {
            Self::ToolsCall => RoutedBy::Name(Kind::Tool),
            Self::PromptsGet => RoutedBy::Name(Kind::Prompt),
            Self::ResourcesRead | Self::SkillsGet | Self::DirectoryRead => RoutedBy::Uri,
            Self::Complete => RoutedBy::Reference,
            Self::Task(TaskMethod::List) => RoutedBy::Mux,
            Self::Task(_) => RoutedBy::TaskId,
            _ => RoutedBy::Mux,
        }
    }

    /// The member of `params` that the `Mcp-Name` header repeats (SEP-2243).
    pub fn name_member(&self) -> Option<&'static str> {
        match self {
            Self::ToolsCall | Self::PromptsGet => Some("name"),
            Self::ResourcesRead => Some("uri"),
            Self::Task(TaskMethod::Get | TaskMethod::Update | TaskMethod::Cancel) => Some("taskId"),
            _ => None,
        }
    }

    /// Whether the result says how long it is fresh (2026-07-28, "Caching").
    pub fn is_cacheable(&self) -> bool {
        matches!(
            self,
            Self::List(_)
                | Self::ResourcesRead
                | Self::SkillsList
                | Self::SkillsGet
                | Self::DirectoryRead
        )
    }

    /// Whether a server may ask the client something before it answers (2026-07-28, "Multi round-trip
    /// requests"; 2025-11-25, "Tasks").
    pub fn may_ask(&self) -> bool {
        matches!(
            self,
            Self::ToolsCall
                | Self::PromptsGet
                | Self::ResourcesRead
                | Self::Task(TaskMethod::Result)
        )
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The notifications of MCP.
pub mod notification {
    use super::Kind;

    /// Ends the handshake.
    pub const INITIALIZED: &str = "notifications/initialized";
    /// Cancels a request.
    pub const CANCELLED: &str = "notifications/cancelled";
    /// Reports progress of a request.
    pub const PROGRESS: &str = "notifications/progress";
    /// Carries a log message.
    pub const MESSAGE: &str = "notifications/message";
    /// A resource changed.
    pub const RESOURCE_UPDATED: &str = "notifications/resources/updated";
    /// The first message of a subscription.
    pub const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
    /// A task changed its state (SEP-2663).
    pub const TASKS: &str = "notifications/tasks";
    /// A task changed its state (2025-11-25, "Tasks").
    pub const TASK_STATUS: &str = "notifications/tasks/status";

    /// A URL that a client was asked for has been visited (2025-11-25, "Elicitation").
    pub const VISITED: &str = "notifications/elicitation/complete";

    /// A client's roots changed (2025-11-25, "Roots").
    pub const ROOTS_CHANGED: &str = "notifications/roots/list_changed";

    /// The notification that the list of this kind changed. Templates share that of resources.
    pub fn list_changed(kind: Kind) -> &'static str {
        match kind {
            Kind::Tool => "notifications/tools/list_changed",
            Kind::Resource | Kind::Template => "notifications/resources/list_changed",
            Kind::Prompt => "notifications/prompts/list_changed",
        }
    }

    /// Which lists a notification says have changed.
    pub fn changed_kinds(method: &str) -> &'static [Kind] {
        match method {
            "notifications/tools/list_changed" => &[Kind::Tool],
            "notifications/resources/list_changed" => &[Kind::Resource, Kind::Template],
            "notifications/prompts/list_changed" => &[Kind::Prompt],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_survives_a_round_trip() {
        for (name, method) in Method::TABLE {
            assert_eq!(Method::parse(name), method);
            assert_eq!(method.as_str(), name);
        }
        assert_eq!(Method::parse("vendor/thing").as_str(), "vendor/thing");
    }
}
