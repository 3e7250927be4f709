//! The four kinds of entries that a server can offer.

/// What sort of entry something is. Each kind has a list of its own (2026-07-28, "Server features").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A tool, keyed by `name`.
    Tool,
    /// A resource, keyed by `uri`.
    Resource,
    /// A resource template, keyed by `uriTemplate`.
    Template,
    /// A prompt, keyed by `name`.
    Prompt,
}

impl Kind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Tool, Self::Resource, Self::Template, Self::Prompt];

    /// The member of a list result that holds the entries.
    pub fn list_member(self) -> &'static str {
        match self {
            Self::Tool => "tools",
            Self::Resource => "resources",
            Self::Template => "resourceTemplates",
            Self::Prompt => "prompts",
        }
    }

    /// The member of an entry that identifies it.
    pub fn key_member(self) -> &'static str {
        match self {
            Self::Tool | Self::Prompt => "name",
            Self::Resource => "uri",
            Self::Template => "uriTemplate",
        }
    }

    /// The kind whose notification announces changes of this one: templates share that of resources.
    #[must_use]
    pub fn announced_as(self) -> Self {
        match self {
            Self::Template => Self::Resource,
            kind => kind,
        }
    }

    /// The word for one entry in messages to people.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Resource => "resource",
            Self::Template => "resource template",
            Self::Prompt => "prompt",
        }
    }
}
