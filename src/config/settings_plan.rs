//! Which settings a running mux can follow, and which differ between two configurations.

use std::fmt;

use serde::Serialize;

use super::settings::Settings;

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    /// The key in `mux`.
    pub key: &'static str,
    /// When the new value holds.
    pub when: When,
}

/// When the new value of a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// As soon as the configuration is read again.
    Now,
    /// When the mux is started the next time.
    Restart,
}

/// What is to be known of one setting.
struct Setting {
    key: &'static str,
    when: When,
    differs: fn(&Settings, &Settings) -> bool,
    /// Takes the value of the second over into the first.
    keep: fn(&mut Settings, &Settings),
}

macro_rules! settings {
    ($($when:ident $key:literal $field:ident,)*) => {
        &[$(Setting {
            key: $key,
            when: When::$when,
            differs: |old, new| old.$field != new.$field,
            keep: |settings, running| settings.$field.clone_from(&running.$field),
        }),*]
    };
}

/// All settings, in the order of the reference.
const TABLE: &[Setting] = settings! {
    Now "include" include,
    Now "allowCommands" allow_commands,
    Restart "listen" listen,
    Restart "socketMode" socket_mode,
    Restart "legacySse" legacy_sse,
    Restart "websocket" websocket,
    Now "separator" separator,
    Now "maxNameLength" max_name_length,
    Now "onConflict" on_conflict,
    Now "startupTimeout" startup_timeout,
    Now "callTimeout" call_timeout,
    Now "inputTimeout" input_timeout,
    Now "maxConcurrentCalls" max_concurrent_calls,
    Now "health" health,
    Now "circuitBreaker" circuit_breaker,
    Now "aliases" aliases,
    Now "grace" grace,
    Restart "shutdownGrace" shutdown_grace,
    Restart "maxMessageSize" max_message_size,
    Restart "maxSessions" max_sessions,
    Restart "sessionIdleTimeout" session_idle_timeout,
    Now "listTtl" list_ttl,
    Restart "cacheSize" cache_size,
    Restart "credentialStore" credential_store,
    Restart "allowedHosts" allowed_hosts,
    Restart "allowedOrigins" allowed_origins,
    Now "watchFiles" watch_files,
    Restart "logLevel" log_level,
};

/// The settings that differ.
pub(crate) fn setting_changes(old: &Settings, new: &Settings) -> Vec<SettingChange> {
    let differing = TABLE.iter().filter(|setting| (setting.differs)(old, new));
    let change = |setting: &Setting| SettingChange {
        key: setting.key,
        when: setting.when,
    };
    differing.map(change).collect()
}

/// The new settings, but those that need a restart as they are now.
pub(crate) fn followed(new: &Settings, running: &Settings) -> Settings {
    let mut settings = new.clone();
    for setting in TABLE.iter().filter(|setting| setting.when == When::Restart) {
        (setting.keep)(&mut settings, running);
    }
    settings
}

impl fmt::Display for SettingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`mux.{}` changes", self.key)?;
        match self.when {
            When::Now => Ok(()),
            When::Restart => write!(f, " when the mux is started the next time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::keys::SETTINGS;

    #[test]
    fn every_setting_is_in_the_table() {
        let told: Vec<&str> = SETTINGS.iter().map(|key| key.name).collect();
        let known: Vec<&str> = TABLE.iter().map(|setting| setting.key).collect();
        assert_eq!(
            known, told,
            "each setting needs a row that says when it holds"
        );
    }

    #[test]
    fn what_needs_a_restart_stays_as_it_is() {
        let running = Settings::default();
        let written = Settings {
            listen: "127.0.0.1:1".parse().ok(),
            grace: Duration::from_secs(7),
            ..Settings::default()
        };
        let changes = setting_changes(&running, &written);
        let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "`mux.listen` changes when the mux is started the next time",
                "`mux.grace` changes",
            ]
        );
        let followed = followed(&written, &running);
        assert_eq!(followed.listen, None);
        assert_eq!(followed.grace, Duration::from_secs(7));
    }
}
