#[path = "http_server_usual_tests.rs"]
mod usual;

use futures_util::future::BoxFuture;
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;
use crate::transport::testing::{eventually, within};

/// A server around a function, and the means to stop it.
struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    tracker: TaskTracker,
}

struct Service<F>(F);

impl<F> HttpService for Service<F>
where
    F: Fn(HttpRequest) -> BoxFuture<'static, HttpReply> + Send + Sync + 'static,
{
    fn handle(&self, request: &mut HttpRequest) -> impl Future<Output = HttpReply> + Send {
        (self.0)(request.clone())
    }
}

fn options() -> ServeOptions {
    ServeOptions::new(10, Allowed::new(&"127.0.0.1:1".parse().unwrap(), &[], &[]))
}

async fn start<F>(options: ServeOptions, service: F) -> Running
where
    F: Fn(HttpRequest) -> BoxFuture<'static, HttpReply> + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let tracker = TaskTracker::new();
    let (token, tasks) = (stop.clone(), tracker.clone());
    tracker.spawn(async move {
        serve(listener, Arc::new(Service(service)), options, token, &tasks).await;
    });
    Running {
        address,
        stop,
        tracker,
    }
}

/// Says which request it got.
fn echo(request: HttpRequest) -> BoxFuture<'static, HttpReply> {
    Box::pin(async move {
        let HttpRequest {
            method,
            target,
            body,
            ..
        } = request;
        let (path, query) = (target.path(), target.query());
        let x = request
            .headers
            .get("x")
            .map_or("-", |value| value.to_str().unwrap());
        let text = format!("{method} {path} {query:?} {x} {body:?}");
        HttpReply::full(StatusCode::OK, "text/x", text)
    })
}

/// Tells when it is dropped.
struct Tell(mpsc::Sender<&'static str>, &'static str);

impl Drop for Tell {
    fn drop(&mut self) {
        self.0.try_send(self.1).unwrap();
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Everything that is answered to `bytes` until the server closes, without the date.
    async fn exchange(&self, bytes: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_bytes()).await.unwrap();
        rest(&mut stream).await
    }

    async fn ended(self) {
        self.tracker.close();
        within(self.tracker.wait()).await;
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end, too.
    let _ = within(stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8(answer).unwrap();
    answer
        .split_inclusive("\r\n")
        .filter(|line| !line.starts_with("date: "))
        .collect()
}

async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut answer = String::new();
    while !answer.ends_with(end) {
        answer.push(within(stream.read_u8()).await.unwrap().into());
    }
    answer
}

#[tokio::test]
async fn requests_reach_the_service_and_the_connection_is_kept() {
    let server = start(options(), echo).await;
    let requests = "POST /mcp?a=b HTTP/1.1\r\nhost: localhost\r\nx: y\r\ncontent-length: 5\r\n\r\nhello\
                    GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = server.exchange(requests).await;
    let expected = "HTTP/1.1 200 OK\r\ncontent-type: text/x\r\ncontent-length: 32\r\n\r\n\
                    POST /mcp Some(\"a=b\") y b\"hello\"HTTP/1.1 200 OK\r\ncontent-type: text/x\r\n\
                    connection: close\r\ncontent-length: 16\r\n\r\nGET / None - b\"\"";
    assert_eq!(answer, expected);
}

fn status(answer: &str) -> &str {
    answer.split("\r\n").next().unwrap()
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read() {
    let server = start(options(), echo).await;
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\n";
    let announced = server
        .exchange(&format!("{head}content-length: 11\r\n\r\n"))
        .await;
    assert_eq!(status(&announced), "HTTP/1.1 413 Payload Too Large");
    let chunks = "transfer-encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n";
    let chunked = server.exchange(&format!("{head}{chunks}")).await;
    assert_eq!(status(&chunked), "HTTP/1.1 413 Payload Too Large");
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = start(options(), echo).await;
    let head = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nx: {}",
        "x".repeat(HTTP1_BUFFER)
    );
    let answer = server.exchange(&head).await;
    assert_eq!(
        status(&answer),
        "HTTP/1.1 431 Request Header Fields Too Large"
    );
}

#[tokio::test]
async fn strangers_are_refused_before_their_body_is_read() {
    let server = start(options(), echo).await;
    let body = "content-length: 5\r\n\r\n";
    let host = server
        .exchange(&format!("POST / HTTP/1.1\r\nhost: evil.com\r\n{body}"))
        .await;
    assert_eq!(status(&host), "HTTP/1.1 403 Forbidden");
    let origin = "POST / HTTP/1.1\r\nhost: localhost\r\norigin: http://evil.com\r\n";
    let origin = server.exchange(&format!("{origin}{body}")).await;
    assert_eq!(status(&origin), "HTTP/1.1 403 Forbidden");
}

#[tokio::test]
async fn slow_heads_and_bodies_do_not_hold_a_connection() {
    let short = Duration::from_millis(50);
    let options = ServeOptions {
        header_timeout: short,
        body_timeout: short,
        ..options()
    };
    let server = start(options, echo).await;
    assert_eq!(server.exchange("").await, "");
    assert_eq!(server.exchange("P").await, "");
    assert_eq!(server.exchange("PRI * HTTP/2.0\r\n").await, "");
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\n";
    assert_eq!(server.exchange(head).await, "");
    let body = server
        .exchange(&format!("{head}content-length: 5\r\n\r\nabc"))
        .await;
    assert_eq!(status(&body), "HTTP/1.1 408 Request Timeout");
}

#[tokio::test]
async fn a_client_that_leaves_drops_the_handler() {
    let (sender, mut told) = mpsc::channel(4);
    let server = start(options(), move |_| {
        let dropped = Tell(sender.clone(), "dropped");
        sender.try_send("asked").unwrap();
        Box::pin(async move {
            let _dropped = dropped;
            std::future::pending().await
        })
    })
    .await;
    let mut stream = server.connect().await;
    let request = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}";
    stream.write_all(request).await.unwrap();
    assert_eq!(within(told.recv()).await, Some("asked"));
    drop(stream);
    assert_eq!(within(told.recv()).await, Some("dropped"));
}

/// An event, and then nothing for ever.
fn endless(dropped: Tell) -> HttpReply {
    let items = stream::unfold((dropped, 0), |(dropped, sent)| async move {
        if sent > 0 {
            std::future::pending::<()>().await;
        }
        Some((Bytes::from_static(b"data: x\n\n"), (dropped, sent + 1)))
    });
    HttpReply::stream(StatusCode::OK, "text/event-stream", items)
}

#[tokio::test]
async fn a_client_that_leaves_drops_the_stream() {
    let (sender, mut told) = mpsc::channel(4);
    let server = start(options(), move |_| {
        let dropped = Tell(sender.clone(), "dropped");
        Box::pin(async move { endless(dropped) })
    })
    .await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let answer = until(&mut stream, "data: x\n\n\r\n").await;
    assert_eq!(status(&answer), "HTTP/1.1 200 OK");
    drop(stream);
    assert_eq!(within(told.recv()).await, Some("dropped"));
}

#[tokio::test]
async fn on_http2_a_cancelled_request_is_dropped_and_its_neighbour_lives() {
    let (sender, mut told) = mpsc::channel(4);
    let server = start(options(), move |request| {
        let dropped = Tell(sender.clone(), "dropped");
        sender.try_send("asked").unwrap();
        Box::pin(async move {
            let _dropped = dropped;
            if request.target.path() == "/hangs" {
                std::future::pending::<()>().await;
            }
            HttpReply::full(StatusCode::OK, "text/x", request.body)
        })
    })
    .await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge();
    let client = client.tls_certs_only([]).build().unwrap();
    let base = format!("http://{}", server.address);
    let hanging = client.post(format!("{base}/hangs")).body("x").send();
    tokio::select! {
        _ = hanging => panic!("it answered"),
        asked = within(told.recv()) => assert_eq!(asked, Some("asked")),
    }
    assert_eq!(within(told.recv()).await, Some("dropped"));
    let answer = within(client.post(base).body("neighbour").send())
        .await
        .unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    assert_eq!(within(answer.text()).await.unwrap(), "neighbour");
}

/// A server that answers once it may, and tells of each request.
async fn gated(
    answer: fn(HttpRequest) -> BoxFuture<'static, HttpReply>,
) -> (Running, mpsc::Receiver<()>, CancellationToken) {
    let (sender, asked) = mpsc::channel(512);
    let go_on = CancellationToken::new();
    let gate = go_on.clone();
    let server = start(options(), move |request| {
        let gate = gate.clone();
        sender.try_send(()).unwrap();
        Box::pin(async move {
            gate.cancelled().await;
            answer(request).await
        })
    });
    (server.await, asked, go_on)
}

#[tokio::test]
async fn stopping_lets_a_call_finish_and_closes_the_rest() {
    let body = |request: HttpRequest| -> BoxFuture<'static, HttpReply> {
        Box::pin(async move { HttpReply::full(StatusCode::OK, "text/x", request.body) })
    };
    let (server, mut asked, go_on) = gated(body).await;
    let mut idle = server.connect().await;
    let mut busy = server.connect().await;
    let request = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}";
    busy.write_all(request).await.unwrap();
    within(asked.recv()).await.unwrap();
    server.stop.cancel();
    assert_eq!(rest(&mut idle).await, "");
    go_on.cancel();
    let answer = rest(&mut busy).await;
    assert_eq!(status(&answer), "HTTP/1.1 200 OK");
    assert!(answer.ends_with("\r\n\r\n{}"), "{answer}");
    let is_free = || std::net::TcpListener::bind(server.address).is_ok();
    eventually("no server, nor another test, listens there", is_free).await;
    server.ended().await;
}

#[tokio::test]
async fn what_does_not_finish_is_cut_when_the_time_is_up() {
    let (sender, mut told) = mpsc::channel(4);
    let options = ServeOptions {
        drain: Duration::from_millis(50),
        ..options()
    };
    let server = start(options, move |_| {
        let dropped = Tell(sender.clone(), "dropped");
        Box::pin(async move { endless(dropped) })
    })
    .await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    until(&mut stream, "data: x\n\n\r\n").await;
    server.stop.cancel();
    assert_eq!(rest(&mut stream).await, "");
    assert_eq!(within(told.recv()).await, Some("dropped"));
    server.ended().await;
}

#[tokio::test]
async fn a_panic_is_one_answer_and_not_the_end() {
    let server = start(options(), |request| {
        Box::pin(async move {
            assert_ne!(request.target.path(), "/panics", "on purpose");
            HttpReply::empty(StatusCode::NO_CONTENT)
        })
    })
    .await;
    let requests = "GET /panics HTTP/1.1\r\nhost: localhost\r\n\r\n\
                    GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let expected = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n\
                    HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
    assert_eq!(server.exchange(requests).await, expected);
}

#[tokio::test]
async fn more_connections_than_allowed_wait() {
    let server = start(
        ServeOptions {
            max_connections: 1,
            ..options()
        },
        echo,
    )
    .await;
    let first = server.connect().await;
    let request = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let second = server.exchange(request);
    let mut second = pin!(second);
    assert!(futures_util::poll!(&mut second).is_pending());
    drop(first);
    assert_eq!(status(&within(second).await), "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn who_takes_nothing_is_given_up() {
    let (sender, mut told) = mpsc::channel(4);
    let stall = Duration::from_millis(300);
    let server = start(ServeOptions { stall, ..options() }, move |_| {
        let dropped = Tell(sender.clone(), "dropped");
        let more = |dropped| async { Some((Bytes::from_static(&[b'x'; 16 * 1024]), dropped)) };
        let items = stream::unfold(dropped, more);
        Box::pin(async { HttpReply::stream(StatusCode::OK, "text/plain", items) })
    })
    .await;
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    let wish = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n";
    slow.write_all(wish).await.unwrap();
    assert_eq!(within(told.recv()).await, Some("dropped"));
}
