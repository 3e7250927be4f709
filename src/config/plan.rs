//! `Plan`: what a running mux has to change to follow another configuration. Pure: nothing is done here.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::protocol::ServerName;

use super::load::Config;
use super::rules::Rules;
use super::servers::ServerConfig;
use super::settings::Settings;
use super::settings_plan::{SettingChange, setting_changes};
use super::transport::{HttpConfig, TransportConfig};

/// The difference between two configurations. Values are left out, since they may be secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The servers that differ, first in the order of the new configuration, then those that it does not have.
    pub servers: Vec<ServerChange>,
    /// Whether servers that both have stand in another order, which decides conflicts.
    pub reordered: bool,
    /// The settings that differ, in the order of the reference.
    pub settings: Vec<SettingChange>,
}

/// What becomes of one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerChange {
    /// Its key.
    #[serde(serialize_with = "text")]
    pub name: ServerName,
    /// What becomes of it.
    #[serde(flatten)]
    pub fate: Fate,
}

/// What becomes of a server. The keys are those of its entry that differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", content = "keys", rename_all = "lowercase")]
pub enum Fate {
    /// It is new.
    Added,
    /// It is not there any more, or switched off.
    Removed,
    /// It is started or connected to anew.
    Replaced(Vec<&'static str>),
    /// Its process and connection stay.
    Changed(Vec<&'static str>),
}

impl Plan {
    /// What leads from one configuration to the other.
    pub fn between(old: &Config, new: &Config) -> Self {
        let changed =
            new.servers
                .values()
                .filter_map(|server| match old.servers.get(&server.name) {
                    None => Some((server, Fate::Added)),
                    Some(before) => fate(before, server).map(|fate| (server, fate)),
                });
        let removed = old
            .servers
            .values()
            .filter(|server| !new.servers.contains_key(&server.name))
            .map(|server| (server, Fate::Removed));
        let servers = changed.chain(removed).map(|(server, fate)| ServerChange {
            name: server.name.clone(),
            fate,
        });
        let order = |of: &Config, other: &Config| -> Vec<ServerName> {
            let names = of.servers.keys();
            let both = names.filter(|name| other.servers.contains_key(*name));
            both.cloned().collect()
        };
        Self {
            servers: servers.collect(),
            reordered: order(old, new) != order(new, old),
            settings: setting_changes(&old.settings, &new.settings),
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty() && !self.reordered && self.settings.is_empty()
    }
}

impl ServerConfig {
    /// Whether another process or connection is needed for this entry than for the other one.
    pub fn needs_another_link(&self, other: &Self) -> bool {
        self.transport != other.transport
    }
}

fn fate(old: &ServerConfig, new: &ServerConfig) -> Option<Fate> {
    if new.needs_another_link(old) {
        return Some(Fate::Replaced(reach_keys(&old.transport, &new.transport)));
    }
    // Taken apart so that a new field cannot be forgotten here.
    let ServerConfig {
        name: _,
        transport: _,
        rules,
        required,
        startup_timeout,
        call_timeout,
        max_concurrent_calls,
        sharing,
        replacement,
        place: _,
    } = old;
    let mut keys = rule_keys(rules, &new.rules);
    keys.extend(named([
        (*required != new.required, "required"),
        (*startup_timeout != new.startup_timeout, "startupTimeout"),
        (*call_timeout != new.call_timeout, "callTimeout"),
        (
            *max_concurrent_calls != new.max_concurrent_calls,
            "maxConcurrentCalls",
        ),
        (*sharing != new.sharing, "sharing"),
        (*replacement != new.replacement, "replace"),
    ]));
    (!keys.is_empty()).then_some(Fate::Changed(keys))
}

fn rule_keys(old: &Rules, new: &Rules) -> Vec<&'static str> {
    let Rules {
        prefix,
        separator,
        aliases,
        tools,
        prompts,
        resources,
        templates,
    } = old;
    named([
        (*prefix != new.prefix, "prefix"),
        (*separator != new.separator, "separator"),
        (*aliases != new.aliases, "aliases"),
        (*tools != new.tools, "tools"),
        (*prompts != new.prompts, "prompts"),
        (*resources != new.resources, "resources"),
        (*templates != new.templates, "templates"),
    ])
}

/// The keys that say how a server is reached. Never none: what has no key of its own here is the `type`.
fn reach_keys(old: &TransportConfig, new: &TransportConfig) -> Vec<&'static str> {
    // Without anything configured it is none, too, where the headers hold the credentials.
    let login = |http: &HttpConfig| http.oauth.clone().unwrap_or_default();
    let of_http = |old: &HttpConfig, new: &HttpConfig| {
        named([
            (old.url != new.url, "url"),
            (old.headers != new.headers, "headers"),
            (old.tls != new.tls, "tls"),
            (login(old) != login(new), "auth"),
        ])
    };
    let keys = match (old, new) {
        (TransportConfig::Child(old), TransportConfig::Child(new)) => named([
            (old.command != new.command, "command"),
            (old.args != new.args, "args"),
            (old.env != new.env, "env"),
            (old.cwd != new.cwd, "cwd"),
        ]),
        (TransportConfig::Http(old), TransportConfig::Http(new))
        | (TransportConfig::Sse(old), TransportConfig::Sse(new))
        | (TransportConfig::WebSocket(old), TransportConfig::WebSocket(new)) => of_http(old, new),
        _ => Vec::new(),
    };
    if keys.is_empty() { vec!["type"] } else { keys }
}

pub(crate) fn named<const N: usize>(keys: [(bool, &'static str); N]) -> Vec<&'static str> {
    let differing = keys.into_iter().filter(|(differs, _)| *differs);
    differing.map(|(_, key)| key).collect()
}

fn text<S: Serializer>(name: &ServerName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(name)
}

impl fmt::Display for Plan {
    /// One line for each change, without a newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.servers.iter().map(ToString::to_string);
        let order = self
            .reordered
            .then(|| "the servers have another order".to_owned());
        let settings = self.settings.iter().map(ToString::to_string);
        let lines: Vec<String> = servers.chain(order).chain(settings).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl fmt::Display for ServerChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, fate } = self;
        match fate {
            Fate::Added => write!(f, "server `{name}` is added"),
            Fate::Removed => write!(f, "server `{name}` is removed"),
            Fate::Replaced(keys) => write!(f, "server `{name}` is replaced ({})", keys.join(", ")),
            Fate::Changed(keys) => write!(
                f,
                "server `{name}` changes ({}), its connection stays",
                keys.join(", ")
            ),
        }
    }
}

impl Settings {
    /// These settings, as far as a running mux can follow them; what needs a restart is as it is now.
    #[must_use]
    pub fn followed_from(&self, running: &Self) -> Self {
        super::settings_plan::followed(self, running)
    }
}
