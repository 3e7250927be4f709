//! Credentials that change while the mux runs.

use std::task::Poll;

use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::TransportError;

/// Gives the requests to one server what shows who we are. What that is, and where it comes from, is its own business.
///
/// Before a request (a WebSocket's handshake is one, too) take [`current`](Self::current) as its `Authorization`. If it
/// is answered 401 or 403, tell [`refused`](Self::refused), and send it once more if that says so: a request that was
/// refused has not been carried out.
pub trait Credentials: Send + Sync {
    /// The value of `Authorization` for the next request; `None` if there is nothing to show. Waits while it is renewed.
    fn current(&self) -> BoxFuture<'_, Result<Option<HeaderValue>, TransportError>>;

    /// The same for a request that need not wait; pending where it has to be looked up.
    fn at_hand(&self) -> Poll<Option<HeaderValue>>;

    /// Whether the request should be sent once more, since there is something new to show.
    fn refused<'a>(&'a self, refusal: Refusal<'a>) -> BoxFuture<'a, bool>;

    /// Waits until there may be something new to show, for whoever has given up. Cancel safe.
    fn changed(&self) -> BoxFuture<'_, ()>;

    /// What a person can do about a refusal.
    fn advice(&self) -> String;
}

/// How a request was refused.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// 401 or 403.
    pub status: StatusCode,
    /// The headers of the answer.
    pub headers: &'a HeaderMap,
    /// What was shown.
    pub shown: Option<&'a HeaderValue>,
}

impl<'a> Refusal<'a> {
    /// The refusal in an answer, if it is one.
    pub fn of(
        status: StatusCode,
        headers: &'a HeaderMap,
        shown: Option<&'a HeaderValue>,
    ) -> Option<Self> {
        let is_refusal = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        is_refusal.then_some(Self {
            status,
            headers,
            shown,
        })
    }
}
