//! `Listen`: where the mux serves.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

const UNIX: &str = "unix:";

/// Where the mux listens for clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Listen {
    /// Streamable HTTP on this address; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// Streamable HTTP on a Unix socket with this absolute path.
    Unix(PathBuf),
}

/// Why a text is no address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadListen {
    /// A Unix socket whose path is not absolute.
    #[error("the path of a Unix socket must be absolute")]
    RelativeSocket,
    /// A path that does not say what it is.
    #[error("it is a path, not an address")]
    BarePath,
    /// A name other than `localhost`, which could mean any address.
    #[error("it names a host, not an IP address")]
    HostName,
    /// The port is missing or not a number up to 65535.
    #[error("the port is not a number from 0 to 65535")]
    Port,
}

impl Listen {
    /// The address, if others than this machine can reach it.
    pub fn open_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) if !address.ip().is_loopback() => Some(*address),
            Self::Tcp(_) | Self::Unix(_) => None,
        }
    }
}

impl FromStr for Listen {
    type Err = BadListen;

    /// Reads `IP:PORT`, `localhost:PORT`, a port on 127.0.0.1, or `unix:PATH`.
    fn from_str(text: &str) -> Result<Self, BadListen> {
        if let Some(path) = text.strip_prefix(UNIX) {
            let path = Path::new(path);
            let is_file = path.is_absolute() && path.file_name().is_some();
            let socket = is_file.then(|| Self::Unix(path.to_owned()));
            return socket.ok_or(BadListen::RelativeSocket);
        }
        if text.contains('/') {
            return Err(BadListen::BarePath);
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
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
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
        assert_eq!(read("unix:/run/m.sock"), Ok("unix:/run/m.sock".into()));
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        for text in ["unix:", "unix:m.sock", "unix:/", "unix:/.."] {
            assert_eq!(read(text), Err(BadListen::RelativeSocket), "{text}");
        }
        assert_eq!(read("/run/mux.sock"), Err(BadListen::BarePath));
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
    fn what_others_can_reach_is_told_from_the_rest() {
        let open = |text: &str| text.parse::<Listen>().unwrap().open_address().is_some();
        assert!(!open("127.9.9.9:1") && !open("[::1]:1") && !open("1") && !open("unix:/m"));
        assert!(open("0.0.0.0:1") && open("[::]:1"));
    }
}
