//! How an entry says that its server is reached.

use indexmap::IndexMap;
use percent_encoding::percent_decode_str;
use url::Url;

use super::auth;
use super::error::{Findings, Problem};
use super::expand::Paths;
use super::keys::TYPES;
use super::rules::texts;
use super::secret::Secret;
use super::shape;
use super::sources::Environment;
use super::tls;
use super::transport::{ChildConfig, HttpConfig, TransportConfig};
use super::tree::Node;

/// Keys that only a child process has.
const OF_CHILDREN: [&str; 4] = ["command", "args", "env", "cwd"];

/// Keys that only a server behind a URL has.
const OF_URLS: [&str; 6] = [
    "url",
    "headers",
    "envHeaders",
    "headersHelper",
    "auth",
    "tls",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Stdio,
    Http,
    Sse,
    WebSocket,
}

impl Kind {
    /// The word for `type`.
    fn word(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Http => "http",
            Self::Sse => "sse",
            Self::WebSocket => "ws",
        }
    }
}

/// One entry whose shape is checked and whose variables are filled in.
pub(crate) struct Reach<'a> {
    pub(crate) server: &'a str,
    pub(crate) entry: &'a Node,
    /// The variables of `envFile`.
    pub(crate) own: &'a IndexMap<String, String>,
    pub(crate) env: &'a Environment,
    pub(crate) paths: Paths<'a>,
}

impl Reach<'_> {
    /// The transport; `None` if something was wrong and is reported.
    pub(crate) fn read(&self, findings: &mut Findings) -> Option<TransportConfig> {
        let kind = match self.kind() {
            Ok(kind) => kind?,
            Err(problem) => {
                findings.error(&self.entry.place, problem);
                return None;
            }
        };
        let useless: &[&str] = if kind == Kind::Stdio {
            &OF_URLS
        } else {
            &OF_CHILDREN
        };
        for key in useless {
            if let Some(node) = self.entry.get(key).filter(|node| !node.is_blank()) {
                findings.warning(
                    &node.place,
                    Problem::Useless {
                        key,
                        kind: kind.word(),
                    },
                );
            }
        }
        if kind == Kind::Stdio {
            return self.child(findings).map(TransportConfig::Child);
        }
        let http = self.http(kind, findings)?;
        Some(match kind {
            Kind::WebSocket => TransportConfig::WebSocket(http),
            Kind::Sse => TransportConfig::Sse(http),
            Kind::Http | Kind::Stdio => TransportConfig::Http(http),
        })
    }

    /// What `type` says, else `command`, else the scheme of `url`. `None` if that was reported.
    fn kind(&self) -> Result<Option<Kind>, Problem> {
        let server = || self.server.to_owned();
        let Some(written) = self.entry.get("type") else {
            return match (self.entry.get("command"), self.entry.get("url")) {
                (Some(_), _) => Ok(Some(Kind::Stdio)),
                (None, Some(url)) => Ok(url.text().map(kind_of_url)),
                (None, None) => Err(Problem::NoTransport { server: server() }),
            };
        };
        let kind = match shape::word(written, TYPES) {
            Ok("stdio") => Kind::Stdio,
            Ok("sse") => Kind::Sse,
            Ok("ws" | "websocket") => Kind::WebSocket,
            Ok(_) => Kind::Http,
            Err(_) => return Ok(None),
        };
        let key = if kind == Kind::Stdio {
            "command"
        } else {
            "url"
        };
        match self.entry.get(key) {
            Some(_) => Ok(Some(kind)),
            None => Err(Problem::NotForType {
                server: server(),
                kind: kind.word(),
                key,
            }),
        }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let own = self.own.get(name).map(String::as_str);
        own.or_else(|| self.env.get(name))
    }

    fn child(&self, findings: &mut Findings) -> Option<ChildConfig> {
        let mut path = |key, resolve: &dyn Fn(&str) -> Result<std::path::PathBuf, Problem>| {
            let node = self.entry.get(key)?;
            match resolve(node.text()?) {
                Ok(path) => Some(path),
                Err(problem) => {
                    findings.error(&node.place, problem);
                    None
                }
            }
        };
        let command = path("command", &|text| self.paths.tilde(text));
        let cwd = path("cwd", &|text| self.paths.resolve(text));
        let mut env: IndexMap<String, Secret> = self
            .own
            .iter()
            .map(|(name, value)| (name.clone(), Secret::new(value.as_str())))
            .collect();
        for (name, node) in self
            .entry
            .get("env")
            .and_then(Node::map)
            .into_iter()
            .flatten()
        {
            if name.contains(['=', '\0']) {
                findings.error(&node.place, Problem::VariableName { name: name.clone() });
            } else if let Some(value) = node.text() {
                env.insert(name.clone(), Secret::new(value));
            }
        }
        Some(ChildConfig {
            command: command?.to_string_lossy().into_owned(),
            args: self.entry.get("args").map(texts).unwrap_or_default(),
            env,
            cwd,
        })
    }

    fn http(&self, kind: Kind, findings: &mut Findings) -> Option<HttpConfig> {
        let mut headers = auth::headers(self.entry, &|name| self.variable(name), findings);
        let node = self.entry.get("url")?;
        let url = node.text().filter(|url| !url.is_empty())?;
        if let Err(problem) = check_url(url, kind) {
            findings.error(&node.place, problem);
            return None;
        }
        if let (Some(written), "http" | "ws") = (self.entry.get("tls"), scheme(url)) {
            let scheme = scheme(url).to_owned();
            findings.warning(&written.place, Problem::PlainTls { scheme });
        }
        let (url, login) = without_login(url);
        let is_free = |(known, _): &(String, Secret)| !known.eq_ignore_ascii_case("authorization");
        if let Some(login) = login.filter(|_| headers.iter().all(is_free)) {
            headers.push(login);
        }
        let oauth = auth::login(self.entry, &headers, findings);
        Some(HttpConfig {
            url,
            headers,
            tls: tls::read(self.entry, &self.paths, findings),
            oauth,
        })
    }
}

/// WebSocket by its schemes, HTTP for all else: a wrong scheme is reported when the URL is read.
fn kind_of_url(url: &str) -> Kind {
    let scheme = scheme(url);
    if scheme.eq_ignore_ascii_case("ws") || scheme.eq_ignore_ascii_case("wss") {
        Kind::WebSocket
    } else {
        Kind::Http
    }
}

fn scheme(url: &str) -> &str {
    url.split(':').next().unwrap_or_default()
}

/// The URL without the name and the password in it, and the header that they become: what connects to
/// servers may log their addresses.
fn without_login(text: &str) -> (String, Option<(String, Secret)>) {
    let Ok(mut url) = Url::parse(text) else {
        return (text.to_owned(), None);
    };
    if url.username().is_empty() && url.password().is_none() {
        return (text.to_owned(), None);
    }
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (name, password) = (plain(url.username()), plain(url.password().unwrap_or("")));
    let header = (
        "Authorization".to_owned(),
        Secret::new(auth::basic_value(&name, &password)),
    );
    // Both work for every URL that has a host.
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    match cleared {
        Ok(()) => (url.into(), Some(header)),
        Err(()) => (text.to_owned(), None),
    }
}

fn check_url(text: &str, kind: Kind) -> Result<(), Problem> {
    let bad = |reason: &str| Problem::Url {
        reason: reason.to_owned(),
    };
    let url = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
    let fits = match kind {
        Kind::WebSocket => ["ws", "wss"].contains(&url.scheme()),
        _ => ["http", "https"].contains(&url.scheme()),
    };
    if !fits {
        return Err(Problem::Scheme {
            scheme: url.scheme().to_owned(),
            kind: kind.word(),
        });
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad("it has no host"));
    }
    Ok(())
}
