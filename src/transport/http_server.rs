//! The HTTP server for downstreams: HTTP/1.1 and HTTP/2 on one socket. What paths and headers mean is the service's business.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper::body::{Body as _, Incoming};
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::TransportError;
use super::gather::Gather;
use super::idle::{Activity, HeldBody};
use super::listener::{Accepted, Listener};
use super::origin::Allowed;
use super::patience::Patience;
use super::reply::{HttpReply, ReplyBody};
use super::upgrade::Upgrade;

/// How long to wait when the system has no descriptor left for a new connection.
const EXHAUSTED: Duration = Duration::from_millis(100);
/// The largest head of a request, and what is read at once.
const HTTP1_BUFFER: usize = 128 * 1024;
const HTTP2_HEAD: u32 = 64 * 1024;
const HTTP2_STREAMS: u32 = 256;
const HTTP2_WINDOW: u32 = 1024 * 1024;
const HTTP2_PING: Duration = Duration::from_secs(30);

/// One request, with its whole body.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// What it is for: the path, and what follows the `?`, as they were sent.
    pub target: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, at most [`ServeOptions::max_body`] bytes.
    pub body: Bytes,
    /// Where the connection comes from; unknown on a Unix socket.
    pub peer: Option<SocketAddr>,
    /// What the client wants to speak in place of HTTP, if it does.
    pub(super) upgrade: Option<Upgrade>,
}

/// What answers requests.
pub trait HttpService: Send + Sync + 'static {
    /// Answers one request. The future is dropped when the client disconnects, and so is a reply's stream.
    fn handle(&self, request: HttpRequest) -> impl Future<Output = HttpReply> + Send;
}

/// Bounds of a server.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The largest body in bytes; larger ones are answered with 413 and not read.
    pub max_body: usize,
    /// Who may ask; others are answered with 403 before their body is read.
    pub allowed: Allowed,
    /// How many connections are open at once; more wait to be accepted.
    pub max_connections: usize,
    /// How long the head of a request may take, and how long an HTTP/1 connection may be idle.
    pub header_timeout: Duration,
    /// The longest pause within a body.
    pub body_timeout: Duration,
    /// How long a client may take nothing of what is sent to it before its connection is ended.
    pub stall: Duration,
    /// How long requests under way may take once the server is told to stop.
    pub drain: Duration,
}

impl ServeOptions {
    /// 10 000 connections, 75 s for a head or between requests, 30 s of pause in a body, 120 s in which
    /// nothing is taken, 5 s to drain.
    pub fn new(max_body: usize, allowed: Allowed) -> Self {
        Self {
            max_body,
            allowed,
            max_connections: 10_000,
            header_timeout: Duration::from_secs(75),
            body_timeout: Duration::from_secs(30),
            stall: Duration::from_secs(120),
            drain: Duration::from_secs(5),
        }
    }
}

/// Serves until `stop`, then returns at once with the listener closed. Connections are tasks on `tracker`: idle ones end
/// then, the others with their answers, all of them within [`ServeOptions::drain`].
pub async fn serve<S: HttpService>(
    listener: impl Into<Listener>,
    service: Arc<S>,
    options: ServeOptions,
    stop: CancellationToken,
    tracker: &TaskTracker,
) {
    let listener = listener.into();
    let slots = Arc::new(Semaphore::new(options.max_connections));
    let server = Arc::new(Server {
        service,
        options,
        stop,
        tracker: tracker.clone(),
    });
    loop {
        let next = async {
            let slot = slots.clone().acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = server.stop.cancelled() => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => {
                let server = server.clone();
                tracker.spawn(async move {
                    server.connection(stream, peer).await;
                    drop(slot);
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                sleep(EXHAUSTED).await;
            }
        }
    }
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

struct Server<S> {
    service: Arc<S>,
    options: ServeOptions,
    stop: CancellationToken,
    tracker: TaskTracker,
}

/// Runs the streams of HTTP/2 connections.
#[derive(Clone)]
struct OnTracker(TaskTracker);

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for OnTracker {
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}

impl<S: HttpService> Server<S> {
    async fn connection(self: Arc<Self>, stream: Accepted, peer: Option<SocketAddr>) {
        let activity = Activity::new();
        let service = service_fn(|request: Request<Incoming>| {
            let busy = activity.begin(request.version());
            let server = self.clone();
            async move {
                let answer = server.answer(request, peer).await;
                Ok::<_, Infallible>(answer.map(|body| HeldBody::new(body, busy)))
            }
        });
        let builder = self.builder();
        let stream = TokioIo::new(Patience::new(stream, self.options.stall));
        let mut connection = pin!(builder.serve_connection_with_upgrades(stream, service));
        // A peer that goes away in the middle is its own business.
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = activity.silence(self.options.header_timeout) => return,
            () = self.stop.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(self.options.drain, connection).await;
    }

    fn builder(&self) -> auto::Builder<OnTracker> {
        let mut builder = auto::Builder::new(OnTracker(self.tracker.clone()));
        builder
            .http1()
            .max_buf_size(HTTP1_BUFFER)
            .header_read_timeout(None);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(HTTP2_STREAMS)
            .max_header_list_size(HTTP2_HEAD)
            .initial_stream_window_size(HTTP2_WINDOW)
            .initial_connection_window_size(HTTP2_WINDOW * 4)
            .keep_alive_interval(HTTP2_PING)
            .keep_alive_timeout(HTTP2_PING);
        builder
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: Option<SocketAddr>,
    ) -> Response<ReplyBody> {
        let reply = match self.read(request, peer).await {
            Ok(request) => {
                let handled = AssertUnwindSafe(self.service.handle(request)).catch_unwind();
                handled
                    .await
                    .unwrap_or_else(|_| HttpReply::empty(StatusCode::INTERNAL_SERVER_ERROR))
            }
            Err(refusal) => refusal,
        };
        let mut response = Response::new(reply.body);
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply.headers;
        response
    }

    /// The whole request, or what to answer instead.
    async fn read(
        &self,
        mut request: Request<Incoming>,
        peer: Option<SocketAddr>,
    ) -> Result<HttpRequest, HttpReply> {
        let upgrade = Upgrade::of(&mut request);
        let (head, body) = request.into_parts();
        if let Err(refused) = self.options.allowed.check(&head.uri, &head.headers) {
            tracing::debug!(?peer, %refused, "a request was refused");
            return Err(HttpReply::text(StatusCode::FORBIDDEN, &refused.to_string()));
        }
        let body = self.body(body).await?;
        Ok(HttpRequest {
            method: head.method,
            target: head.uri,
            headers: head.headers,
            body,
            peer,
            upgrade,
        })
    }

    async fn body(&self, mut body: Incoming) -> Result<Bytes, HttpReply> {
        let too_large = |error: TransportError| {
            HttpReply::text(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string())
        };
        let mut gather =
            Gather::new(self.options.max_body, body.size_hint().exact()).map_err(too_large)?;
        while !body.is_end_stream() {
            let mut next = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
            // What came with the head costs no timer.
            let there = std::future::poll_fn(|context| Poll::Ready(next.poll_unpin(context))).await;
            let frame = match there {
                Poll::Ready(frame) => Ok(frame),
                Poll::Pending => timeout(self.options.body_timeout, next).await,
            };
            match frame {
                Ok(None) => break,
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        gather.push(data).map_err(too_large)?;
                    }
                }
                Ok(Some(Err(_))) => return Err(HttpReply::empty(StatusCode::BAD_REQUEST)),
                Err(_) => return Err(HttpReply::empty(StatusCode::REQUEST_TIMEOUT)),
            }
        }
        Ok(gather.finish())
    }
}

#[cfg(test)]
#[path = "http_server_tests.rs"]
mod tests;
