//! The keys of `mux`.

use super::keys::{CALLS, GRACE, Key, NAME_MAP, NAMES, Preset, Shape, TIMEOUT};

/// All of them, in the order of the reference.
pub(crate) const SETTINGS: &[Key] = &[
    Key {
        name: "include",
        shape: Shape::List(&Shape::Path),
        default: Preset::Absent,
        doc: "Files to pull in, or globs, relative to the file that says so; its own values are stronger",
    },
    Key {
        name: "allowCommands",
        shape: Shape::Flag,
        default: Preset::Value("false"),
        doc: "Whether values may come from programs: `${cmd:LINE}` is what a command line prints",
    },
    Key {
        name: "listen",
        shape: Shape::Listen,
        default: Preset::Absent,
        doc: "Address or Unix socket to serve streamable HTTP on, at the path `/mcp`",
    },
    Key {
        name: "socketMode",
        shape: Shape::Mode,
        default: Preset::Value("0600"),
        doc: "Who may connect to the Unix socket of `listen`: the permissions of its file",
    },
    Key {
        name: "legacySse",
        shape: Shape::Flag,
        default: Preset::Value("false"),
        doc: "Whether clients that only know HTTP with SSE (2024-11-05) are served, at the path `/sse`",
    },
    Key {
        name: "websocket",
        shape: Shape::Flag,
        default: Preset::Value("false"),
        doc: "Whether clients that only know WebSocket are served, at the path `/ws`",
    },
    Key {
        name: "separator",
        shape: Shape::Text,
        default: Preset::Value("__"),
        doc: "Stands between prefix and name",
    },
    Key {
        name: "maxNameLength",
        shape: Shape::Count(16, 1024),
        default: Preset::Value("64"),
        doc: "Longest public name; a longer one is shortened with a stable hash",
    },
    Key {
        name: "onConflict",
        shape: Shape::Word(&["first", "error", "suffix"]),
        default: Preset::Value("first"),
        doc: "What to do when two entries have one public name: the first keeps it, refuse to \
              start, or put `_2` behind the later one",
    },
    Key {
        name: "startupTimeout",
        shape: TIMEOUT,
        default: Preset::Value("30s"),
        doc: "How long a server may take to come up",
    },
    Key {
        name: "callTimeout",
        shape: TIMEOUT,
        default: Preset::Value("60s"),
        doc: "How long one call may take",
    },
    Key {
        name: "inputTimeout",
        shape: TIMEOUT,
        default: Preset::Value("10m"),
        doc: "How long a client may take to answer what a server asks it during a call",
    },
    Key {
        name: "maxConcurrentCalls",
        shape: CALLS,
        default: Preset::Value("64"),
        doc: "How many calls one server gets at once",
    },
    Key {
        name: "health",
        shape: Shape::Object(HEALTH),
        default: Preset::Absent,
        doc: "How connected servers are watched",
    },
    Key {
        name: "circuitBreaker",
        shape: Shape::Object(CIRCUIT_BREAKER),
        default: Preset::Absent,
        doc: "When calls to a failing server are refused at once",
    },
    Key {
        name: "aliases",
        shape: NAME_MAP,
        default: Preset::Absent,
        doc: "Further names of entries: new name → public name",
    },
    Key {
        name: "grace",
        shape: GRACE,
        default: Preset::Value("5m"),
        doc: "How long the entries of a lost server stay listed",
    },
    Key {
        name: "shutdownGrace",
        shape: GRACE,
        default: Preset::Value("5s"),
        doc: "How long calls in flight may take to finish when the mux stops",
    },
    Key {
        name: "maxMessageSize",
        shape: Shape::Size(1 << 10, 1 << 30),
        default: Preset::Value("64MiB"),
        doc: "Longest message in either direction",
    },
    Key {
        name: "maxSessions",
        shape: Shape::Count(1, 1_000_000),
        default: Preset::Value("10000"),
        doc: "How many sessions of legacy clients may exist at once, and beside them how many streams at \
              `/sse` and links at `/ws`",
    },
    Key {
        name: "sessionIdleTimeout",
        shape: TIMEOUT,
        default: Preset::Value("30m"),
        doc: "How long a session may stay unused",
    },
    Key {
        name: "listTtl",
        shape: GRACE,
        default: Preset::Value("0s"),
        doc: "How long modern clients may at least keep a list without asking again; longer if all \
              servers on it allow that",
    },
    Key {
        name: "cacheSize",
        shape: Shape::Size(0, 1 << 30),
        default: Preset::Value("0"),
        doc: "How many bytes of resources that were read are kept, for as long as their servers \
              allow; none by default",
    },
    Key {
        name: "credentialStore",
        shape: Shape::Word(STORES),
        default: Preset::Value("auto"),
        doc: "Where logins are kept: the system's keychain, private files in `$XDG_STATE_HOME/mcpmux`, or files only where \
              no keychain answers",
    },
    Key {
        name: "allowedHosts",
        shape: NAMES,
        default: Preset::Absent,
        doc: "`Host` headers to accept beside loopback and the listen address",
    },
    Key {
        name: "allowedOrigins",
        shape: NAMES,
        default: Preset::Absent,
        doc: "`Origin` headers to accept beside loopback",
    },
    Key {
        name: "watchFiles",
        shape: Shape::Flag,
        default: Preset::Value("true"),
        doc: "Whether a running mux follows its files as soon as they change",
    },
    Key {
        name: "logLevel",
        shape: Shape::Name,
        default: Preset::Absent,
        doc: "What to log: `error`, `warn`, `info`, `debug`, `trace`, or filter directives",
    },
];

const HEALTH: &[Key] = &[
    Key {
        name: "interval",
        shape: TIMEOUT,
        default: Preset::Value("30s"),
        doc: "Time between two checks of a server",
    },
    Key {
        name: "timeout",
        shape: TIMEOUT,
        default: Preset::Value("10s"),
        doc: "How long one check may take",
    },
    Key {
        name: "unhealthyThreshold",
        shape: Shape::Count(1, 1_000),
        default: Preset::Value("3"),
        doc: "Failed checks in a row after which a server counts as down",
    },
];

const CIRCUIT_BREAKER: &[Key] = &[
    Key {
        name: "failureThreshold",
        shape: Shape::Count(1, 1_000),
        default: Preset::Value("5"),
        doc: "Failures in a row that open the breaker",
    },
    Key {
        name: "timeout",
        shape: TIMEOUT,
        default: Preset::Value("60s"),
        doc: "How long it stays open before one call may try again",
    },
];

/// Where secrets may be kept.
const STORES: &[&str] = &["auto", "keychain", "files"];
