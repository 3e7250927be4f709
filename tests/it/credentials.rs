//! What goes with requests to servers, and what does not.

use serde_json::{Value, json};

use crate::support::{MuxTest, Request, fake};

/// One header of all requests that a server with these keys gets.
fn sent(keys: &Value, header: &str) -> Vec<Option<String>> {
    let fake = fake::legacy().tool("echo").http();
    let mux = MuxTest::new()
        .env("TOKEN", "t0ken")
        .upstream_with("a", &fake, keys)
        .start();
    mux.legacy().call("a__echo", &json!({})).result();
    assert!(!mux.stderr().contains("t0ken"), "{}", mux.stderr());
    let mut values: Vec<_> = fake
        .seen()
        .into_iter()
        .map(|seen| {
            seen.head
                .and_then(|head| head.header(header).map(str::to_owned))
        })
        .collect();
    values.dedup();
    values
}

#[test]
fn every_kind_of_credentials_goes_with_every_request() {
    let bearer = json!({"auth": {"type": "bearer", "token": "${TOKEN}"}});
    assert_eq!(
        sent(&bearer, "authorization"),
        [Some("Bearer t0ken".to_owned())]
    );
    let key = json!({"auth": {"type": "apiKey", "key": "${TOKEN}"}});
    assert_eq!(sent(&key, "x-api-key"), [Some("t0ken".to_owned())]);
    let key = json!({"auth": {"type": "apiKey", "key": "${TOKEN}", "header": "X-Mine"}});
    assert_eq!(sent(&key, "x-mine"), [Some("t0ken".to_owned())]);
    let basic = json!({"auth": {"type": "basic", "username": "me", "password": "${TOKEN}"}});
    assert_eq!(
        sent(&basic, "authorization"),
        [Some("Basic bWU6dDBrZW4=".to_owned())]
    );
    let header = json!({"headers": {"X-Team": "${TEAM:-blue}"}});
    assert_eq!(sent(&header, "x-team"), [Some("blue".to_owned())]);
}

#[test]
fn a_clients_credentials_go_no_further() {
    let fake = fake::modern().tool("echo").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let call = mux.modern();
    let call = call
        .ask_call("a__echo")
        .header("Authorization", "Bearer client");
    let call = call
        .header("Cookie", "c=client")
        .header("X-Api-Key", "client");
    assert_eq!(call.answer().said(), "echo -");
    for seen in fake.seen() {
        let head = seen.head.expect("an HTTP head");
        assert!(
            !head
                .headers
                .iter()
                .any(|(_, value)| value.contains("client")),
            "{head:?}"
        );
    }
}

#[test]
fn a_redirect_to_another_origin_does_not_get_them() {
    let other = fake::legacy().tool("echo").http();
    let url = other.url();
    let fake = fake::legacy()
        .http_answering(move |_| {
            Some(format!(
                "HTTP/1.1 307 Moved\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n"
            ))
        })
        .http();
    let keys = json!({"headers": {"X-Secret": "s"}});
    let mux = MuxTest::new()
        .upstream_with("a", &fake, &keys)
        .unready()
        .start();
    crate::support::eventually("it was tried", || (!fake.heads().is_empty()).then_some(()));
    assert_eq!(mux.legacy().total(), 0);
    assert_eq!((other.seen().len(), other.heads().len()), (0, 0));
    assert_eq!(Request::post("{}").send(mux.addr()).status(), 400);
}
