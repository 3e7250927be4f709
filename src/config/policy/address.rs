//! Patterns of URLs, compared part by part: a `*` in the host cannot reach into the path.

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::glob::{matches, matches_any_case};
use super::judge::Side;

/// One `serverUrl`.
#[derive(Clone, Debug)]
pub(super) struct Address {
    scheme: Option<String>,
    host: String,
    port: Option<String>,
    path: Option<String>,
}

impl Address {
    /// Reads `[SCHEME://]HOST[:PORT][/PATH]`. Fails with what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains(['@', '?', '#', '\\']) {
            return Err("it may have no user, query or fragment");
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(family(&scheme.to_lowercase()).to_owned()), rest),
            None => (None, text),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => (&rest[..at], Some(rest[at..].to_owned())),
            None => (rest, None),
        };
        let port_at = authority
            .rfind(':')
            .filter(|at| !authority[*at..].contains(']'));
        let (host, port) = match port_at {
            Some(at) => (&authority[..at], Some(&authority[at + 1..])),
            None => (authority, None),
        };
        if port.is_some_and(|port| port != "*" && port.parse::<u16>().is_err()) {
            return Err("its port is neither a number nor `*`");
        }
        Ok(Self {
            scheme,
            host: host_pattern(host)?,
            port: port.map(str::to_owned),
            path: path.filter(|path| path != "/*"),
        })
    }

    /// Whether the pattern is about this URL. Where a URL can be read in several ways, all of them must be allowed, and
    /// one that is denied is enough.
    pub(super) fn is_about(&self, url: &Url, side: Side) -> bool {
        let scheme = self.scheme.as_ref();
        let host = url.host_str().unwrap_or_default().trim_end_matches('.');
        scheme.is_none_or(|pattern| matches(pattern, family(url.scheme())))
            && matches(&self.host, &host.to_lowercase())
            && self.has_port(url, side)
            && self.path.as_ref().is_none_or(|pattern| match side {
                Side::Allowed => readings(url).iter().all(|path| matches(pattern, path)),
                Side::Denied => readings(url).iter().any(|path| {
                    let bare = path.trim_end_matches('/');
                    matches_any_case(pattern, path) || matches_any_case(pattern, bare)
                }),
            })
    }

    fn has_port(&self, url: &Url, side: Side) -> bool {
        let port = url.port_or_known_default();
        match (self.port.as_deref(), side) {
            (Some("*"), _) | (None, Side::Denied) => true,
            (Some(number), _) => number.parse().ok() == port,
            // The one that goes without saying.
            (None, Side::Allowed) => url.port().is_none(),
        }
    }
}

/// WebSocket is HTTP to begin with.
fn family(scheme: &str) -> &str {
    match scheme {
        "ws" => "http",
        "wss" => "https",
        other => other,
    }
}

fn host_pattern(text: &str) -> Result<String, &'static str> {
    let text = text.trim_end_matches('.').to_lowercase();
    if text.is_empty() {
        return Err("it has no host");
    }
    if !text.contains('*') {
        // As URLs are read: `0x7f.1` is 127.0.0.1.
        return match Host::parse(&text) {
            Ok(host) => Ok(host.to_string()),
            Err(_) => Err("its host is none"),
        };
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || "*.-_".contains(c);
    if text.chars().all(legal) {
        Ok(text)
    } else {
        Err("its host is none")
    }
}

/// The path as it is written, and as servers may read it.
fn readings(url: &Url) -> Vec<String> {
    let written = url.path().to_owned();
    let mut readings = vec![written.clone()];
    let mut path = written;
    // Encoded twice is as far as anybody decodes.
    for _ in 0..2 {
        let decoded = percent_decode_str(&path).decode_utf8_lossy().into_owned();
        path = resolved(&decoded);
        if !readings.contains(&path) {
            readings.push(path.clone());
        }
    }
    readings
}

/// Without empty and dot segments.
fn resolved(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split(['/', '\\']) {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(pattern: &str, url: &str, side: Side) -> bool {
        let url = Url::parse(url).unwrap();
        Address::parse(pattern).unwrap().is_about(&url, side)
    }

    #[test]
    fn an_allowed_address_cannot_be_feigned() {
        let pattern = "https://*.example.com/mcp/*";
        for url in [
            "https://a.example.com/mcp/x",
            "https://a.b.example.com:443/mcp/",
            "https://user:pw@A.EXAMPLE.com./mcp/x?q=1#f",
            "wss://a.example.com/mcp/x",
        ] {
            assert!(about(pattern, url, Side::Allowed), "{url}");
        }
        for url in [
            "https://example.com/mcp/x",
            "https://evil.com/.example.com/mcp/x",
            "https://a.example.com@evil.com/mcp/x",
            "https://a.example.com.evil.com/mcp/x",
            "https://a.example.com:8443/mcp/x",
            "http://a.example.com/mcp/x",
            "https://a.example.com/mcp/../admin/x",
            "https://a.example.com/mcp/%2e%2e/admin/x",
            "https://a.example.com/mcp/..%2fadmin/x",
            "https://a.example.com/mcp/..%252fadmin/x",
            "https://a.example.com/mcp/..%5cadmin/x",
            "https://a.example.com/%6dcp/x",
        ] {
            assert!(!about(pattern, url, Side::Allowed), "{url}");
        }
    }

    #[test]
    fn a_denied_address_is_found_in_each_of_its_forms() {
        for url in [
            "https://evil.example/mcp",
            "HTTPS://EVIL.example:443/mcp",
            "https://evil.example./mcp",
            "https://user@evil.example:8443/MCP/",
            "http://evil.example//mcp",
            "ws://evil.example/%6D%63p",
            "https://evil.example/x/..%2Fmcp",
        ] {
            assert!(about("evil.example/mcp", url, Side::Denied), "{url}");
        }
        assert!(about("127.0.0.1", "http://0x7f.1:9/x", Side::Denied));
        assert!(about("http://*", "ws://any.example/", Side::Denied));
        assert!(!about("http://*", "https://any.example/", Side::Denied));
        assert!(!about(
            "evil.example",
            "https://notevil.example/",
            Side::Denied
        ));
    }

    #[test]
    fn ports_and_bad_patterns() {
        assert!(about(
            "http://localhost:*",
            "http://localhost:9/",
            Side::Allowed
        ));
        assert!(about(
            "http://localhost:9/",
            "http://localhost:9/",
            Side::Allowed
        ));
        assert!(about("http://[::1]:9", "http://[::1]:9/x", Side::Allowed));
        for bad in [
            "",
            "https://",
            "https://a@b/",
            "http://h:x/",
            "http://h/?q",
            "ex ample",
            "é*",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }
}
