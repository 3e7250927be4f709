//! The HTTP server for downstreams: HTTP/1.1 and HTTP/2 on one socket. What paths and headers mean is the service's business.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io::Cursor;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body as _, Frame, Incoming};
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncReadExt, join, split};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::TransportError;
use super::gather::Gather;
use super::idle::{Activity, Busy, HeldBody};
use super::listener::{Accepted, Listener, is_of_one_connection};
use super::origin::{Allowed, Refused};
use super::patience::Patience;
use super::reply::HttpReply;
use super::upgrade::Upgrade;
use super::usual::{Unusual, Usual};
use super::wakes::{Apart, Task, unheard};

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

impl HttpRequest {
    /// What a request says before its body.
    fn of(mut request: Request<Incoming>, peer: Option<SocketAddr>) -> (Self, Incoming) {
        let upgrade = Upgrade::of(&mut request);
        let (head, body) = request.into_parts();
        let request = Self {
            method: head.method,
            target: head.uri,
            headers: head.headers,
            body: Bytes::new(),
            peer,
            upgrade,
        };
        (request, body)
    }
}

/// What answers requests.
pub trait HttpService: Send + Sync + 'static {
    /// Answers one request, whose body it may take; the rest stays as it is. The future is dropped when the client
    /// disconnects, and so is a reply's stream.
    fn handle(&self, request: &mut HttpRequest) -> impl Future<Output = HttpReply> + Send;
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

/// The answer of a service; a panic is one as well.
pub(super) async fn handled<S: HttpService>(service: &S, request: &mut HttpRequest) -> HttpReply {
    let handled = AssertUnwindSafe(service.handle(request)).catch_unwind();
    handled
        .await
        .unwrap_or_else(|_| HttpReply::empty(StatusCode::INTERNAL_SERVER_ERROR))
}

struct Server<S> {
    service: Arc<S>,
    options: ServeOptions,
    stop: CancellationToken,
    tracker: TaskTracker,
}

/// How a connection ends.
enum End {
    Now,
    /// With the answers that are on their way.
    Drained,
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
        let stream = Patience::new(stream, self.options.stall);
        if let Some(unusual) = self.usual(stream, peer, &activity).await {
            // Apart: most connections never need room for it.
            Box::pin(self.by_hyper(unusual, peer, &activity)).await;
        }
    }

    /// Serves a connection as long as its requests are usual.
    async fn usual(
        &self,
        stream: Patience<Accepted>,
        peer: Option<SocketAddr>,
        activity: &Arc<Activity>,
    ) -> Option<Unusual> {
        let usual = Usual {
            service: &*self.service,
            options: &self.options,
            peer,
            activity,
        };
        let mut serving = pin!(usual.serve(stream));
        let task = Task::new();
        match self.unless_ended(activity, &task, serving.as_mut()).await {
            Ok(unusual) => unusual,
            Err(End::Drained) if activity.end() => {
                let rest = poll_fn(|context| task.poll(serving.as_mut(), context));
                timeout(self.options.drain, rest).await.ok()?
            }
            Err(_) => None,
        }
    }

    /// Serves a connection whatever comes.
    async fn by_hyper(
        self: &Arc<Self>,
        (read, stream): Unusual,
        peer: Option<SocketAddr>,
        activity: &Arc<Activity>,
    ) {
        let service = service_fn(|request: Request<Incoming>| {
            let busy = activity.begin(request.version());
            self.answer(request, peer, busy)
        });
        let builder = self.builder();
        let (reader, writer) = split(stream);
        let stream = TokioIo::new(join(Cursor::new(read).chain(reader), writer));
        let mut connection = pin!(builder.serve_connection_with_upgrades(stream, service));
        let task = Task::new();
        let served = self.unless_ended(activity, &task, connection.as_mut());
        // A peer that goes away in the middle is its own business.
        if let Err(End::Drained) = served.await {
            connection.as_mut().graceful_shutdown();
            let rest = poll_fn(|context| task.poll(connection.as_mut(), context));
            let _ = timeout(self.options.drain, rest).await;
        }
    }

    /// The outcome of serving a connection, or why it is to end before. `task` is its own.
    async fn unless_ended<F: Future>(
        &self,
        activity: &Activity,
        task: &Task,
        mut serving: Pin<&mut F>,
    ) -> Result<F::Output, End> {
        let end = pin!(self.end(activity));
        let mut end = Apart::new(end, task);
        poll_fn(|context| match task.poll(serving.as_mut(), context) {
            Poll::Ready(served) => Poll::Ready(Ok(served)),
            Poll::Pending => end.poll().map(Err),
        })
        .await
    }

    /// Resolves when a connection is to end for a reason that does not come from itself.
    async fn end(&self, activity: &Activity) -> End {
        tokio::select! {
            biased;
            () = activity.silence(self.options.header_timeout) => End::Now,
            () = self.stop.cancelled() => End::Drained,
        }
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

    /// The answer to a request. The future is moved a few times before it is polled: no more is kept in it than it needs.
    fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
        peer: Option<SocketAddr>,
        busy: Busy,
    ) -> impl Future<Output = Result<Response<HeldBody>, Infallible>> + use<S> {
        let server = self.clone();
        let version = request.version();
        let (mut request, body) = HttpRequest::of(request, peer);
        let allowed = self.allowed(&request);
        async move {
            let reply = match allowed {
                Ok(()) => server.reply(&mut request, body, version).await,
                Err(refused) => HttpReply::text(StatusCode::FORBIDDEN, &refused.to_string()),
            };
            let response = reply.into_response(request.headers);
            Ok(response.map(|body| HeldBody::new(body, busy)))
        }
    }

    fn allowed(&self, request: &HttpRequest) -> Result<(), Refused> {
        let allowed = self
            .options
            .allowed
            .check(&request.target, &request.headers);
        if let Err(refused) = &allowed {
            tracing::debug!(peer = ?request.peer, %refused, "a request was refused");
        }
        allowed
    }

    async fn reply(
        &self,
        request: &mut HttpRequest,
        body: Incoming,
        version: Version,
    ) -> HttpReply {
        match self.body(body, version).await {
            Ok(body) => request.body = body,
            Err(refusal) => return *refusal,
        }
        handled(&*self.service, request).await
    }

    async fn body(&self, mut body: Incoming, version: Version) -> Result<Bytes, Box<HttpReply>> {
        let too_large = |error: TransportError| {
            let why = error.to_string();
            Box::new(HttpReply::text(StatusCode::PAYLOAD_TOO_LARGE, &why))
        };
        let empty = |status| Err(Box::new(HttpReply::empty(status)));
        let mut gather =
            Gather::new(self.options.max_body, body.size_hint().exact()).map_err(too_large)?;
        while !body.is_end_stream() {
            // What came with the head costs no timer.
            let there = poll_fn(|context| Poll::Ready(look(&mut body, version, context))).await;
            let frame = match there {
                Poll::Ready(frame) => Ok(frame),
                Poll::Pending => {
                    let next = poll_fn(|context| look(&mut body, version, context));
                    timeout(self.options.body_timeout, next).await
                }
            };
            match frame {
                Ok(None) => break,
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        gather.push(data).map_err(too_large)?;
                    }
                }
                Ok(Some(Err(_))) => return empty(StatusCode::BAD_REQUEST),
                Err(_) => return empty(StatusCode::REQUEST_TIMEOUT),
            }
        }
        Ok(gather.finish())
    }
}

/// The next frame of a body. hyper wakes the connection for each that is taken, so that it reads on; after the last one of
/// HTTP/1, which is handed over on the connection's own task, there is nothing to read.
fn look(
    body: &mut Incoming,
    version: Version,
    context: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
    if version > Version::HTTP_11 {
        return Pin::new(body).poll_frame(context);
    }
    let (frame, woken) = unheard(|| Pin::new(&mut *body).poll_frame(context));
    if woken && !body.is_end_stream() {
        context.waker().wake_by_ref();
    }
    frame
}

#[cfg(test)]
#[path = "http_server_tests.rs"]
mod tests;
