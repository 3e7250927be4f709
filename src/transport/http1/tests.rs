use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::framing::{Chunk, Framing, Piece};
use super::response::Search;
use crate::transport::raw_server::{Connection, LIMIT, Raw, STREAM, Sends, chunk};
use crate::transport::testing::{eventually, within};
use crate::transport::{Endpoint, TransportError};
use crate::wire::Pieces;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// What a body makes of a request; the text says which one it was.
async fn call(endpoint: &Endpoint, body: &'static str) -> Result<Bytes, TransportError> {
    let answer = endpoint.post(HeaderMap::new(), body.into());
    within(answer).await?.body.bytes().await
}

/// A call that is answered with these bytes.
async fn answered(endpoint: &Endpoint, connection: &mut Connection, bytes: &str) -> String {
    let serving = async {
        connection.request().await;
        connection.write(bytes).await;
    };
    let (body, ()) = tokio::join!(call(endpoint, "{}"), serving);
    String::from_utf8(body.unwrap().into()).unwrap()
}

/// An endpoint and a connection of it that has served one call and is idle.
async fn idle() -> (Raw, Endpoint, Connection) {
    let server = Raw::start(Sends::Straight).await;
    let endpoint = server.endpoint();
    let serving = async {
        let mut connection = server.accept().await;
        connection.request().await;
        connection.write(OK).await;
        connection
    };
    let (body, connection) = tokio::join!(call(&endpoint, "{}"), serving);
    assert_eq!(body.unwrap(), "{}");
    (server, endpoint, connection)
}

#[tokio::test]
async fn one_connection_serves_calls_in_a_row() {
    let (_server, endpoint, mut connection) = idle().await;
    for call in 0..20 {
        let text = "x".repeat(call);
        let answers = [
            format!("HTTP/1.1 200 OK\r\ncontent-length: {call}\r\n\r\n{text}"),
            format!(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\nx: y\r\n\r\n",
                chunk(&format!("{text}x"))
            ),
            "HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 204 None\r\n\r\n".to_owned(),
        ];
        let bodies = [text.clone(), text + "x", String::new()];
        for (answer, body) in answers.iter().zip(bodies) {
            assert_eq!(answered(&endpoint, &mut connection, answer).await, body);
        }
    }
}

#[tokio::test]
async fn a_stream_that_ends_gives_its_connection_back() {
    let (_server, endpoint, mut connection) = idle().await;
    let serving = async {
        connection.request().await;
        connection.write(STREAM).await;
        connection.write(&chunk("data: 1\n\n")).await;
        connection.write("0\r\n\r\n").await;
    };
    let asking = async {
        let answer = endpoint.post(HeaderMap::new(), "{}".into()).await.unwrap();
        let mut events = answer.body.events();
        assert_eq!(within(events.next()).await.unwrap().unwrap().data, "1");
        assert!(within(events.next()).await.is_none());
    };
    tokio::join!(asking, serving);
    assert_eq!(answered(&endpoint, &mut connection, OK).await, "{}");
}

#[tokio::test]
async fn a_connection_that_the_server_has_closed_is_not_used() {
    let (server, endpoint, connection) = idle().await;
    drop(connection);
    eventually("the end reaches us", || endpoint.pool().is_stale()).await;
    let serving = async {
        let mut connection = server.accept().await;
        assert!(connection.request().await.ends_with("again"));
        connection.write(OK).await;
    };
    let (body, ()) = within(async { tokio::join!(call(&endpoint, "again"), serving) }).await;
    assert_eq!(body.unwrap(), "{}");
}

#[tokio::test]
async fn idle_connections_are_closed_in_time() {
    let (_server, endpoint, mut connection) = idle().await;
    endpoint.pool().sweep();
    assert_eq!(answered(&endpoint, &mut connection, OK).await, "{}");
    endpoint.pool().sweep_older(std::time::Duration::ZERO);
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn a_request_that_may_have_arrived_is_not_sent_again() {
    let (server, endpoint, mut connection) = idle().await;
    let serving = async {
        connection.request().await;
        drop(connection);
    };
    let (body, ()) = tokio::join!(call(&endpoint, "once"), serving);
    let detail = "connection closed before message completed".to_owned();
    let origin = server.base.clone();
    assert_eq!(body, Err(TransportError::Http { origin, detail }));
}

#[tokio::test]
async fn a_server_that_says_so_or_is_old_keeps_no_connection() {
    for head in [
        "HTTP/1.1 200 OK\r\nconnection: foo, Close\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}surplus",
    ] {
        let (_server, endpoint, mut connection) = idle().await;
        let answer = if head.ends_with("\r\n\r\n") && !head.contains("chunked") {
            format!("{head}{{}}")
        } else {
            head.to_owned()
        };
        assert_eq!(answered(&endpoint, &mut connection, &answer).await, "{}");
        assert!(connection.is_closed().await, "{head}");
    }
}

#[tokio::test]
async fn a_body_without_a_length_ends_with_the_connection() {
    let (_server, endpoint, mut connection) = idle().await;
    let serving = async {
        connection.request().await;
        connection.write("HTTP/1.1 200 OK\r\n\r\nall of").await;
        connection.write(" it").await;
        drop(connection);
    };
    let (body, ()) = tokio::join!(call(&endpoint, "{}"), serving);
    assert_eq!(body.unwrap(), "all of it");
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_an_error() {
    for head in ["content-length: 9", "transfer-encoding: chunked"] {
        let (_server, endpoint, mut connection) = idle().await;
        let serving = async {
            connection.request().await;
            let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n9\r\ncut");
            connection.write(&answer).await;
            drop(connection);
        };
        let (body, ()) = tokio::join!(call(&endpoint, "{}"), serving);
        let error = body.unwrap_err();
        assert!(matches!(error, TransportError::Http { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_answer_may_come_before_the_request_has_left() {
    let server = Raw::start(Sends::Straight).await;
    let endpoint = server.endpoint();
    let long = Bytes::from(vec![b'x'; 8 * 1024 * 1024]);
    let asking = async {
        let answer = endpoint.post(HeaderMap::new(), long).await.unwrap();
        (answer.status, answer.body.bytes().await)
    };
    let serving = async {
        let mut connection = server.accept().await;
        let refusal = "HTTP/1.1 413 Large\r\ncontent-length: 3\r\n\r\n";
        connection.write(refusal).await;
        connection.write("too").await;
        connection
    };
    let (answer, mut connection) = within(async { tokio::join!(asking, serving) }).await;
    assert_eq!(answer, (StatusCode::PAYLOAD_TOO_LARGE, Ok("too".into())));
    connection.drain().await;
}

#[tokio::test]
async fn headers_that_stand_are_replaced_by_others() {
    let server = Raw::start(Sends::Straight).await;
    let endpoint = server.endpoint();
    let mut headers = HeaderMap::new();
    headers.insert("a", HeaderValue::from_static("1"));
    headers.insert("b", HeaderValue::from_static("1"));
    let standing = endpoint.standing(headers);
    let two = |name| (HeaderName::from_static(name), HeaderValue::from_static("2"));
    let (extra, body) = ([two("b"), two("x-key")], Pieces::default());
    let asking = endpoint.post_with(&standing, &extra, &body);
    let serving = async { server.accept().await.request().await };
    let (_, request) = within(async { tokio::join!(asking, serving) }).await;
    let given = |line: &&str| ["a", "b", "x-key"].contains(&line.split(':').next().unwrap());
    let lines: Vec<&str> = request.lines().filter(given).collect();
    assert_eq!(lines, ["a: 1", "b: 2", "x-key: 2"]);
    assert!(request.contains("content-length: 0"));
}

/// What comes of a stream that arrives byte by byte.
fn head(bytes: &str) -> Result<(u16, Framing, bool), &'static str> {
    let mut search = Search::default();
    let mut buffer = BytesMut::new();
    for byte in bytes.bytes() {
        buffer.extend_from_slice(&[byte]);
        if let Some(head) = search.head(&mut buffer)? {
            return Ok((head.status.as_u16(), head.framing, head.keeps));
        }
    }
    Err("incomplete")
}

#[test]
fn heads_say_where_the_body_ends() {
    let length = |length| Ok((200, Framing::Length(length), true));
    let cases = [
        ("content-length: 7", length(7)),
        ("content-length: 7, 7\r\ncontent-length: 7", length(7)),
        (
            "content-length: 7\r\ncontent-length: 8",
            Err("two different lengths"),
        ),
        ("content-length: +7", Err("an unusable length")),
        (
            "content-length: 99999999999999999999",
            Err("an unusable length"),
        ),
        (
            "transfer-encoding: gzip, Chunked",
            Ok((200, Framing::Chunked(Chunk::Size), true)),
        ),
        (
            "transfer-encoding: gzip",
            Ok((200, Framing::Closing, false)),
        ),
        ("x: y", Ok((200, Framing::Closing, false))),
        ("content-length: 0\r\nconnection: keep-alive", length(0)),
        ("no header", Err("an answer that is no HTTP")),
    ];
    for (lines, expected) in cases {
        assert_eq!(
            head(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n")),
            expected,
            "{lines}"
        );
    }
    let none = Ok((204, Framing::Length(0), true));
    assert_eq!(head("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204\n\n"), none);
    assert_eq!(head("SSH-2.0\r\n\r\n"), Err("an answer that is no HTTP"));
    assert!(head("HTTP/1.1 101 S\r\nupgrade: x\r\n\r\n").is_err());
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(500_000));
    assert_eq!(
        Search::default().head(&mut endless.as_bytes().into()).err(),
        Some("a head that is too long")
    );
}

/// The body in these chunks, cut into pieces of `size` bytes, and what is left behind it.
fn chunked(bytes: &[u8], size: usize) -> Result<(Vec<u8>, usize), &'static str> {
    let mut framing = Framing::Chunked(Chunk::Size);
    let (mut buffer, mut body) = (BytesMut::new(), Vec::new());
    for piece in bytes.chunks(size) {
        buffer.extend_from_slice(piece);
        loop {
            match framing.next(&mut buffer)? {
                Piece::Data(data) => body.extend_from_slice(&data),
                Piece::More => break,
                Piece::End => return Ok((body, buffer.len())),
            }
        }
    }
    Err("incomplete")
}

#[test]
fn chunks_are_joined_however_they_come() {
    let bytes = b"3;ext=1\r\nabc\r\nA\r\n0123456789\r\n000\r\nx: y\r\n\r\n";
    for size in 1..bytes.len() {
        assert_eq!(
            chunked(bytes, size),
            Ok((b"abc0123456789".to_vec(), 0)),
            "{size}"
        );
    }
    for broken in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "1\r\nab\r\n",
        "fffffffffffffffff\r\n",
        "1\n",
    ] {
        let error = chunked(broken.as_bytes(), 1).unwrap_err();
        assert_ne!(error, "incomplete", "{broken:?}");
    }
    let long = format!("1;{}", "x".repeat(20_000));
    assert_ne!(chunked(long.as_bytes(), 100), Err("incomplete"));
    let long = format!("0\r\n{}", "x: y\r\n".repeat(5_000));
    assert_ne!(chunked(long.as_bytes(), 100), Err("incomplete"));
}

#[tokio::test]
async fn the_limit_holds_for_bodies_of_every_framing() {
    let long = "x".repeat(LIMIT + 1);
    let answers = [
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{long}",
            long.len()
        ),
        format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
            chunk(&long)
        ),
    ];
    for answer in answers {
        let (_server, endpoint, mut connection) = idle().await;
        let serving = async {
            connection.request().await;
            connection.write(&answer).await;
        };
        let (body, ()) = tokio::join!(call(&endpoint, "{}"), serving);
        assert_eq!(body, Err(TransportError::TooLarge { limit: LIMIT }));
    }
}

#[test]
fn an_answer_that_begins_like_the_last_one_is_read_like_any_other() {
    let date = |second| format!("HTTP/1.1 200 OK\r\ndate: {second}\r\nx: y\r\ncontent-length: ");
    let mut search = Search::default();
    for (begin, digits, expected) in [
        (date(1), "7", Ok(7)),
        (date(1), "12", Ok(12)),
        (date(1), "7, 8", Err("two different lengths")),
        (date(1), "-7", Err("an unusable length")),
        (date(2), "12", Ok(12)),
        (date(2), "0", Ok(0)),
        (date(2), "3\r\nconnection: close", Ok(3)),
        (date(2), "4", Ok(4)),
    ] {
        let text = format!("{begin}{digits}\r\n\r\nbody");
        for cut in [0, 9, begin.len(), text.len() - 6] {
            let mut buffer = BytesMut::from(&text.as_bytes()[..cut]);
            let mut found = search.head(&mut buffer).map(|head| assert!(head.is_none()));
            buffer.extend_from_slice(&text.as_bytes()[cut..]);
            let head = search.head(&mut buffer);
            found = found.and_then(|()| {
                let head = head?.ok_or("incomplete")?;
                assert_eq!(head.keeps, !digits.contains("close"));
                assert_eq!(head.framing, Framing::Length(expected.unwrap_or(0)));
                assert_eq!(head.headers["x"], "y");
                assert_eq!(&buffer[..], b"body");
                Ok(())
            });
            assert_eq!(found, expected.map(drop), "{text} {cut}");
        }
    }
}
