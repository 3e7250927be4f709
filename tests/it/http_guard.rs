//! What stands before every HTTP request: Origin, Host, methods, paths, sizes.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::support::{MuxTest, Request, fake};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}"#;

#[test]
fn a_foreign_origin_is_403() {
    let mux = MuxTest::new().start();
    for origin in [
        "http://evil.example",
        "null",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil:80",
    ] {
        for request in [Request::post(INITIALIZE), Request::get(), Request::delete()] {
            let answer = request.header("Origin", origin).send(mux.addr());
            assert_eq!(answer.status(), 403, "for {origin}");
        }
    }
    for origin in [
        "http://localhost:3000",
        "http://127.0.0.1",
        "http://[::1]:8080",
    ] {
        let answer = Request::post(INITIALIZE)
            .header("Origin", origin)
            .send(mux.addr());
        assert_eq!(answer.status(), 200, "for {origin}");
    }
}

#[test]
fn a_foreign_host_is_403() {
    let mux = MuxTest::new().start();
    let port = mux.addr().port();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1.evil".to_owned(),
    ] {
        let answer = Request::post(INITIALIZE)
            .header("Host", &host)
            .send(mux.addr());
        assert_eq!(answer.status(), 403, "for {host}");
    }
    for host in [
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
    ] {
        let answer = Request::post(INITIALIZE)
            .header("Host", &host)
            .send(mux.addr());
        assert_eq!(answer.status(), 200, "for {host}");
    }
}

#[test]
fn further_hosts_and_origins_may_be_allowed() {
    let settings = json!({
        "allowedHosts": ["mux.example"],
        "allowedOrigins": ["https://app.example"],
    });
    let mux = MuxTest::new().settings(&settings).start();
    let request = Request::post(INITIALIZE).header("Host", "mux.example");
    let request = request.header("Origin", "https://app.example");
    assert_eq!(request.send(mux.addr()).status(), 200);
}

#[test]
fn origin_comes_before_everything_else() {
    let mux = MuxTest::new().start();
    let evil = |request: Request| {
        request
            .header("Origin", "http://evil.example")
            .send(mux.addr())
    };
    assert_eq!(evil(Request::post("not json")).status(), 403);
    assert_eq!(evil(Request::new("PUT")).status(), 403);
    assert_eq!(evil(Request::post("{}").path("/nowhere")).status(), 403);
}

#[test]
fn other_methods_are_405_and_other_paths_404() {
    let mux = MuxTest::new().start();
    for method in ["PUT", "PATCH", "HEAD"] {
        let answer = Request::new(method).send(mux.addr());
        assert_eq!(answer.status(), 405, "for {method}");
        let allow = answer.header("allow").unwrap_or_default();
        assert!(
            ["POST", "GET", "DELETE"]
                .iter()
                .all(|name| allow.contains(name)),
            "{allow}"
        );
    }
    for path in ["/", "/mcp/x", "/sse"] {
        assert_eq!(
            Request::post(INITIALIZE)
                .path(path)
                .send(mux.addr())
                .status(),
            404,
            "{path}"
        );
    }
}

#[test]
fn a_body_that_is_not_json_by_its_type_is_415() {
    let mux = MuxTest::new().start();
    let text = Request::post(INITIALIZE).header("Content-Type", "text/plain");
    assert_eq!(text.send(mux.addr()).status(), 415);
    let typed = Request::post(INITIALIZE).header("Content-Type", "application/json; charset=utf-8");
    assert_eq!(typed.send(mux.addr()).status(), 200);
}

#[test]
fn an_answer_that_the_client_cannot_take_is_406() {
    let mux = MuxTest::new().start();
    let html = Request::post(INITIALIZE).header("Accept", "text/html");
    assert_eq!(html.send(mux.addr()).status(), 406);
    let session = mux.legacy();
    let get = session
        .dressed(Request::get())
        .header("Accept", "application/json");
    assert_eq!(get.send(mux.addr()).status(), 406);
    let any = Request::post(INITIALIZE).header("Accept", "*/*");
    assert_eq!(any.send(mux.addr()).status(), 200);
}

#[test]
fn a_body_that_is_too_large_is_413() {
    let fake = fake::legacy().tool("echo").http();
    let settings = json!({"maxMessageSize": 100_000});
    let mux = MuxTest::new()
        .settings(&settings)
        .upstream("a", &fake)
        .start();
    let client = mux.legacy();
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"x":"{}"}}}}"#,
        "x".repeat(200_000)
    );
    let answer = client.dressed(Request::post(body)).send(mux.addr());
    assert_eq!(answer.status(), 413);
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
}

#[test]
fn a_length_that_is_a_lie_is_refused_before_it_is_believed() {
    let mux = MuxTest::new().start();
    let mut stream = TcpStream::connect(mux.addr()).expect("a connection");
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: 99999999999\r\n\r\n",
        mux.addr()
    );
    stream
        .write_all(head.as_bytes())
        .expect("the head is taken");
    stream
        .set_read_timeout(Some(crate::support::patience()))
        .expect("a time limit");
    let mut start = [0; 12];
    stream
        .read_exact(&mut start)
        .expect("an answer without a body having been sent");
    assert_eq!(&start, b"HTTP/1.1 413");
}

#[test]
fn headers_without_end_are_refused() {
    let mux = MuxTest::new().start();
    let mut stream = TcpStream::connect(mux.addr()).expect("a connection");
    stream
        .set_read_timeout(Some(crate::support::patience()))
        .expect("a time limit");
    let line = format!("X-Long: {}\r\n", "x".repeat(8000));
    let _ = stream.write_all(b"POST /mcp HTTP/1.1\r\n");
    // The mux may close while we still write.
    let sent = (0..1000)
        .take_while(|_| stream.write_all(line.as_bytes()).is_ok())
        .count();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(
        sent < 1000 || answer.starts_with(b"HTTP/1.1 4"),
        "{sent} lines were taken"
    );
    assert_eq!(mux.legacy().total(), 0);
}

#[test]
fn only_loopback_is_served_without_more_ado() {
    let ran = MuxTest::new().run(&["serve", "--http", "0.0.0.0:0"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.starts_with("error: ") && ran.stderr.contains("hint: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_connection_is_kept_and_a_body_may_come_in_chunks() {
    let mux = MuxTest::new().start();
    let mut stream = TcpStream::connect(mux.addr()).expect("a connection");
    stream
        .set_read_timeout(Some(crate::support::patience()))
        .expect("a time limit");
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        mux.addr()
    );
    let (first, second) = INITIALIZE.split_at(40);
    let body = format!(
        "{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    let mut sessions = Vec::new();
    for _ in 0..2 {
        stream
            .write_all([head.as_str(), &body].concat().as_bytes())
            .expect("a request is taken");
        let copy = stream.try_clone().expect("a second handle");
        let answer = crate::support::Response::read(crate::support::door::Connection::Tcp(copy))
            .expect("an answer");
        assert_eq!(answer.status(), 200);
        sessions.push(answer.header("mcp-session-id").map(str::to_owned));
        answer.msg().result();
    }
    assert_ne!(sessions[0], sessions[1]);
}
