//! Our own stdin and stdout, where they can be waited for.
//!
//! The open pipe or socket may belong to our parent as well, whose side must not become non-blocking. So a pipe is opened anew,
//! which gives a description of our own, and a socket is told with every call. Both are Linux's; elsewhere, and where it is a
//! file, a terminal or a pipe with a name, there is no such end, and a thread does the work.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::net::{RecvFlags, SendFlags, SocketType, recv, send, sockopt::socket_type};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe;

/// Where bytes come from.
pub(super) type Reader = Box<dyn AsyncRead + Send + Unpin>;
/// Where bytes go.
pub(super) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// `fd` for reading without a thread, if that is possible. Needs a runtime with I/O.
pub(super) fn reader(fd: BorrowedFd<'_>) -> Option<Reader> {
    match Kind::of(fd)? {
        Kind::Pipe => {
            let opened = pipe::OpenOptions::new().open_receiver(path(fd));
            Some(Box::new(opened.ok()?))
        }
        Kind::Socket => Some(Box::new(Socket::of(fd)?)),
    }
}

/// `fd` for writing without a thread, if that is possible. Needs a runtime with I/O.
pub(super) fn writer(fd: BorrowedFd<'_>) -> Option<Writer> {
    match Kind::of(fd)? {
        Kind::Pipe => {
            let opened = pipe::OpenOptions::new().open_sender(path(fd));
            Some(Box::new(opened.ok()?))
        }
        Kind::Socket => Some(Box::new(Socket::of(fd)?)),
    }
}

enum Kind {
    /// One without a name. The end of one with a name cannot be seen through a description that comes after it.
    Pipe,
    Socket,
}

impl Kind {
    fn of(fd: BorrowedFd<'_>) -> Option<Self> {
        let target = std::fs::read_link(path(fd)).ok()?;
        let target = target.to_str()?;
        if target.starts_with("pipe:[") {
            Some(Self::Pipe)
        } else if target.starts_with("socket:[") {
            Some(Self::Socket)
        } else {
            None
        }
    }
}

fn path(fd: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// A stream socket, which stays blocking for everybody else.
struct Socket(AsyncFd<OwnedFd>);

impl Socket {
    #[expect(
        deprecated,
        reason = "what came after it is unsafe code; an owned descriptor is one of those for which this is sound"
    )]
    fn of(fd: BorrowedFd<'_>) -> Option<Self> {
        let is_stream = socket_type(fd).ok()? == SocketType::STREAM;
        let own = fd.try_clone_to_owned().ok()?;
        is_stream.then_some(Self(AsyncFd::new(own).ok()?))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(context))?;
            let room = buffer.initialize_unfilled();
            let received = ready.try_io(|fd| Ok(recv(fd, room, RecvFlags::DONTWAIT)?));
            if let Ok(received) = received {
                let (_, count) = received?;
                buffer.advance(count);
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        loop {
            let mut ready = ready!(self.0.poll_write_ready(context))?;
            if let Ok(sent) = ready.try_io(|fd| Ok(send(fd, bytes, flags)?)) {
                return Poll::Ready(sent);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
#[path = "ends_tests.rs"]
mod tests;
