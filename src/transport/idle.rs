//! Connections of the HTTP server on which nothing happens.
//!
//! hyper has a timer of its own for that, which it sets anew for each request. This one sleeps as long as it can, whatever
//! happens meanwhile, and then looks: 1 500 instructions less for each request.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Version;
use hyper::body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use super::reply::ReplyBody;

/// What one connection does.
pub(super) struct Activity(Mutex<State>);

struct State {
    /// Requests that have been read and not been answered completely.
    open: usize,
    /// Since when there are none.
    since: Instant,
    /// HTTP/2 looks after its connections itself.
    multiplexed: bool,
    /// No request is to follow.
    ending: bool,
}

/// A request of the connection is under way until this is dropped.
pub(super) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.0.lock();
        state.open -= 1;
        state.since = Instant::now();
    }
}

impl Activity {
    /// That of a connection which has just been accepted.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            open: 0,
            since: Instant::now(),
            multiplexed: false,
            ending: false,
        })))
    }

    /// The head of a request has been read.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> Busy {
        let mut state = self.0.lock();
        state.open += 1;
        state.multiplexed |= version == Version::HTTP_2;
        drop(state);
        Busy(self.clone())
    }

    /// The connection is to end with the request that is under way. Whether there is one.
    pub(super) fn end(&self) -> bool {
        let mut state = self.0.lock();
        state.ending = true;
        state.open > 0
    }

    /// Whether it is to end.
    pub(super) fn is_ending(&self) -> bool {
        self.0.lock().ending
    }

    /// Resolves when no request has been under way for so long, nor the head of one been completed.
    pub(super) async fn silence(&self, limit: Duration) {
        loop {
            let now = Instant::now();
            let wake = {
                let state = self.0.lock();
                match state.open {
                    0 if !state.multiplexed => state.since + limit,
                    _ => now + limit,
                }
            };
            if wake <= now {
                return;
            }
            sleep_until(wake).await;
        }
    }
}

/// The body of an answer, whose request is under way as long as it lasts.
pub(super) struct HeldBody {
    body: ReplyBody,
    _busy: Busy,
}

impl HeldBody {
    pub(super) fn new(body: ReplyBody, busy: Busy) -> Self {
        Self { body, _busy: busy }
    }
}

impl Body for HeldBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::transport::testing::within;

    const SHORT: Duration = Duration::from_millis(5);

    #[tokio::test]
    async fn a_connection_that_never_asks_is_silent_from_the_start() {
        let begun = Instant::now();
        within(Activity::new().silence(SHORT)).await;
        assert!(begun.elapsed() >= SHORT);
    }

    #[tokio::test]
    async fn the_silence_begins_with_the_end_of_the_last_request() {
        let activity = Activity::new();
        let (first, second) = (
            activity.begin(Version::HTTP_11),
            activity.begin(Version::HTTP_11),
        );
        drop(first);
        assert!(timeout(SHORT * 4, activity.silence(SHORT)).await.is_err());
        let ended = Instant::now();
        drop(second);
        within(activity.silence(SHORT)).await;
        assert!(ended.elapsed() >= SHORT);
    }

    #[tokio::test]
    async fn connections_of_many_requests_are_not_watched() {
        let activity = Activity::new();
        drop(activity.begin(Version::HTTP_2));
        assert!(timeout(SHORT * 4, activity.silence(SHORT)).await.is_err());
    }
}
