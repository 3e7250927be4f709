//! The HTTP client for upstreams. What the headers mean is the caller's business.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use http::{StatusCode, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use parking_lot::Mutex;
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, ClientBuilder, Url};

use super::TransportError;
use super::chosen::Chosen;
use super::http1::Pool;
use super::place;
use super::tls::{equipped, of_tls, refuses_client};
use crate::config::TlsConfig;

/// How long a server may take to accept a connection, TLS included.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept, and how many of them per server.
pub(super) const IDLE: Duration = Duration::from_secs(60);
pub(super) const IDLE_CONNECTIONS: usize = 256;
/// A dead peer is noticed after about a minute.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How many bytes of one HTTP/2 stream may be under way.
const WINDOW: u32 = 1024 * 1024;
pub(super) const REDIRECTS: usize = 5;
/// Who we are.
pub(super) const AGENT: &str = concat!("mcpmux/", env!("CARGO_PKG_VERSION"));

/// One pool of connections for all upstreams. Clones share it.
///
/// Proxies are taken from the environment; loopback addresses are reached directly. Redirects are followed within the
/// origin and only where method and body stay (307, 308). No limit on the whole time of an exchange: that is the caller's.
#[derive(Clone, Default)]
pub struct HttpClient(pub(super) Arc<Clients>);

/// Each is built when first needed, since reading the system's certificates takes time.
#[derive(Default)]
pub(super) struct Clients {
    pub(super) chosen: Chosen,
    near: OnceLock<Client>,
    near_tls: OnceLock<Client>,
    far: OnceLock<Client>,
    /// For WebSocket, which takes a connection over: HTTP/2 has none to give.
    near_socket: OnceLock<Client>,
    far_socket: OnceLock<Client>,
    /// By origin. Gone with the last endpoint there.
    plain: Mutex<HashMap<String, Weak<Pool>>>,
    proxies: OnceLock<Matcher>,
}

/// How requests get to a server.
#[derive(Clone)]
pub(super) enum Way {
    /// Straight, without TLS.
    Plain(Arc<Pool>),
    /// Through TLS or a proxy, or for WebSocket.
    Client(Client),
}

impl HttpClient {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// Closes plain connections that nobody has used for a while, and gives back the memory of large bodies.
    pub fn sweep(&self) {
        place::sweep();
        let pools: Vec<_> = {
            let mut plain = self.0.plain.lock();
            plain.retain(|_, pool| pool.strong_count() > 0);
            plain.values().filter_map(Weak::upgrade).collect()
        };
        for pool in pools {
            pool.sweep();
        }
    }

    pub(super) fn way(&self, url: &Url, own: &TlsConfig) -> Result<Way, TransportError> {
        match self.plain(url) {
            Some(pool) => Ok(Way::Plain(pool)),
            None => self.reaching(url, own).map(Way::Client),
        }
    }

    /// The connections to a server that is reached without TLS and proxy at any of its addresses, and whose URL holds
    /// no login.
    fn plain(&self, url: &Url) -> Option<Arc<Pool>> {
        let has_login = !url.username().is_empty() || url.password().is_some();
        if url.scheme() != "http" || has_login || !self.0.chosen.is_all() {
            return None;
        }
        let uri: Uri = url.as_str().parse().ok()?;
        let proxies = || self.0.proxies.get_or_init(Matcher::from_system);
        if !is_loopback(url) && proxies().intercept(&uri).is_some() {
            return None;
        }
        let origin = origin(url);
        let mut pools = self.0.plain.lock();
        if let Some(pool) = pools.get(&origin).and_then(Weak::upgrade) {
            return Some(pool);
        }
        let pool = Arc::new(Pool::new(origin.as_str().into(), uri));
        pools.insert(origin, Arc::downgrade(&pool));
        Some(pool)
    }

    pub(super) fn reaching(&self, url: &Url, own: &TlsConfig) -> Result<Client, TransportError> {
        let tls = matches!(url.scheme(), "https" | "wss");
        let near = is_loopback(url);
        let builder = || {
            let builder = if near { base().no_proxy() } else { base() };
            let builder = self.0.chosen.among(builder);
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
        .user_agent(AGENT)
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

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Never shows the URL, whose path or query may hold a secret.
pub(super) fn failure(url: &Url, error: &reqwest::Error) -> TransportError {
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

pub(super) fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}
