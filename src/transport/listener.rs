//! Where connections of HTTP clients come from: a TCP port or a Unix socket.

use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, fchmod};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixSocket, UnixStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::either::Either;

use crate::config::Listen;

/// How many connections of a Unix socket may wait to be accepted.
const BACKLOG: u32 = 1_024;
/// How long it may take to find out whether somebody listens.
const ANSWER: Duration = Duration::from_secs(1);
/// A process that was killed while it started another one holds its sockets a moment longer: so long, looked at so often.
const LEAVING: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A socket that listens.
pub struct Listener {
    socket: Socket,
    /// Removed when nobody listens any more.
    _file: Option<SocketFile>,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl From<TcpListener> for Listener {
    fn from(socket: TcpListener) -> Self {
        Self {
            socket: Socket::Tcp(socket),
            _file: None,
        }
    }
}

impl From<UnixListener> for Listener {
    fn from(socket: UnixListener) -> Self {
        Self {
            socket: Socket::Unix(socket),
            _file: None,
        }
    }
}

impl Listener {
    /// Listens at this place. A socket file that nobody listens at is replaced; one that stays in use is an error, as is any other
    /// file. Ours has the permissions `mode`, from its first moment on where the system can do that, and is removed when
    /// the listener is dropped.
    pub async fn bind(place: &Listen, mode: u32) -> io::Result<Self> {
        match place {
            Listen::Tcp(address) => Ok(TcpListener::bind(address).await?.into()),
            Listen::Unix(path) => {
                give_way(path).await?;
                let socket = UnixSocket::new_stream()?;
                // Linux gives the file what the socket has; elsewhere it must wait until the file is there.
                let _ = fchmod(&socket, Mode::from_raw_mode(mode));
                socket.bind(path)?;
                let file = SocketFile::of(path)?;
                fs::set_permissions(path, Permissions::from_mode(mode))?;
                Ok(Self {
                    socket: Socket::Unix(socket.listen(BACKLOG)?),
                    _file: Some(file),
                })
            }
        }
    }

    /// Where it listens: with the port that the system chose, if it did.
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

    /// The next connection, and where it comes from if that can be told. Cancel safe.
    pub(super) async fn accept(&self) -> io::Result<(Accepted, Option<SocketAddr>)> {
        match &self.socket {
            Socket::Tcp(socket) => {
                let (stream, peer) = socket.accept().await?;
                // Fails only for a connection that is gone already.
                stream
                    .set_nodelay(true)
                    .map_err(|_| io::ErrorKind::ConnectionAborted)?;
                Ok((Either::Left(stream), Some(peer)))
            }
            Socket::Unix(socket) => {
                let (stream, _) = socket.accept().await?;
                Ok((Either::Right(stream), None))
            }
        }
    }
}

/// A connection.
pub(super) type Accepted = Either<TcpStream, UnixStream>;

/// Whether accepting failed for the sake of one connection, which has gone, and not of the socket.
pub(super) fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

/// Removes a socket file that nobody listens at.
async fn give_way(path: &Path) -> io::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !metadata.file_type().is_socket() {
        let why = "there is a file that is no socket";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
    }
    let last = Instant::now() + LEAVING;
    loop {
        match timeout(ANSWER, UnixStream::connect(path)).await {
            Ok(Err(error)) => match error.kind() {
                io::ErrorKind::ConnectionRefused => return fs::remove_file(path),
                io::ErrorKind::NotFound => return Ok(()),
                io::ErrorKind::PermissionDenied => return Err(error),
                // One that accepts nothing has too much to do.
                _ => break,
            },
            Ok(Ok(_)) if Instant::now() < last => sleep(LOOK_AGAIN).await,
            _ => break,
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AddrInUse,
        "another process listens there",
    ))
}

/// The file of our socket. It is removed if it is still ours by then.
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: identity(path)?,
        })
    }
}

/// What tells a file from one that took its name later.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = identity(&self.path).is_ok_and(|now| now == self.identity);
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the socket file is left behind");
        }
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
