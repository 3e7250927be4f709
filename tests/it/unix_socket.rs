//! HTTP on a Unix socket: the file, who may connect, what headers mean there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::door::Door;
use crate::support::{FakeServer, Mux, MuxTest, Request, fake};

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}"#;

fn started(settings: &Value) -> (Mux, FakeServer) {
    let fake = fake::legacy().tool("echo").stdio();
    let mux = MuxTest::new().settings(settings).upstream("a", &fake);
    (mux.start_unix(), fake)
}

fn path(mux: &Mux) -> &'static Path {
    let Door::Unix(path) = mux.door() else {
        panic!("a socket");
    };
    path
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[test]
fn only_the_owner_may_connect_unless_told_otherwise_and_nothing_is_left() {
    for (settings, expected) in [(json!({}), 0o600), (json!({"socketMode": "0666"}), 0o666)] {
        let (mut mux, _fake) = started(&settings);
        assert_eq!(mode(path(&mux)), expected);
        assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
        assert_eq!(mux.stop(), 143);
        assert!(!path(&mux).exists());
    }
}

#[test]
fn a_socket_that_was_left_behind_is_replaced_and_a_live_one_is_an_error() {
    let (mut mux, _fake) = started(&json!({}));
    mux.process.kill();
    mux.process.wait();
    assert!(path(&mux).exists(), "killed without a chance to tidy up");
    let again = MuxTest::within(mux.dir()).start_unix();
    let flag = format!("unix:{}", path(&again).display());
    let second = MuxTest::new().run(&["serve", "--http", &flag]);
    assert_eq!(second.code, 1, "{second:?}");
    assert!(
        second.stderr.contains("another process listens there"),
        "{second:?}"
    );
    assert_eq!(Request::post(PING).send(again.door()).status(), 200);
}

#[test]
fn another_file_is_never_removed() {
    let test = MuxTest::new();
    let path = test.dir().join("file");
    fs::write(&path, "precious").expect("a file");
    let ran = test.run(&["serve", "--http", &format!("unix:{}", path.display())]);
    assert_eq!(
        (ran.code, fs::read_to_string(&path).expect("a file")),
        (1, "precious".to_owned())
    );
    assert!(ran.stderr.contains("no socket"), "{ran:?}");
}

#[test]
fn pages_are_refused_by_their_origin_and_hosts_only_if_some_are_named() {
    let status = |mux: &Mux, name: &str, value: &str| {
        Request::post(PING)
            .header(name, value)
            .send(mux.door())
            .status()
    };
    let (mux, _fake) = started(&json!({}));
    assert_eq!(status(&mux, "Host", "whatever.example"), 200);
    assert_eq!(status(&mux, "Origin", "https://evil.example"), 403);
    let same = Request::post(PING).header("Host", "evil.example");
    let same = same.header("Origin", "http://evil.example");
    assert_eq!(
        same.send(mux.door()).status(),
        403,
        "a name that leads to a proxy"
    );
    let (mux, _fake) = started(&json!({"allowedHosts": ["mux.example"]}));
    assert_eq!(status(&mux, "Host", "whatever.example"), 403);
    assert_eq!(status(&mux, "Host", "mux.example"), 200);
}

#[test]
fn the_configuration_and_the_environment_name_it_too() {
    let test = MuxTest::new();
    let listen = format!("unix:{}/m.sock", test.dir().display());
    let mux = test
        .settings(&json!({"listen": listen}))
        .start_listening(&[]);
    assert_eq!(Request::post(PING).send(mux.door()).status(), 200);
    let test = MuxTest::new();
    let listen = format!("unix:{}/e.sock", test.dir().display());
    let mux = test.env("MCPMUX_LISTEN", &listen).start_listening(&[]);
    assert_eq!(Request::post(PING).send(mux.door()).status(), 200);
    assert!(path(&mux).ends_with("e.sock"));
}
