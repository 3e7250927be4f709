//! The keys of a server entry.

use super::keys::{CALLS, Key, NAME_MAP, NAMES, Preset, Shape, TEXT_MAP, TIMEOUT};

/// The words of `type`.
pub(crate) const TYPES: &[&str] = &[
    "stdio",
    "http",
    "streamable-http",
    "streamableHttp",
    "sse",
    "ws",
    "websocket",
];

/// The words of `sharing`.
pub(crate) const SHARING: &[&str] = &["auto", "shared", "per-client", "exclusive"];
/// What `replace` may be.
pub(crate) const REPLACE: &[&str] = &["start-first", "stop-first"];

/// The words of `auth.type`.
pub(crate) const AUTH_TYPES: &[&str] = &["bearer", "apiKey", "basic", "oauth"];

/// Keys of other programs that change nothing here.
pub(crate) const FOREIGN: &[&str] = &[
    "alwaysAllow",
    "alwaysLoad",
    "autoApprove",
    "comment",
    "description",
    "displayName",
    "extension",
    "filterMapping",
    "gallery",
    "icon",
    "iconPath",
    "isDefaultServer",
    "name",
    "note",
    "notes",
    "remoteConfigured",
    "source",
    "sourcePath",
    "tags",
    "targetAudience",
    "targetServiceAccount",
    "title",
    "trust",
    "version",
    "watchPaths",
];

/// Keys of other programs that would change something there, and why they cannot here.
pub(crate) const ELSEWHERE: &[(&str, &str)] = &[
    ("audiences", "the server says for whom its tokens are"),
    ("authProviderType", "a login is one of OAuth, or none"),
    ("authorizationUrl", "the server says where to log in"),
    ("oauth_resource", "the server says what it is called"),
    ("redirectUri", "the answer comes to this machine"),
    ("registrationUrl", "the server says where to register"),
    ("tokenParamName", "a token goes into the header"),
    ("tokenUrl", "the server says where its tokens come from"),
];

/// The default that is a setting of the same name.
pub(crate) const OF_MUX: &str = "that of `mux`";

/// All of ours, in the order of the reference.
pub(crate) const SERVER: &[Key] = &[
    Key {
        name: "type",
        shape: Shape::Word(TYPES),
        default: Preset::Said("by `command` and the scheme of `url`"),
        doc: "How the server is reached",
    },
    Key {
        name: "command",
        shape: Shape::Path,
        default: Preset::Absent,
        doc: "Program to run as a child that speaks over stdin and stdout",
    },
    Key {
        name: "args",
        shape: Shape::List(&Shape::Text),
        default: Preset::Absent,
        doc: "Arguments of the program",
    },
    Key {
        name: "env",
        shape: TEXT_MAP,
        default: Preset::Absent,
        doc: "Variables to set beside the inherited environment",
    },
    Key {
        name: "envFile",
        shape: Shape::Path,
        default: Preset::Absent,
        doc: "File of `NAME=value` lines, relative to the configuration file; set for the \
              program, and known to `${…}` in this entry",
    },
    Key {
        name: "cwd",
        shape: Shape::Path,
        default: Preset::Absent,
        doc: "Directory to start the program in, relative to the configuration file",
    },
    Key {
        name: "url",
        shape: Shape::Name,
        default: Preset::Absent,
        doc: "Address of a server behind HTTP or WebSocket",
    },
    Key {
        name: "headers",
        shape: TEXT_MAP,
        default: Preset::Absent,
        doc: "Headers for every request",
    },
    Key {
        name: "envHeaders",
        shape: NAME_MAP,
        default: Preset::Absent,
        doc: "Header → the environment variable that holds its value; left out where that is unset or empty",
    },
    Key {
        name: "headersHelper",
        shape: Shape::Name,
        default: Preset::Absent,
        doc: "Command line that prints further headers, a JSON object of strings, whenever the files are read; \
              left out unless `mux.allowCommands` is true",
    },
    Key {
        name: "auth",
        shape: Shape::Object(AUTH),
        default: Preset::Said("a login, if the server wants one"),
        doc: "Credentials that become a header",
    },
    Key {
        name: "tls",
        shape: Shape::Object(TLS),
        default: Preset::Absent,
        doc: "Certificates for https and wss",
    },
    Key {
        name: "prefix",
        shape: Shape::TextOrNull,
        default: Preset::Said("the server's key"),
        doc: "Goes before every name, with the separator between; `null` or `\"\"` turns it off",
    },
    Key {
        name: "separator",
        shape: Shape::Text,
        default: Preset::Said(OF_MUX),
        doc: "Stands between prefix and name",
    },
    Key {
        name: "aliases",
        shape: NAMES,
        default: Preset::Absent,
        doc: "Further prefixes that calls may use and lists do not show",
    },
    Key {
        name: "tools",
        shape: Shape::Section(SECTION),
        default: Preset::Absent,
        doc: "Rules for tools, on their names",
    },
    Key {
        name: "resources",
        shape: Shape::Section(SECTION),
        default: Preset::Absent,
        doc: "Rules for resources, on their URIs",
    },
    Key {
        name: "templates",
        shape: Shape::Section(SECTION),
        default: Preset::Absent,
        doc: "Rules for resource templates, on their URI templates",
    },
    Key {
        name: "prompts",
        shape: Shape::Section(SECTION),
        default: Preset::Absent,
        doc: "Rules for prompts, on their names",
    },
    Key {
        name: "enabled",
        shape: Shape::Flag,
        default: Preset::Value("true"),
        doc: "`false` switches the server off; nothing else of the entry is read then",
    },
    Key {
        name: "disabled",
        shape: Shape::Flag,
        default: Preset::Value("false"),
        doc: "`true` switches the server off, too",
    },
    Key {
        name: "required",
        shape: Shape::Flag,
        default: Preset::Value("false"),
        doc: "Whether the mux may not run without the server",
    },
    Key {
        name: "startupTimeout",
        shape: TIMEOUT,
        default: Preset::Said(OF_MUX),
        doc: "How long the server may take to come up",
    },
    Key {
        name: "callTimeout",
        shape: TIMEOUT,
        default: Preset::Said(OF_MUX),
        doc: "How long one call may take",
    },
    Key {
        name: "maxConcurrentCalls",
        shape: CALLS,
        default: Preset::Said(OF_MUX),
        doc: "How many calls the server gets at once",
    },
    Key {
        name: "sharing",
        shape: Shape::Word(SHARING),
        default: Preset::Value("auto"),
        doc: "How many clients may share one connection",
    },
    Key {
        name: "replace",
        shape: Shape::Word(REPLACE),
        default: Preset::Value("start-first"),
        doc: "Which comes first when its entry changes: the start of the new process, or the end of the old one, for a server that cannot run twice",
    },
    Key {
        name: "timeout",
        shape: Shape::Foreign,
        default: Preset::Absent,
        doc: "`callTimeout` in files of other programs: a bare number is milliseconds from 1000 \
              up, seconds below",
    },
];

/// The keys of `auth`.
pub(crate) const AUTH: &[Key] = &[
    Key {
        name: "type",
        shape: Shape::Word(AUTH_TYPES),
        default: Preset::Absent,
        doc: "Which kind of credentials",
    },
    Key {
        name: "token",
        shape: Shape::Name,
        default: Preset::Absent,
        doc: "`bearer`: sent as `Authorization: Bearer …`",
    },
    Key {
        name: "key",
        shape: Shape::Name,
        default: Preset::Absent,
        doc: "`apiKey`: the value of the header",
    },
    Key {
        name: "header",
        shape: Shape::Name,
        default: Preset::Value("X-API-Key"),
        doc: "`apiKey`: the name of the header",
    },
    Key {
        name: "username",
        shape: Shape::Name,
        default: Preset::Absent,
        doc: "`basic`: the name",
    },
    Key {
        name: "password",
        shape: Shape::Text,
        default: Preset::Absent,
        doc: "`basic`: the password",
    },
    Key {
        name: "clientId",
        shape: Shape::Name,
        default: Preset::Said("registered by mcpmux"),
        doc: "`oauth`: the client that was set up for mcpmux at the authorization server",
    },
    Key {
        name: "clientSecret",
        shape: Shape::Name,
        default: Preset::Absent,
        doc: "`oauth`: its secret",
    },
    Key {
        name: "privateKey",
        shape: Shape::Name,
        default: Preset::Absent,
        doc: "`oauth`: in place of a secret, its private key in PEM (RSA, P-256, P-384, Ed25519)",
    },
    Key {
        name: "keyId",
        shape: Shape::Name,
        default: Preset::Absent,
        doc: "`oauth`: which of its keys that is",
    },
    Key {
        name: "clientMetadataUrl",
        shape: Shape::Name,
        default: Preset::Absent,
        doc: "`oauth`: URL of a client id metadata document, where the authorization server takes one",
    },
    Key {
        name: "grant",
        shape: Shape::Word(GRANTS),
        default: Preset::Value("authorizationCode"),
        doc: "`oauth`: whether a person logs in (`mcpmux login`), or the client acts for itself",
    },
    Key {
        name: "scopes",
        shape: NAMES,
        default: Preset::Said("what the server wants"),
        doc: "`oauth`: what to ask for",
    },
    Key {
        name: "issuer",
        shape: Shape::Name,
        default: Preset::Said("as the server says"),
        doc: "`oauth`: the only authorization server that will do",
    },
    Key {
        name: "redirectPort",
        shape: Shape::Count(1, 65_535),
        default: Preset::Said("any that is free"),
        doc: "`oauth`: port of `http://127.0.0.1:PORT/callback`, to which a browser brings the answer",
    },
    Key {
        name: "redirectUrl",
        shape: Shape::Name,
        default: Preset::Absent,
        doc: "`oauth`: that address, where another one was registered for the client, on `localhost`, `127.0.0.1` or `[::1]`",
    },
];

/// Who gets the token.
const GRANTS: &[&str] = &["authorizationCode", "clientCredentials"];

/// The keys of `tls`.
pub(crate) const TLS: &[Key] = &[
    Key {
        name: "ca",
        shape: Shape::Path,
        default: Preset::Absent,
        doc: "PEM file of authorities to trust beside those of the system, relative to the \
              configuration file",
    },
    Key {
        name: "cert",
        shape: Shape::Path,
        default: Preset::Absent,
        doc: "PEM file of the certificate that the server is shown, and of those that lead from it \
              to an authority",
    },
    Key {
        name: "key",
        shape: Shape::Path,
        default: Preset::Said("the file of `cert`"),
        doc: "PEM file of the private key, not encrypted",
    },
];

/// The keys of `tools`, `resources`, `templates` and `prompts`.
pub(crate) const SECTION: &[Key] = &[
    Key {
        name: "allow",
        shape: NAMES,
        default: Preset::Said("all"),
        doc: "Patterns of what is offered, on original names",
    },
    Key {
        name: "deny",
        shape: NAMES,
        default: Preset::Absent,
        doc: "Patterns of what is not offered, even if allowed",
    },
    Key {
        name: "rename",
        shape: NAME_MAP,
        default: Preset::Absent,
        doc: "Original name → the name to offer, before the prefix",
    },
    Key {
        name: "describe",
        shape: TEXT_MAP,
        default: Preset::Absent,
        doc: "Original name → the description to offer",
    },
];
