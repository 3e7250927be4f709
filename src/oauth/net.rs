//! The requests of a login: where they may go, and how much is read.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use url::{Host, Url};

use super::nearness::{Nearness, is_localhost};
use super::{Challenge, OAuthError};
use crate::config::{HttpConfig, TlsConfig};
use crate::transport::{Answer, Endpoint, HttpClient};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest document and longest answer, in bytes.
const LONGEST: usize = 256 * 1024;
const REDIRECTS: usize = 3;
/// How many hosts are remembered.
const MOST_HOSTS: usize = 64;

/// Reaches authorization servers on behalf of one server.
#[derive(Clone)]
pub(super) struct Net {
    http: HttpClient,
    /// The server, with the TLS settings that go with it.
    server: HttpConfig,
    /// Its URL for HTTP.
    url: Url,
    hosts: Hosts,
}

/// Names of hosts that were checked, each with the nearest that an address of it may be. A name may lead elsewhere when it is
/// connected to.
#[derive(Clone, Default)]
struct Hosts(Arc<Mutex<HashMap<String, Nearness>>>);

impl Hosts {
    fn note(&self, url: &Url, nearest: Nearness) {
        let mut hosts = self.0.lock();
        let Some(Host::Domain(name)) = url.host().filter(|_| !is_loopback(url)) else {
            return;
        };
        if hosts.len() >= MOST_HOSTS {
            hosts.clear();
        }
        hosts.insert(name.to_owned(), nearest);
    }

    /// The server itself, and a proxy, are as near as they like.
    fn fits(&self, name: &str, address: IpAddr) -> bool {
        let nearest = self.0.lock().get(name).copied();
        nearest.is_none_or(|nearest| Nearness::of_ip(address).is_allowed(nearest))
    }
}

/// An answer that was read.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Net {
    pub(super) fn new(server: &HttpConfig, url: Url) -> Self {
        let hosts = Hosts::default();
        let checked = hosts.clone();
        let fits = move |name: &str, address| checked.fits(name, address);
        Self {
            http: HttpClient::choosing(Arc::new(fits)),
            server: server.clone(),
            url,
            hosts,
        }
    }

    /// A URL that something far away named, if it may be used: HTTPS, or loopback; and not nearer to us than
    /// the server itself (security best practices, "Server-Side Request Forgery").
    pub(super) async fn check(&self, text: &str) -> Result<Url, OAuthError> {
        let bad = |url: Option<&Url>, why| OAuthError::Unsafe {
            origin: url.map_or_else(|| "?".to_owned(), |url| url.origin().ascii_serialization()),
            why,
        };
        let url = Url::parse(text).map_err(|_| bad(None, "it is no URL"))?;
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        if !is_safe {
            return Err(bad(Some(&url), "it is neither HTTPS nor on this machine"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad(Some(&url), "it holds credentials"));
        }
        if url.host() != self.url.host() {
            let nearest = Nearness::of(&self.url).await;
            self.hosts.note(&url, nearest);
            if !Nearness::of(&url).await.is_allowed(nearest) {
                return Err(bad(
                    Some(&url),
                    "it is nearer to this machine than the server is",
                ));
            }
        }
        Ok(url)
    }

    /// A JSON document; `None` if there is none here. Redirects are followed within the origin.
    pub(super) async fn document<T: DeserializeOwned>(
        &self,
        text: &str,
    ) -> Result<Option<T>, OAuthError> {
        let mut url = self.check(text).await?;
        for _ in 0..=REDIRECTS {
            let headers = HeaderMap::from_iter([(ACCEPT, JSON)]);
            let answer = self
                .answer(&url, async |endpoint| endpoint.get(headers).await)
                .await?;
            if answer.status.is_redirection() {
                match next(&url, &answer) {
                    Some(there) => url = there,
                    None => return Ok(None),
                }
                continue;
            }
            if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS {
                return Err(OAuthError::Broken {
                    what: "looking for the authorization server",
                    why: format!("`{}` answered HTTP status {}", origin(&url), answer.status),
                });
            }
            if answer.status != StatusCode::OK {
                return Ok(None);
            }
            let body = self.body(&url, answer).await?.body;
            return Ok(serde_json::from_slice(&body).ok());
        }
        Ok(None)
    }

    /// Sends a form. Redirects are not followed: it holds secrets.
    pub(super) async fn form(
        &self,
        text: &str,
        form: &[(&str, &str)],
        mut headers: HeaderMap,
    ) -> Result<Reply, OAuthError> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        headers.insert(CONTENT_TYPE, FORM);
        self.post(text, headers, body.into()).await
    }

    /// Sends a JSON object.
    pub(super) async fn json(
        &self,
        text: &str,
        body: &serde_json::Value,
    ) -> Result<Reply, OAuthError> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, JSON)]);
        self.post(text, headers, body.to_string().into()).await
    }

    /// The challenge of the server itself to a request without a token, if it has one.
    pub(super) async fn challenge(
        &self,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Challenge, OAuthError> {
        let server = HttpConfig {
            url: self.url.to_string(),
            ..self.server.clone()
        };
        let endpoint = Endpoint::new(&self.http, &server, LONGEST)?;
        let late = |_| OAuthError::Late(origin(&self.url));
        let mut stream = headers.clone();
        let posted = timeout(PATIENCE, endpoint.post(headers, body))
            .await
            .map_err(late)??;
        if let Some(challenge) = Challenge::of(&posted.headers) {
            return Ok(challenge);
        }
        // The old transport knows only GET at this address.
        stream.insert(ACCEPT, EVENTS);
        let got = timeout(PATIENCE, endpoint.get(stream))
            .await
            .map_err(late)??;
        Ok(Challenge::of(&got.headers).unwrap_or_default())
    }

    async fn post(
        &self,
        text: &str,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply, OAuthError> {
        let url = self.check(text).await?;
        headers.insert(ACCEPT, JSON);
        let answer = self
            .answer(&url, async |endpoint| endpoint.post(headers, body).await)
            .await?;
        self.body(&url, answer).await
    }

    async fn answer(
        &self,
        url: &Url,
        ask: impl AsyncFnOnce(Endpoint) -> Result<Answer, crate::transport::TransportError>,
    ) -> Result<Answer, OAuthError> {
        let there = HttpConfig {
            url: url.to_string(),
            headers: Vec::new(),
            // Its own certificate is for the server alone.
            tls: TlsConfig {
                identity: None,
                ..self.server.tls.clone()
            },
            oauth: None,
        };
        let endpoint = Endpoint::new(&self.http, &there, LONGEST)?;
        match timeout(PATIENCE, ask(endpoint)).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(OAuthError::Late(origin(url))),
        }
    }

    async fn body(&self, url: &Url, answer: Answer) -> Result<Reply, OAuthError> {
        let status = answer.status;
        match timeout(PATIENCE, answer.body.bytes()).await {
            Ok(body) => Ok(Reply {
                status,
                body: body?,
            }),
            Err(_) => Err(OAuthError::Late(origin(url))),
        }
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// Where a redirect leads, if that is at the same origin.
fn next(url: &Url, answer: &Answer) -> Option<Url> {
    let location = answer.headers.get(LOCATION)?.to_str().ok()?;
    let there = url.join(location).ok()?;
    (there.origin() == url.origin()).then_some(there)
}

/// Scheme, host and port of a URL.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Whether a URL names this machine in a way that no resolver can change.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_localhost(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_no_nearer_than_when_it_was_checked() {
        let hosts = Hosts::default();
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        hosts.note(
            &Url::parse("https://as.example/x").unwrap(),
            Nearness::Private,
        );
        assert!(hosts.fits("as.example", at("93.184.216.34")));
        assert!(hosts.fits("as.example", at("10.0.0.1")));
        for near in ["127.0.0.1", "::1", "169.254.169.254"] {
            assert!(!hosts.fits("as.example", at(near)), "{near}");
        }
        assert!(hosts.fits("proxy.example", at("10.0.0.1")));
    }
}
