//! Who may talk to our HTTP side: the checks of `Host` and `Origin`.
//!
//! A web page may make a browser send requests to any address, also to one on this machine. `Origin` tells which page did,
//! and `Host` tells which name the browser believes to talk to (MCP 2026-07-28, streamable HTTP, "Security").

use std::net::IpAddr;
use std::sync::OnceLock;

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Uri};
use thiserror::Error;

use crate::config::Listen;

/// Why a request is refused with 403.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// No `Host`, several of them, or one that is not allowed.
    #[error("host not allowed")]
    Host,
    /// An `Origin` that is not allowed.
    #[error("origin not allowed")]
    Origin,
}

/// Which hosts and origins are allowed.
///
/// Always: `localhost` and loopback addresses on any port, the address that we listen on, and a page that came from the host it
/// talks to. When we listen on all addresses, any address literal will do as the host, since no name is involved that
/// could be pointed elsewhere.
///
/// On a Unix socket, which no browser reaches, the host says nothing: it is checked only if `hosts` names some, for a proxy in
/// front. Without that, a page that came from the host it talks to proves nothing either.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// None on a Unix socket.
    listen: Option<IpAddr>,
    hosts: Vec<String>,
    origins: Vec<String>,
    /// A `Host` that was found to be allowed: nearly every request has the same.
    known: OnceLock<HeaderValue>,
}

impl Allowed {
    /// `hosts`: `name`, `name:port`, `*.domain` or `*`. `origins`: `scheme://host[:port]` or `*`.
    pub fn new(listen: &Listen, hosts: &[String], origins: &[String]) -> Self {
        let lower = |texts: &[String]| texts.iter().map(|text| text.to_ascii_lowercase()).collect();
        Self {
            listen: match listen {
                Listen::Tcp(address) => Some(address.ip()),
                Listen::Unix(_) => None,
            },
            hosts: lower(hosts),
            origins: lower(origins),
            known: OnceLock::new(),
        }
    }

    /// Checks the target and the headers of a request. To be asked before anything else is read.
    pub fn check(&self, target: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        if target.authority().is_none() && self.knows(headers) {
            return Ok(());
        }
        let host = match self.listen {
            None if self.hosts.is_empty() => None,
            _ => Some(self.host(target, headers)?),
        };
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return Ok(());
        };
        let origin = origin
            .to_str()
            .map_err(|_| Refused::Origin)?
            .to_ascii_lowercase();
        if origins.next().is_none() && self.is_origin(&origin, host.as_ref()) {
            Ok(())
        } else {
            Err(Refused::Origin)
        }
    }

    /// Whether there is no `Origin`, and the one `Host` is that which was allowed before.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let known = self.known.get();
        let mut hosts = 0;
        for (name, value) in headers {
            match *name {
                HOST if Some(value) == known => hosts += 1,
                HOST | ORIGIN => return false,
                _ => {}
            }
        }
        hosts == 1
    }

    /// The host that the request is for: HTTP/2 and proxies name it in the target, others in a header.
    /// Where both are, both are checked.
    fn host(&self, target: &Uri, headers: &HeaderMap) -> Result<Authority, Refused> {
        let mut named: Vec<Authority> = target.authority().cloned().into_iter().collect();
        for value in headers.get_all(HOST) {
            named.push(Authority::try_from(value.as_bytes()).map_err(|_| Refused::Host)?);
        }
        let too_many = headers.get_all(HOST).iter().count() > 1;
        if too_many || !named.iter().all(|host| self.is_host(host)) {
            return Err(Refused::Host);
        }
        if let (Some(host), None) = (headers.get(HOST), self.known.get()) {
            // In memory of its own: the header is a slice of the whole head.
            drop(HeaderValue::from_bytes(host.as_bytes()).map(|host| self.known.set(host)));
        }
        named.into_iter().next().ok_or(Refused::Host)
    }

    fn is_host(&self, host: &Authority) -> bool {
        if host.as_str().contains('@') {
            return false;
        }
        let name = name(host);
        let on_all = self.listen.is_some_and(|listen| listen.is_unspecified());
        let is_address = on_all && address(&name).is_some();
        is_address
            || self.is_own(&name)
            || self
                .hosts
                .iter()
                .any(|allowed| matches(allowed, host, &name))
    }

    fn is_origin(&self, origin: &str, host: Option<&Authority>) -> bool {
        if self
            .origins
            .iter()
            .any(|allowed| allowed == "*" || allowed == origin)
        {
            return true;
        }
        let page = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        let Some(Ok(page)) = page.map(Authority::try_from) else {
            return false;
        };
        Some(&page) == host || self.is_own(&name(&page))
    }

    /// A loopback name, or the address that we listen on.
    fn is_own(&self, name: &str) -> bool {
        name == "localhost"
            || address(name).is_some_and(|address| {
                address.is_loopback() || (Some(address) == self.listen && !address.is_unspecified())
            })
    }
}

/// The name of a host, in lower case, without its port and without the dot of the root.
fn name(host: &Authority) -> String {
    let name = host.host().to_ascii_lowercase();
    name.strip_suffix('.').map(str::to_owned).unwrap_or(name)
}

fn address(name: &str) -> Option<IpAddr> {
    name.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

fn matches(allowed: &str, host: &Authority, name: &str) -> bool {
    let below = |domain| {
        name.strip_suffix(domain)
            .is_some_and(|rest: &str| rest.ends_with('.'))
    };
    allowed == "*"
        || allowed == name
        || host.as_str().eq_ignore_ascii_case(allowed)
        || allowed.strip_prefix("*.").is_some_and(below)
}

#[cfg(test)]
#[path = "origin_tests.rs"]
mod tests;
