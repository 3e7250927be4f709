//! `TransportConfig`: how one server is reached.

use std::fmt;
use std::path::PathBuf;

use indexmap::IndexMap;

use super::oauth::OAuthConfig;
use super::secret::Secret;
use super::tls::TlsConfig;

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportConfig {
    /// A child process that speaks over its stdin and stdout.
    Child(ChildConfig),
    /// Streamable HTTP, with the specification's fallback to legacy SSE.
    Http(HttpConfig),
    /// The HTTP+SSE transport of revision 2024-11-05.
    Sse(HttpConfig),
    /// WebSocket.
    WebSocket(HttpConfig),
}

impl TransportConfig {
    /// The word for the transport in tables: `stdio`, `http`, `sse` or `websocket`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Child(_) => "stdio",
            Self::Http(_) => "http",
            Self::Sse(_) => "sse",
            Self::WebSocket(_) => "websocket",
        }
    }
}

/// A program to run. `Debug` hides the arguments, which may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct ChildConfig {
    /// The program: a path, or a name to look up in `PATH`.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables to set beside the inherited environment: those of `envFile`, then those of `env`.
    pub env: IndexMap<String, Secret>,
    /// The directory to start it in; `None` = the mux's own.
    pub cwd: Option<PathBuf>,
}

impl fmt::Debug for ChildConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildConfig")
            .field("command", &self.command)
            .field("args", &format_args!("[{} hidden]", self.args.len()))
            .field("env", &self.env)
            .field("cwd", &self.cwd)
            .finish()
    }
}

/// A server behind a URL. `Debug` shows only the origin of the URL, since the rest may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// The URL, checked: absolute, with a host and a scheme that fits the transport.
    pub url: String,
    /// Headers for every request, with what `auth` stands for. Names and values are legal.
    pub headers: Vec<(String, Secret)>,
    /// Certificates, for https and wss.
    pub tls: TlsConfig,
    /// How to log in, if the server wants that; `None`: other credentials are configured.
    pub oauth: Option<OAuthConfig>,
}

impl HttpConfig {
    /// Scheme, host and port of the URL: what may be shown to people.
    pub fn origin(&self) -> String {
        url::Url::parse(&self.url)
            .ok()
            .and_then(|url| {
                let port = url
                    .port()
                    .map(|port| format!(":{port}"))
                    .unwrap_or_default();
                Some(format!("{}://{}{port}", url.scheme(), url.host_str()?))
            })
            .unwrap_or_default()
    }
}

impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConfig")
            .field("url", &format_args!("{}/…", self.origin()))
            .field("headers", &self.headers)
            .field("tls", &self.tls)
            .field("oauth", &self.oauth)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let http = TransportConfig::Http(HttpConfig {
            url: "https://user:pw@example.com:8443/s/token?key=1".into(),
            headers: vec![("authorization".into(), Secret::new("Bearer x"))],
            tls: TlsConfig {
                ca: Some("x".into()),
                identity: Some(Secret::new("x")),
            },
            oauth: None,
        });
        assert_eq!(
            format!("{http:?}"),
            "Http(HttpConfig { url: https://example.com:8443/…, \
             headers: [(\"authorization\", ***)], \
             tls: TlsConfig { ca: true, identity: Some(***) }, oauth: None })"
        );
        let child = TransportConfig::Child(ChildConfig {
            command: "npx".into(),
            args: vec!["--token".into(), "x".into()],
            env: IndexMap::from([("TOKEN".into(), Secret::new("x"))]),
            cwd: None,
        });
        assert_eq!(
            format!("{child:?}"),
            "Child(ChildConfig { command: \"npx\", args: [2 hidden], env: {\"TOKEN\": ***}, \
             cwd: None })"
        );
    }
}
