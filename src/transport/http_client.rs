//! The HTTP client for upstreams. What the headers mean is the caller's business.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, ClientBuilder, Request, Response, Upgraded, Url};

use super::gather::Gather;
use super::tls::{equipped, of_tls, refuses_client};
use super::{Answer, Credentials, EventStream, Refusal, TransportError};
use crate::config::{HttpConfig, TlsConfig};

/// How long a server may take to accept a connection, TLS included.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept, and how many of them per server.
const IDLE: Duration = Duration::from_secs(60);
const IDLE_CONNECTIONS: usize = 256;
/// A dead peer is noticed after about a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How many bytes of one HTTP/2 stream may be under way.
const WINDOW: u32 = 1024 * 1024;
const REDIRECTS: usize = 5;

/// One pool of connections for all upstreams. Clones share it.
///
/// Proxies are taken from the environment; loopback addresses are reached directly. Redirects are followed within the
/// origin and only where method and body stay (307, 308). No limit on the whole time of an exchange: that is the caller's.
#[derive(Clone, Default)]
pub struct HttpClient(Arc<Clients>);

/// Each is built when first needed, since reading the system's certificates takes time.
#[derive(Default)]
struct Clients {
    near: OnceLock<Client>,
    near_tls: OnceLock<Client>,
    far: OnceLock<Client>,
    /// For WebSocket, which takes a connection over: HTTP/2 has none to give.
    near_socket: OnceLock<Client>,
    far_socket: OnceLock<Client>,
}

impl HttpClient {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    fn reaching(&self, url: &Url, own: &TlsConfig) -> Result<Client, TransportError> {
        let tls = matches!(url.scheme(), "https" | "wss");
        let near = is_loopback(url);
        let builder = || {
            let builder = if near { base().no_proxy() } else { base() };
            match url.scheme() {
                "wss" => builder.http1_only(),
                "https" => builder,
                _ if near => without_roots(builder),
                _ => builder,
            }
        };
        if tls && !own.is_empty() {
            return equipped(builder, own).map_err(|error| unbuilt(url, &error));
        }
        let clients = &self.0;
        let place = match (near, url.scheme()) {
            (true, "https") => &clients.near_tls,
            (true, "wss") => &clients.near_socket,
            (true, _) => &clients.near,
            (false, "wss") => &clients.far_socket,
            (false, _) => &clients.far,
        };
        if let Some(client) = place.get() {
            return Ok(client.clone());
        }
        match builder().build() {
            Ok(client) => Ok(place.get_or_init(|| client).clone()),
            // A system without certificates can still do without TLS.
            Err(_) if !tls => without_roots(base())
                .build()
                .map_err(|error| failure(url, &error)),
            Err(error) => Err(unbuilt(url, &error)),
        }
    }
}

fn unbuilt(url: &Url, error: &reqwest::Error) -> TransportError {
    TransportError::Tls {
        origin: origin(url),
        detail: innermost(error).to_string(),
    }
}

fn base() -> ClientBuilder {
    // An error means that there is a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("mcpmux/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::custom(redirect))
        .referer(false)
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .tcp_nodelay(true)
        .tcp_keepalive(KEEP_ALIVE)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .http2_keep_alive_timeout(KEEP_ALIVE)
        .http2_initial_stream_window_size(WINDOW)
        .http2_initial_connection_window_size(WINDOW * 4)
}

fn without_roots(builder: ClientBuilder) -> ClientBuilder {
    builder.tls_certs_only(std::iter::empty())
}

fn redirect(attempt: Attempt<'_>) -> Action {
    let keeps_request = matches!(
        attempt.status(),
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
    );
    let from = attempt.previous();
    let same_origin = from
        .last()
        .is_some_and(|from| from.origin() == attempt.url().origin());
    if keeps_request && same_origin && from.len() <= REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// One server's URL with the headers that every request to it carries.
#[derive(Clone)]
pub struct Endpoint {
    client: Client,
    url: Url,
    origin: Arc<str>,
    headers: HeaderMap,
    /// Where `Authorization` comes from, if it changes.
    credentials: Option<Arc<dyn Credentials>>,
    pub(super) limit: usize,
}

impl Endpoint {
    /// Bodies, and events of a stream, may have up to `limit` bytes.
    pub fn new(
        client: &HttpClient,
        config: &HttpConfig,
        limit: usize,
    ) -> Result<Self, TransportError> {
        let url = Url::parse(&config.url).map_err(|error| TransportError::BadUrl {
            detail: error.to_string(),
        })?;
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let bad = || TransportError::BadHeader { name: name.clone() };
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| bad())?;
            value.set_sensitive(true);
            headers.append(key, value);
        }
        let client = client.reaching(&url, &config.tls)?;
        Ok(Self {
            client,
            origin: origin(&url).into(),
            url,
            headers,
            credentials: None,
            limit,
        })
    }

    /// Every request shows these credentials.
    #[must_use]
    pub fn showing(self, credentials: Option<Arc<dyn Credentials>>) -> Self {
        Self {
            credentials,
            ..self
        }
    }

    /// Scheme, host and port: what may be shown to people.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Sends `body`. A header given here replaces the configured one of that name.
    pub async fn post(&self, headers: HeaderMap, body: Bytes) -> Result<Answer, TransportError> {
        self.send(Method::POST, headers, Some(body)).await
    }

    /// Asks for the resource, usually an event stream.
    pub async fn get(&self, headers: HeaderMap) -> Result<Answer, TransportError> {
        self.send(Method::GET, headers, None).await
    }

    /// Asks to end what the URL or the headers name.
    pub async fn delete(&self, headers: HeaderMap) -> Result<Answer, TransportError> {
        self.send(Method::DELETE, headers, None).await
    }

    /// The same server at another URL, which must have the same origin: credentials stay where they belong.
    pub fn at(&self, reference: &str) -> Result<Self, TransportError> {
        let bad = |detail: String| TransportError::BadUrl { detail };
        let url = self
            .url
            .join(reference)
            .map_err(|error| bad(error.to_string()))?;
        if url.origin() != self.url.origin() {
            return Err(bad(format!(
                "`{}` is not at `{}`",
                origin(&url),
                self.origin
            )));
        }
        Ok(Self {
            url,
            ..self.clone()
        })
    }

    fn request(&self, method: Method, mut headers: HeaderMap) -> Request {
        for name in self.headers.keys() {
            if !headers.contains_key(name) {
                for value in self.headers.get_all(name) {
                    headers.append(name, value.clone());
                }
            }
        }
        let mut request = Request::new(method, on_http(&self.url));
        *request.headers_mut() = headers;
        request
    }

    /// Sends a request with the credentials, and once more if it was refused and there are others then.
    async fn send(
        &self,
        method: Method,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Answer, TransportError> {
        let request = |shown: Option<&HeaderValue>| {
            let mut headers = headers.clone();
            if let Some(shown) = shown {
                headers.insert(AUTHORIZATION, shown.clone());
            }
            let mut request = self.request(method.clone(), headers);
            *request.body_mut() = body.clone().map(Into::into);
            request
        };
        let Some(credentials) = &self.credentials else {
            return self.execute(request(None)).await;
        };
        let shown = credentials.current().await?;
        let mut answer = self.execute(request(shown.as_ref())).await?;
        let refusal = Refusal::of(answer.status, &answer.headers, shown.as_ref());
        let Some(refusal) = refusal else {
            return Ok(answer);
        };
        if credentials.refused(refusal).await {
            let shown = credentials.current().await?;
            answer = self.execute(request(shown.as_ref())).await?;
        }
        answer.advice = Some(credentials.advice());
        Ok(answer)
    }

    async fn execute(&self, request: Request) -> Result<Answer, TransportError> {
        let sent = self.client.execute(request).await;
        let mut response = sent.map_err(|error| failure(&self.url, &error))?;
        let headers = std::mem::take(response.headers_mut());
        let status = response.status();
        let body = Body {
            response,
            origin: self.origin.clone(),
            limit: self.limit,
        };
        Ok(Answer {
            status,
            headers,
            body,
            advice: None,
        })
    }
}

/// A body that has not been read.
pub struct Body {
    response: Response,
    origin: Arc<str>,
    limit: usize,
}

impl Body {
    /// The whole body. One that is announced as too large is not read.
    pub async fn bytes(mut self) -> Result<Bytes, TransportError> {
        let mut gather = Gather::new(self.limit, self.response.content_length())?;
        while let Some(chunk) = self.chunk().await? {
            gather.push(chunk)?;
        }
        Ok(gather.finish())
    }

    /// The body as an event stream.
    pub fn events(self) -> EventStream {
        let limit = self.limit;
        EventStream::new(self, limit)
    }

    /// How many bytes are announced, if that is known.
    pub fn announced(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The connection itself, which the server has agreed to use for something else.
    pub(super) async fn upgraded(self) -> Result<Upgraded, TransportError> {
        let broken = |error| TransportError::Http {
            origin: self.origin.as_ref().to_owned(),
            detail: innermost(&error).to_string(),
        };
        self.response.upgrade().await.map_err(broken)
    }

    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        let broken = |error| TransportError::Http {
            origin: self.origin.as_ref().to_owned(),
            detail: innermost(&error).to_string(),
        };
        self.response.chunk().await.map_err(broken)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// WebSocket begins as HTTP.
fn on_http(url: &Url) -> Url {
    let mut url = url.clone();
    let scheme = match url.scheme() {
        "ws" => "http",
        "wss" => "https",
        _ => return url,
    };
    // Cannot fail between schemes of this kind.
    let _ = url.set_scheme(scheme);
    url
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Never shows the URL, whose path or query may hold a secret.
fn failure(url: &Url, error: &reqwest::Error) -> TransportError {
    let origin = origin(url);
    let cause = innermost(error);
    let detail = cause.to_string();
    let tls = of_tls(cause);
    if tls.is_some_and(|tls| error.is_connect() || refuses_client(tls)) {
        return TransportError::Tls { origin, detail };
    }
    if !error.is_connect() {
        return TransportError::Http { origin, detail };
    }
    if error.is_timeout() {
        return TransportError::Timeout {
            origin,
            after: CONNECT,
        };
    }
    TransportError::Connect { origin, detail }
}

fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}

#[cfg(test)]
#[path = "http_client_tests.rs"]
mod tests;
