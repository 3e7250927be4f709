//! A mux that runs: its log, what clients see, what it writes.

use std::fs;

use serde_json::json;

use super::EVERYTHING;
use super::kinds::{Scene, away, kinds};
use crate::support::{Client, Mux, MuxTest, Request};

/// What a client gets from the mux, whether it works or not.
fn told(client: &Client) -> Vec<String> {
    let call = |name: &str| client.call(&format!("{name}__echo"), &json!({}));
    let mut told: Vec<String> = kinds()
        .iter()
        .map(|kind| call(kind.name).result().to_string())
        .collect();
    told.push(call("child").result().to_string());
    told.push(client.call("bearer__ecko", &json!({})).error().to_string());
    for (name, _) in away() {
        told.push(call(name).error().to_string());
    }
    let read = client.request("resources/read", &json!({"uri": "x://y"}));
    told.push(read.error().to_string());
    told.push(format!("{:?}", client.list("tools")));
    told
}

/// Answers to requests that are wrong.
fn bodies(mux: &Mux) -> Vec<String> {
    let wrong = [
        Request::post("{"),
        Request::post("{}").header("Host", "evil.example"),
        Request::post("{}").header("Origin", "http://evil.example"),
        Request::post("{}").header("Mcp-Session-Id", "unknown"),
        Request::get(),
        Request::delete(),
    ];
    let told = |request: Request| format!("{:?}", request.send(mux.addr()));
    wrong.into_iter().map(told).collect()
}

#[test]
fn a_running_mux_keeps_secrets_to_itself() {
    let mut scene = Scene::new();
    let test = scene.test();
    let mut mux = test.start_with(&["--http", "127.0.0.1:0", "--log-level", EVERYTHING]);
    let clients = [mux.legacy(), mux.modern()];
    let mut said: Vec<String> = clients.iter().flat_map(told).collect();
    said.extend(bodies(&mux));
    said.push(replanned(&mux));
    for (kind, fake) in kinds().iter().zip(&scene.fakes) {
        let with_message = fake.seen().into_iter().filter_map(|seen| seen.head);
        let mut heads = fake.heads().into_iter().chain(with_message);
        let sent = heads.any(|head| head.header(kind.header) == Some(kind.value));
        assert!(sent, "{} reaches its server", kind.name);
    }
    let dir = mux.dir();
    drop(clients);
    assert_eq!(mux.stop(), 143);
    let log = mux.stderr();
    assert!(log.contains("TRACE"), "the log is at trace level");
    let line = log.lines().find(|line| scene.leaks(line));
    assert_eq!(line, None, "a line of the log");
    let leak = said.iter().find(|said| scene.leaks(said));
    assert_eq!(leak, None, "what was said to somebody");
    assert_eq!(
        scene.leaking_files(dir.path()),
        [
            "basic", "helped", "key", "mcp.json", "me", "me.key", "own", "private"
        ],
        "where secrets were written"
    );
}

/// What a reload would do after another secret came into the file.
fn replanned(mux: &Mux) -> String {
    let test = MuxTest::within(mux.dir());
    let file = test.dir().join("mcp.json");
    let before = fs::read_to_string(&file).expect("the file");
    let changed = before.replace("s3cret-literal", "s3cret-other");
    fs::write(&file, changed).expect("the file");
    let url = format!("http://{}/mcp", mux.addr());
    let reload = |further: &[&str]| {
        let args = [
            "reload",
            "--dry-run",
            "--url",
            &url,
            "--log-level",
            EVERYTHING,
        ];
        format!("{:?}", test.run_bare(&[&args[..], further].concat()))
    };
    reload(&["--config", "mcp.json"]) + &reload(&["--config", "mcp.json", "--json"])
}
