//! Requests with which hyper has nothing to do, beside such that are left to it.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// What is usual, and what hyper is left to; both are the same request.
const USUAL: &str =
    "POST /mcp?a=b HTTP/1.1\r\nhost: localhost\r\nx: y\r\ncontent-length: 5\r\n\r\nhello";
const UNUSUAL: &str = "POST /mcp?a=b HTTP/1.1\r\nhost: localhost\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n\
                       5\r\nhello\r\n0\r\n\r\n";
const LAST: &str = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn usual_and_unusual_requests_are_answered_alike_whatever_follows_what() {
    let server = start(options(), echo).await;
    let last = server.exchange(LAST).await;
    let one = server.exchange(&format!("{UNUSUAL}{LAST}")).await;
    let one = one.strip_suffix(&last).unwrap();
    assert!(one.ends_with("b\"hello\""), "{one}");
    for requests in [
        [USUAL, USUAL],
        [USUAL, UNUSUAL],
        [UNUSUAL, USUAL],
        [UNUSUAL, UNUSUAL],
    ] {
        let all = server
            .exchange(&format!("{}{LAST}", requests.concat()))
            .await;
        assert_eq!(all, format!("{one}{one}{last}"), "{requests:?}");
    }
}

#[tokio::test]
async fn a_request_may_come_in_any_pieces() {
    let server = start(options(), echo).await;
    let whole = server.exchange(&format!("{USUAL}{LAST}")).await;
    let bytes = format!("{USUAL}{LAST}");
    for at in 1..bytes.len() {
        let mut stream = server.connect().await;
        stream.set_nodelay(true).unwrap();
        let (first, second) = bytes.split_at(at);
        stream.write_all(first.as_bytes()).await.unwrap();
        tokio::task::yield_now().await;
        stream.write_all(second.as_bytes()).await.unwrap();
        assert_eq!(rest(&mut stream).await, whole, "cut at {at}");
    }
}

#[tokio::test]
async fn answers_of_every_kind_are_alike() {
    let server = start(options(), |request| {
        Box::pin(async move {
            let mut reply = match request.target.path() {
                "/empty" => HttpReply::empty(StatusCode::ACCEPTED),
                "/bare" => HttpReply::empty(StatusCode::NO_CONTENT),
                "/full" => HttpReply::full(StatusCode::CREATED, "text/x", "full"),
                _ => {
                    let items = ["one", "", "twenty letters, no less"].map(Bytes::from);
                    HttpReply::stream(StatusCode::OK, "text/x", stream::iter(items))
                }
            };
            reply
                .headers
                .insert("x", http::HeaderValue::from_static("y"));
            reply
        })
    })
    .await;
    for path in ["/empty", "/bare", "/full", "/stream"] {
        let get = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n");
        let last = server
            .exchange(&format!("{get}connection: close\r\n\r\n"))
            .await;
        let usual = format!("{get}\r\n{get}connection: close\r\n\r\n");
        let unusual = format!(
            "{get}transfer-encoding: chunked\r\n\r\n0\r\n\r\n{get}connection: close\r\n\r\n"
        );
        let usual = server.exchange(&usual).await;
        assert!(
            usual.ends_with(&last) && usual.len() > last.len(),
            "{usual}"
        );
        assert_eq!(usual, server.exchange(&unusual).await, "{path}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_within_its_body_is_not_answered() {
    let server = start(options(), |_| panic!("it is not asked")).await;
    let mut stream = server.connect().await;
    let begun = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nabc";
    stream.write_all(begun).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn a_long_body_that_comes_bit_by_bit_is_whole() {
    let server = start(
        ServeOptions {
            max_body: 1 << 22,
            ..options()
        },
        |request| Box::pin(async move { HttpReply::full(StatusCode::OK, "text/x", request.body) }),
    )
    .await;
    let body: String = "0123456789 and so on, ".repeat(80_000);
    let length = body.len();
    let head = format!("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
    let answer = server.exchange(&format!("{head}{body}{LAST}")).await;
    let expected = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/x\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    assert!(answer.starts_with(&expected));
}

#[tokio::test]
async fn a_client_that_says_more_while_it_waits_is_heard_later() {
    let (server, mut asked, go_on) = gated(echo).await;
    let mut stream = server.connect().await;
    stream.write_all(USUAL.as_bytes()).await.unwrap();
    within(asked.recv()).await.unwrap();
    // More than is read ahead.
    let more = USUAL.repeat(200);
    let (mut reads, mut writes) = stream.split();
    let write = async {
        writes.write_all(more.as_bytes()).await.unwrap();
        writes.write_all(LAST.as_bytes()).await.unwrap();
        go_on.cancel();
    };
    let mut answer = String::new();
    within(async { tokio::join!(write, reads.read_to_string(&mut answer)) })
        .await
        .1
        .unwrap();
    assert_eq!(answer.matches("b\"hello\"").count(), 201);
    assert!(answer.ends_with("GET / None - b\"\""));
}

#[tokio::test]
async fn a_service_that_waits_is_not_polled_for_nothing() {
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = polls.clone();
    let server = start(options(), move |_| {
        let polls = counted.clone();
        Box::pin(poll_fn(move |_| {
            polls.fetch_add(1, Ordering::SeqCst);
            Poll::Pending
        }))
    });
    let mut stream = server.await.connect().await;
    let request = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\n\r\nx";
    stream.write_all(request).await.unwrap();
    eventually("it is asked", || polls.load(Ordering::SeqCst) > 0).await;
    assert_eq!(polls.load(Ordering::SeqCst), 1);
}
