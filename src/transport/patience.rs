//! Giving up on who takes nothing of what is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A connection that fails once the other side has taken nothing for so long, though there was something to take.
pub(super) struct Patience<S> {
    io: S,
    longest: Duration,
    /// Runs while nothing is taken.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Patience<S> {
    pub(super) fn new(io: S, longest: Duration) -> Self {
        Self {
            io,
            longest,
            waiting: None,
        }
    }

    fn judge<T>(
        &mut self,
        taken: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if taken.is_ready() {
            self.waiting = None;
            return taken;
        }
        let longest = self.longest;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(longest)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.io).poll_write(context, bytes);
        self.judge(taken, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.judge(taken, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    /// A connection that holds eight bytes at most, and is full.
    async fn full(longest: Duration) -> (Patience<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(8);
        let mut ours = Patience::new(ours, longest);
        ours.write_all(&[0; 8]).await.unwrap();
        (ours, theirs)
    }

    #[tokio::test]
    async fn whoever_takes_a_little_now_and_then_is_not_given_up() {
        let (mut ours, mut theirs) = full(Duration::from_secs(3600)).await;
        for _ in 0..10 {
            assert!(poll!(pin!(ours.write_all(&[0; 8]))).is_pending());
            assert!(ours.waiting.is_some());
            theirs.read_exact(&mut [0; 8]).await.unwrap();
            ours.write_all(&[0; 8]).await.unwrap();
            assert!(ours.waiting.is_none(), "the next wait begins anew");
        }
    }

    #[tokio::test]
    async fn whoever_takes_nothing_is_given_up() {
        let (mut ours, _theirs) = full(Duration::from_millis(1)).await;
        let stuck = ours.write_all(&[0]).await.unwrap_err();
        assert_eq!(stuck.kind(), io::ErrorKind::TimedOut);
    }
}
