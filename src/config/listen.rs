//! `Listen`: the address that the mux serves on.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// Where the mux listens for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listen {
    /// Streamable HTTP on this address; port 0 lets the system choose.
    Tcp(SocketAddr),
}

/// Why a text is no address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadListen {
    /// A Unix socket, which is not supported.
    #[error("Unix sockets are not supported yet")]
    UnixSocket,
    /// A name other than `localhost`, which could mean any address.
    #[error("it names a host, not an IP address")]
    HostName,
    /// The port is missing or not a number up to 65535.
    #[error("the port is not a number from 0 to 65535")]
    Port,
}

impl Listen {
    /// Whether only this machine can reach the address.
    pub fn is_loopback(&self) -> bool {
        let Self::Tcp(address) = self;
        address.ip().is_loopback()
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        let Self::Tcp(address) = self;
        *address
    }
}

impl FromStr for Listen {
    type Err = BadListen;

    /// Reads `IP:PORT`, `localhost:PORT` or a port on 127.0.0.1.
    fn from_str(text: &str) -> Result<Self, BadListen> {
        if text.starts_with("unix:") || text.starts_with('/') {
            return Err(BadListen::UnixSocket);
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self::Tcp(address));
        }
        let (host, port) = text.rsplit_once(':').unwrap_or(("localhost", text));
        let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = if is_number { port.parse().ok() } else { None }.ok_or(BadListen::Port)?;
        if !host.eq_ignore_ascii_case("localhost") {
            return Err(BadListen::HostName);
        }
        Ok(Self::Tcp(SocketAddr::new(
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            port,
        )))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Tcp(address) = self;
        address.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, BadListen> {
        text.parse::<Listen>().map(|listen| listen.to_string())
    }

    #[test]
    fn addresses_and_ports_are_read() {
        assert_eq!(read("127.0.0.1:8808"), Ok("127.0.0.1:8808".into()));
        assert_eq!(read("[::1]:80"), Ok("[::1]:80".into()));
        assert_eq!(read("LocalHost:0"), Ok("127.0.0.1:0".into()));
        assert_eq!(read("8808"), Ok("127.0.0.1:8808".into()));
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        assert_eq!(read("unix:/run/mux.sock"), Err(BadListen::UnixSocket));
        assert_eq!(read("/run/mux.sock"), Err(BadListen::UnixSocket));
        assert_eq!(read("example.com:80"), Err(BadListen::HostName));
        assert_eq!(read(":80"), Err(BadListen::HostName));
        for text in [
            "",
            "localhost",
            "localhost:",
            "127.0.0.1:65536",
            "1:2:3:",
            "localhost:+80",
        ] {
            assert_eq!(read(text), Err(BadListen::Port), "{text}");
        }
    }

    #[test]
    fn loopback_is_told_from_the_rest() {
        let loopback = |text: &str| text.parse::<Listen>().unwrap().is_loopback();
        assert!(loopback("127.9.9.9:1") && loopback("[::1]:1") && loopback("1"));
        assert!(!loopback("0.0.0.0:1") && !loopback("[::]:1"));
    }
}
