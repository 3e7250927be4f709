//! The paths below `/mux/` of a running mux.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::header::{CONTENT_TYPE, FORWARDED, HOST, HeaderName, ORIGIN, VIA};
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::reload::Reloader;
use crate::transport::{HttpReply, HttpRequest, HttpService};

use super::answer::{Answer, Refusal};

/// What all these paths begin with.
const BELOW: &str = "/mux/";
/// Where the files are read again.
pub(super) const RELOAD: &str = "/mux/reload";
/// Must be there: a web page cannot send it without being allowed to, which it never is.
pub(super) const CONTROL: HeaderName = HeaderName::from_static("mcpmux-control");
pub(super) const JSON: &str = "application/json";
/// What browsers and proxies put in. Whoever steers a mux is neither, and talks to it directly.
const FOREIGN: [HeaderName; 6] = [
    ORIGIN,
    FORWARDED,
    VIA,
    HeaderName::from_static("sec-fetch-site"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
];

/// What `/mux/reload` takes.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Wish {
    /// Only to say what would be done.
    pub(super) dry_run: bool,
}

/// Steers the mux of one reloader.
pub struct Control(Arc<Reloader>);

/// The paths of the mux itself, before those of another service.
pub struct Front<S> {
    control: Option<Control>,
    service: S,
}

impl Control {
    /// Has this one follow its files.
    pub fn new(reloader: Arc<Reloader>) -> Self {
        Self(reloader)
    }

    async fn handle(&self, request: &HttpRequest) -> HttpReply {
        if let Some(why) = refused(&request.headers, request.peer) {
            tracing::debug!(peer = ?request.peer, why, "a request to steer the mux was refused");
            return json(
                StatusCode::FORBIDDEN,
                &Refusal {
                    kind: "forbidden".to_owned(),
                    ..Refusal::default()
                },
            );
        }
        match (request.target.path(), &request.method) {
            (RELOAD, &Method::POST) => self.reload(&request.body).await,
            (RELOAD, _) => HttpReply::empty(StatusCode::METHOD_NOT_ALLOWED),
            _ => HttpReply::empty(StatusCode::NOT_FOUND),
        }
    }

    async fn reload(&self, body: &[u8]) -> HttpReply {
        let Ok(wish) = serde_json::from_slice::<Wish>(body) else {
            return HttpReply::empty(StatusCode::BAD_REQUEST);
        };
        let done = if wish.dry_run {
            self.0.plan().await
        } else {
            self.0.reload().await
        };
        match done {
            Ok(reloaded) => json(StatusCode::OK, &Answer::of(&reloaded, !wish.dry_run)),
            Err(error) => json(StatusCode::UNPROCESSABLE_ENTITY, &Refusal::of(&error)),
        }
    }
}

impl<S> Front<S> {
    /// Without a control, these paths are not there.
    pub fn new(control: Option<Control>, service: S) -> Self {
        Self { control, service }
    }
}

impl<S: HttpService> HttpService for Front<S> {
    async fn handle(&self, request: &mut HttpRequest) -> HttpReply {
        match &self.control {
            Some(control) if request.target.path().starts_with(BELOW) => {
                Box::pin(control.handle(request)).await
            }
            _ => self.service.handle(request).await,
        }
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> HttpReply {
    HttpReply::full(status, JSON, serde_json::to_vec(body).unwrap_or_default())
}

/// Why whoever asks may not steer the mux.
fn refused(headers: &HeaderMap, peer: Option<SocketAddr>) -> Option<&'static str> {
    let is_json = |value: &http::HeaderValue| value.as_bytes() == JSON.as_bytes();
    let loopback = |value: &http::HeaderValue| {
        Authority::try_from(value.as_bytes()).is_ok_and(|host| is_loopback(host.host()))
    };
    if peer.is_some_and(|peer| !peer.ip().to_canonical().is_loopback()) {
        return Some("it does not come from this machine");
    }
    if !headers.contains_key(CONTROL) || !headers.get(CONTENT_TYPE).is_some_and(is_json) {
        return Some("it does not say that it means to");
    }
    if FOREIGN.iter().any(|name| headers.contains_key(name)) {
        return Some("it comes from a web page or through a proxy");
    }
    // A name for this machine that only an attacker's name server knows.
    let mut hosts = headers.get_all(HOST).iter();
    if !hosts.next().is_some_and(loopback) || hosts.next().is_some() {
        return Some("it is meant for another host");
    }
    None
}

fn is_loopback(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || literal
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(change: impl FnOnce(&mut HeaderMap)) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("localhost:8808"));
        headers.insert(CONTROL, HeaderValue::from_static("1"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        change(&mut headers);
        headers
    }

    fn may(headers: &HeaderMap, peer: Option<&str>) -> bool {
        refused(headers, peer.map(|peer| peer.parse().unwrap())).is_none()
    }

    #[test]
    fn who_is_on_this_machine_may() {
        let plain = headers(|_| {});
        assert!(may(&plain, None));
        assert!(may(&plain, Some("127.0.0.1:1")));
        assert!(may(&plain, Some("[::1]:1")));
        assert!(may(&plain, Some("[::ffff:127.0.0.1]:1")));
        assert!(!may(&plain, Some("192.0.2.1:1")));
        for host in ["127.0.0.1:8808", "[::1]:8808", "LOCALHOST"] {
            let named = headers(|all| drop(all.insert(HOST, HeaderValue::from_static(host))));
            assert!(may(&named, None), "{host}");
        }
    }

    #[test]
    fn web_pages_and_proxies_may_not() {
        for name in FOREIGN {
            let foreign = headers(|all| drop(all.insert(&name, HeaderValue::from_static("x"))));
            assert!(!may(&foreign, None), "{name}");
        }
        for host in [
            "evil.example:8808",
            "localhost.evil.example",
            "127.0.0.1.evil",
            "",
        ] {
            let named = headers(|all| drop(all.insert(HOST, HeaderValue::from_static(host))));
            assert!(!may(&named, None), "{host}");
        }
    }

    #[test]
    fn who_does_not_say_so_may_not() {
        for name in [HOST, CONTROL, CONTENT_TYPE] {
            assert!(
                !may(&headers(|all| drop(all.remove(&name))), None),
                "{name}"
            );
        }
        let form = HeaderValue::from_static("text/plain");
        assert!(!may(
            &headers(|all| drop(all.insert(CONTENT_TYPE, form))),
            None
        ));
    }
}
