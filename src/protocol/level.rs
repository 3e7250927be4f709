//! Severities of log messages.

use std::fmt;

/// How grave a log message is, by the names of RFC 5424. Ordered from chatty to grave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogLevel {
    /// `debug`
    Debug,
    /// `info`
    Info,
    /// `notice`
    Notice,
    /// `warning`
    Warning,
    /// `error`
    Error,
    /// `critical`
    Critical,
    /// `alert`
    Alert,
    /// `emergency`
    Emergency,
}

/// Which log messages a caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogWish {
    /// None (2026-07-28: a request without `logLevel`).
    #[default]
    Nothing,
    /// What the server sees fit to send (up to 2025-11-25, as long as no level was set).
    AsTheServerLikes,
    /// Those of this level and graver ones.
    AtLeast(LogLevel),
}

impl LogWish {
    /// Whether a message of this level is wanted; one whose level is unknown is, if any are.
    pub fn wants(self, level: Option<LogLevel>) -> bool {
        match self {
            Self::Nothing => false,
            Self::AsTheServerLikes => true,
            Self::AtLeast(least) => level.is_none_or(|level| level >= least),
        }
    }
}

impl LogLevel {
    const ALL: [Self; 8] = [
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::Alert,
        Self::Emergency,
    ];

    /// The level with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
