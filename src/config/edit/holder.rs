//! `Holder`: where a file keeps its servers.

/// The place of the server entries in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The keys that lead to the map or list of servers; not empty.
    pub path: Vec<String>,
    /// What stands there.
    pub form: Form,
    /// How an entry is switched off where it says nothing yet.
    pub switch: SwitchKey,
}

/// How the entries are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An object from names to entries.
    Map,
    /// An array of entries, each with its `name`.
    List,
}

/// The key that switches an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchKey {
    /// `disabled: true`.
    Disabled,
    /// `enabled: false`.
    Enabled,
}

impl SwitchKey {
    /// The key as it is written.
    pub fn key(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
        }
    }
}

impl Holder {
    /// A map of servers under these keys.
    pub fn map<const N: usize>(path: [&str; N], switch: SwitchKey) -> Self {
        Self {
            path: path.map(str::to_owned).to_vec(),
            form: Form::Map,
            switch,
        }
    }

    /// A list of servers under these keys.
    pub fn list<const N: usize>(path: [&str; N], switch: SwitchKey) -> Self {
        Self {
            form: Form::List,
            ..Self::map(path, switch)
        }
    }

    /// `mcpServers`, as in our own files and in most programs'.
    pub fn mcp_servers() -> Self {
        Self::map(["mcpServers"], SwitchKey::Disabled)
    }

    /// The keys as they are told, as in `mcp.providers`.
    pub fn key_path(&self) -> String {
        self.path.join(".")
    }
}
