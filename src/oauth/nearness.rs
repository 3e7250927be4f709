//! How near an address is to us, so that nobody far away makes us reach for what is near.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::net::lookup_host;
use url::{Host, Url};

/// From the nearest to the farthest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Nearness {
    /// Link-local (where clouds keep their metadata), or no address of a host at all.
    Special,
    /// This machine.
    Loopback,
    /// The network that we are in.
    Private,
    /// Anywhere.
    Public,
}

impl Nearness {
    /// The nearest address that the host of a URL has. What cannot be looked up is left to the proxy that knows it.
    pub(super) async fn of(url: &Url) -> Self {
        match url.host() {
            Some(Host::Ipv4(address)) => Self::of_v4(address),
            Some(Host::Ipv6(address)) => Self::of_v6(address),
            Some(Host::Domain(name)) if is_localhost(name) => Self::Loopback,
            Some(Host::Domain(name)) => {
                let port = url.port_or_known_default().unwrap_or(443);
                let found = lookup_host((name, port)).await;
                let nearest = found
                    .ok()
                    .and_then(|found| found.map(|at| Self::of_ip(at.ip())).min());
                nearest.unwrap_or(Self::Public)
            }
            None => Self::Special,
        }
    }

    /// Whether what is so near may be reached, if nothing may be nearer than `nearest`.
    pub(super) fn is_allowed(self, nearest: Self) -> bool {
        self != Self::Special && self >= nearest
    }

    /// How near an address is.
    pub(super) fn of_ip(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let [a, b, ..] = address.octets();
        let is_shared = a == 100 && (64..128).contains(&b);
        let is_test = a == 198 && (18..20).contains(&b);
        if address.is_loopback() {
            Self::Loopback
        } else if address.is_link_local() || address.is_multicast() || a == 0 || a >= 240 {
            Self::Special
        } else if address.is_private() || is_shared || is_test {
            Self::Private
        } else {
            Self::Public
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let segments = address.segments();
        if address.is_loopback() {
            return Self::Loopback;
        }
        if let Some(inner) = embedded(segments) {
            return Self::of_v4(inner);
        }
        match segments[0] {
            0 => Self::Special,
            first if first & 0xffc0 == 0xfe80 || first & 0xff00 == 0xff00 => Self::Special,
            first if first & 0xfe00 == 0xfc00 => Self::Private,
            _ => Self::Public,
        }
    }
}

/// The IPv4 address in an address that only wraps one: mapped, compatible, NAT64 and 6to4.
fn embedded(segments: [u16; 8]) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(join(high, low))
        }
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

/// Whether a name is this machine's by definition (RFC 6761).
pub(super) fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_are_sorted_by_how_near_they_are() {
        let cases = [
            ("http://169.254.169.254", Nearness::Special),
            ("http://0.0.0.0", Nearness::Special),
            ("http://[fe80::1]", Nearness::Special),
            ("http://[::ffff:169.254.169.254]", Nearness::Special),
            ("http://127.8.8.8", Nearness::Loopback),
            ("http://LOCALHOST.", Nearness::Loopback),
            ("http://a.localhost", Nearness::Loopback),
            ("http://[::1]", Nearness::Loopback),
            ("http://[::ffff:127.0.0.1]", Nearness::Loopback),
            ("http://0x7f.1", Nearness::Loopback),
            ("http://10.1.1.1", Nearness::Private),
            ("http://192.168.0.1", Nearness::Private),
            ("http://100.100.1.1", Nearness::Private),
            ("http://[fd00::1]", Nearness::Private),
            ("http://[64:ff9b::a00:1]", Nearness::Private),
            ("http://[2002:c0a8:1::]", Nearness::Private),
            ("http://93.184.216.34", Nearness::Public),
            ("http://[2606:2800::1]", Nearness::Public),
        ];
        for (url, nearness) in cases {
            assert_eq!(
                Nearness::of(&Url::parse(url).unwrap()).await,
                nearness,
                "{url}"
            );
        }
    }
}
