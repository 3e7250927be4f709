//! Sockets that a service manager opened before it started us (systemd, `sd_listen_fds(3)`).

use std::env;
use std::io;
use std::net;
use std::os::unix::net as unix;
use std::path::Path;

use listenfd::ListenFd;
use tokio::net::{TcpListener, UnixListener};

use super::listener::Listener;
use crate::config::Listen;

/// A socket that was handed to us, and the name that it was given.
#[derive(Debug)]
pub struct Inherited {
    socket: Socket,
    /// `FileDescriptorName=` of the socket's unit; empty if there is none.
    pub name: String,
}

#[derive(Debug)]
enum Socket {
    Tcp(net::TcpListener),
    Unix(unix::UnixListener),
}

impl Inherited {
    /// All that were handed to this process; none if that was another. To be called once, before there are threads:
    /// `LISTEN_PID` and `LISTEN_FDS` are removed from the environment, and no child gets the sockets.
    pub fn take() -> io::Result<Vec<Self>> {
        if env::var_os("LISTEN_PID").is_none() {
            return Ok(Vec::new());
        }
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut handed = ListenFd::from_env();
        let mut sockets = Vec::new();
        for index in 0..handed.len() {
            let name = names.next().unwrap_or_default().to_owned();
            let socket = match handed.take_tcp_listener(index) {
                Ok(Some(socket)) => Some(Socket::Tcp(socket)),
                Ok(None) => None,
                Err(_) => handed.take_unix_listener(index)?.map(Socket::Unix),
            };
            sockets.extend(socket.map(|socket| Self { socket, name }));
        }
        Ok(sockets)
    }

    /// Where it listens.
    pub fn place(&self) -> io::Result<Listen> {
        match &self.socket {
            Socket::Tcp(socket) => Ok(Listen::Tcp(socket.local_addr()?)),
            Socket::Unix(socket) => {
                let address = socket.local_addr()?;
                let path = address.as_pathname().map(Path::to_owned);
                Ok(Listen::Unix(path.unwrap_or_default()))
            }
        }
    }

    /// Ready to accept; needs a tokio runtime. The file of a Unix socket belongs to the service manager and stays.
    pub fn listen(self) -> io::Result<Listener> {
        match self.socket {
            Socket::Tcp(socket) => {
                socket.set_nonblocking(true)?;
                Ok(TcpListener::from_std(socket)?.into())
            }
            Socket::Unix(socket) => {
                socket.set_nonblocking(true)?;
                Ok(UnixListener::from_std(socket)?.into())
            }
        }
    }
}
