use super::*;
use crate::config::{Secret, TlsConfig};
use crate::transport::raw_server::{LIMIT, Raw, STREAM, Sends, chunk};
use crate::transport::testing::within;
use crate::wire::SseEvent;

/// Each test once for each way of sending.
macro_rules! both_ways {
    ($($name:ident,)*) => {
        mod straight {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Sends::Straight).await;
            })*
        }
        mod by_client {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Sends::ByClient).await;
            })*
        }
    };
}

both_ways! {
    requests_carry_what_was_given_over_one_connection,
    events_arrive_one_by_one_until_the_server_ends_in_order,
    a_stream_that_breaks_off_is_an_error_after_what_arrived,
    an_event_over_the_limit_is_left_out_and_the_stream_lives,
    dropping_an_answer_closes_its_connection,
    dropping_a_request_closes_its_connection,
    a_body_over_the_limit_is_refused,
    only_redirects_that_keep_request_and_origin_are_followed,
    a_server_that_is_not_there_was_never_sent_anything,
    a_server_that_hangs_up_may_have_seen_the_request,
}

fn event(data: &str) -> SseEvent {
    SseEvent {
        data: data.to_owned().into(),
        ..SseEvent::default()
    }
}

async fn requests_carry_what_was_given_over_one_connection(sends: Sends) {
    let server = Raw::start(sends).await;
    let endpoint = server.endpoint();
    let asking = async {
        let mut given = HeaderMap::new();
        given.insert("mcp-method", HeaderValue::from_static("ping"));
        let answer = endpoint
            .post(given, Bytes::from_static(b"{\"a\":1}"))
            .await
            .unwrap();
        assert_eq!(
            (answer.status, &answer.headers["x"]),
            (StatusCode::ACCEPTED, &HeaderValue::from_static("y"))
        );
        assert_eq!(answer.body.bytes().await, Ok(Bytes::from_static(b"")));
        let mut given = HeaderMap::new();
        given.insert("x-key", HeaderValue::from_static("given"));
        let answer = endpoint.get(given).await.unwrap();
        assert_eq!(answer.body.bytes().await, Ok(Bytes::from_static(b"hello")));
        let answer = endpoint.delete(HeaderMap::new()).await.unwrap();
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    };
    let serving = async {
        let mut connection = server.accept().await;
        let mut requests = vec![connection.request().await];
        connection
            .write("HTTP/1.1 202 Accepted\r\nx: y\r\ncontent-length: 0\r\n\r\n")
            .await;
        requests.push(connection.request().await);
        connection
            .write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
            .await;
        requests.push(connection.request().await);
        connection
            .write("HTTP/1.1 405 No\r\ncontent-length: 0\r\n\r\n")
            .await;
        requests
    };
    let ((), requests) = within(async { tokio::join!(asking, serving) }).await;
    let common = format!(
        "host: {}\nuser-agent: mcpmux/{}",
        &server.base["http://".len()..],
        env!("CARGO_PKG_VERSION")
    );
    let path = "/mcp?token=hidden HTTP/1.1\naccept: */*";
    let expected = [
        format!(
            "POST {path}\ncontent-length: 7\n{}\nx-key: configured\n\n{{\"a\":1}}",
            common.replace("\nuser", "\nmcp-method: ping\nuser")
        ),
        format!("GET {path}\n{common}\nx-key: given\n\n"),
        format!("DELETE {path}\n{common}\nx-key: configured\n\n"),
    ];
    assert_eq!(requests, expected);
}

async fn events_arrive_one_by_one_until_the_server_ends_in_order(sends: Sends) {
    let server = Raw::start(sends).await;
    let (answer, mut connection) = server.answering(STREAM).await;
    let mut events = answer.unwrap().body.events();
    connection.write(&chunk(": hello\n\ndata: {\"a\"")).await;
    connection
        .write(&chunk(":1}\r\n\r\ndata: second\n\n"))
        .await;
    assert_eq!(within(events.next()).await, Some(Ok(event("{\"a\":1}"))));
    assert_eq!(within(events.next()).await, Some(Ok(event("second"))));
    connection
        .write(&chunk(
            "id: 7\nretry: 30\nevent: x\ndata: third\n\ndata: cut",
        ))
        .await;
    let third = SseEvent {
        event: Some("x".to_owned()),
        data: Bytes::from_static(b"third"),
        id: Some("7".to_owned()),
        retry: Some(30),
    };
    assert_eq!(within(events.next()).await, Some(Ok(third)));
    connection.write("0\r\n\r\n").await;
    assert_eq!(within(events.next()).await, None);
    assert_eq!(within(events.next()).await, None);
}

async fn a_stream_that_breaks_off_is_an_error_after_what_arrived(sends: Sends) {
    let server = Raw::start(sends).await;
    let (answer, mut connection) = server.answering(STREAM).await;
    let mut events = answer.unwrap().body.events();
    connection.write(&chunk("data: first\n\n")).await;
    drop(connection);
    assert_eq!(within(events.next()).await, Some(Ok(event("first"))));
    let broken = within(events.next()).await.unwrap().unwrap_err();
    assert!(matches!(broken, TransportError::Http { .. }), "{broken}");
    assert!(!broken.never_sent());
    assert_eq!(within(events.next()).await, None);
}

async fn an_event_over_the_limit_is_left_out_and_the_stream_lives(sends: Sends) {
    let server = Raw::start(sends).await;
    let (answer, mut connection) = server.answering(STREAM).await;
    let mut events = answer.unwrap().body.events();
    connection
        .write(&chunk(&format!(
            "data: {}\n\ndata: next\n\n",
            "x".repeat(LIMIT + 1)
        )))
        .await;
    let too_large = Some(Err(TransportError::TooLarge { limit: LIMIT }));
    assert_eq!(within(events.next()).await, too_large);
    assert_eq!(within(events.next()).await, Some(Ok(event("next"))));
}

async fn dropping_an_answer_closes_its_connection(sends: Sends) {
    let server = Raw::start(sends).await;
    let (answer, mut connection) = server.answering(STREAM).await;
    let mut events = answer.unwrap().body.events();
    connection.write(&chunk("data: first\n\n")).await;
    assert_eq!(within(events.next()).await, Some(Ok(event("first"))));
    drop(events);
    assert!(connection.is_closed().await);
}

async fn dropping_a_request_closes_its_connection(sends: Sends) {
    let server = Raw::start(sends).await;
    let endpoint = server.endpoint();
    let mut connection = {
        let asking = endpoint.post(HeaderMap::new(), Bytes::from_static(b"{}"));
        let serving = async {
            let mut connection = server.accept().await;
            connection.request().await;
            connection
        };
        tokio::select! {
            _ = asking => panic!("there was no answer"),
            connection = serving => connection,
        }
    };
    assert!(connection.is_closed().await);
}

async fn a_body_over_the_limit_is_refused(sends: Sends) {
    let server = Raw::start(sends).await;
    let too_large = Err(TransportError::TooLarge { limit: LIMIT });
    let announced = "HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n";
    let (answer, _connection) = server.answering(announced).await;
    assert_eq!(within(answer.unwrap().body.bytes()).await, too_large);

    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let (answer, mut connection) = server.answering(head).await;
    connection.write(&chunk(&"x".repeat(60))).await;
    connection.write(&chunk(&"x".repeat(60))).await;
    assert_eq!(within(answer.unwrap().body.bytes()).await, too_large);
}

async fn only_redirects_that_keep_request_and_origin_are_followed(sends: Sends) {
    let server = Raw::start(sends).await;
    for (status, location) in [
        (302, "/other"),
        (303, "/other"),
        (307, "http://localhost:1/other"),
    ] {
        let answer =
            format!("HTTP/1.1 {status} Go\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let (answer, _connection) = server.answering(&answer).await;
        assert_eq!(answer.unwrap().status.as_u16(), status);
    }
    let endpoint = server.endpoint();
    let serving = async {
        let mut connection = server.accept().await;
        connection.request().await;
        connection
            .write("HTTP/1.1 308 Go\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n")
            .await;
        let request = connection.request().await;
        connection
            .write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .await;
        request
    };
    let asking = endpoint.post(HeaderMap::new(), Bytes::from_static(b"{}"));
    let (answer, request) = within(async { tokio::join!(asking, serving) }).await;
    assert_eq!(answer.unwrap().status, StatusCode::OK);
    assert!(request.starts_with("POST /other HTTP/1.1\n"), "{request}");
    assert!(request.ends_with("x-key: configured\n\n{}"), "{request}");
}

async fn a_server_that_is_not_there_was_never_sent_anything(sends: Sends) {
    let server = Raw::start(sends).await;
    let endpoint = server.endpoint();
    let origin = server.base.clone();
    drop(server);
    let error = within(endpoint.get(HeaderMap::new())).await.err().unwrap();
    let detail = "Connection refused (os error 111)".to_owned();
    assert!(error.never_sent());
    if cfg!(target_os = "linux") {
        assert_eq!(error, TransportError::Connect { origin, detail });
    }
}

async fn a_server_that_hangs_up_may_have_seen_the_request(sends: Sends) {
    let server = Raw::start(sends).await;
    let endpoint = server.endpoint();
    let serving = async {
        server.accept().await.request().await;
    };
    let asking = endpoint.post(HeaderMap::new(), Bytes::from_static(b"{}"));
    let (answer, ()) = within(async { tokio::join!(asking, serving) }).await;
    let error = answer.err().unwrap();
    let detail = "connection closed before message completed".to_owned();
    assert!(!error.never_sent());
    assert_eq!(
        error,
        TransportError::Http {
            origin: server.base.clone(),
            detail
        }
    );
}

#[tokio::test]
async fn a_failed_handshake_is_told_apart() {
    let server = Raw::start(Sends::Straight).await;
    let url = server.base.replace("http", "https");
    let config = HttpConfig {
        url: url.clone(),
        headers: Vec::new(),
        tls: TlsConfig::default(),
        oauth: None,
    };
    let endpoint = Endpoint::new(&HttpClient::new(), &config, LIMIT).unwrap();
    let serving = async {
        let mut connection = server.accept().await;
        connection
            .write("HTTP/1.1 400 This is no TLS\r\n\r\n")
            .await;
        connection
    };
    let asking = endpoint.get(HeaderMap::new());
    let (answer, _connection) = within(async { tokio::join!(asking, serving) }).await;
    let error = answer.err().unwrap();
    assert!(
        matches!(&error, TransportError::Tls { origin, .. } if *origin == url),
        "{error}"
    );
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_without_showing_it() {
    let endpoint = |url: &str, header: &str, value: &str| {
        let headers = vec![(header.to_owned(), Secret::new(value))];
        let config = HttpConfig {
            url: url.to_owned(),
            headers,
            tls: TlsConfig::default(),
            oauth: None,
        };
        Endpoint::new(&HttpClient::new(), &config, LIMIT)
            .err()
            .map(|error| error.to_string())
    };
    let bad_url = "the URL is not usable: relative URL without a base".to_owned();
    assert_eq!(endpoint("/mcp", "x", "y"), Some(bad_url));
    let bad_header = "header `x` has characters that HTTP does not allow".to_owned();
    assert_eq!(
        endpoint("http://localhost/", "x", "se\ncret"),
        Some(bad_header)
    );
    assert_eq!(endpoint("http://localhost/", "x", "y"), None);
}

#[tokio::test]
async fn another_url_keeps_the_origin() {
    let server = Raw::start(Sends::Straight).await;
    let endpoint = server.endpoint();
    let message = endpoint.at("/messages?session=1").unwrap();
    assert_eq!(
        message.url.as_str(),
        format!("{}/messages?session=1", server.base)
    );
    assert_eq!(message.headers, endpoint.headers);
    let detail = format!("`http://example.com` is not at `{}`", server.base);
    let elsewhere = endpoint.at("http://example.com/messages").err();
    assert_eq!(elsewhere, Some(TransportError::BadUrl { detail }));
}
