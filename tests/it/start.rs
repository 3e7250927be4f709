//! The start: nobody waits for the slowest.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::client::Connect;
use crate::support::{Era, FakeServer, Gate, MuxTest, Pipe, Probe, Reply, eventually, fake};

#[test]
fn one_of_ten_servers_hangs() {
    for front in [Pipe::Stdio, Pipe::Http] {
        let fakes: Vec<FakeServer> = (0..9)
            .map(|_| fake::legacy().tool("echo").stdio())
            .collect();
        let hanging = fake::legacy().hanging().stdio();
        let mut test = MuxTest::new().upstream("hanging", &hanging);
        for (n, fake) in fakes.iter().enumerate() {
            test = test.upstream(&format!("s{n}"), fake);
        }
        let mux = test.unready().over(front);
        let begun = Instant::now();
        let client = mux.connect(Connect::new(Era::Legacy));
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "initialize took {:?}",
            begun.elapsed()
        );
        for fake in &fakes {
            fake.wait_seen("tools/list", 1);
        }
        let ready = Instant::now();
        eventually("the nine are listed", || {
            (client.names("tools").len() == 9).then_some(())
        });
        assert!(
            ready.elapsed() < Duration::from_secs(1),
            "it took {:?}",
            ready.elapsed()
        );
    }
}

#[test]
fn everything_answers_while_nobody_is_there_yet() {
    let hanging = fake::legacy().hanging().stdio();
    let mux = MuxTest::new()
        .upstream("hanging", &hanging)
        .unready()
        .start();
    let begun = Instant::now();
    let (legacy, modern) = (mux.legacy(), mux.modern());
    modern.request("server/discover", &json!({})).result();
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "it took {:?}",
        begun.elapsed()
    );
    // The first lists wait a little for servers that are about to be ready, later ones do not.
    assert_eq!((legacy.total(), modern.total()), (0, 0));
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        begun.elapsed()
    );
    let later = Instant::now();
    assert_eq!((legacy.total(), modern.total()), (0, 0));
    assert!(
        later.elapsed() < Duration::from_secs(1),
        "it took {:?}",
        later.elapsed()
    );
}

/// The second process takes its time; a call to what is listed waits for it.
#[test]
fn a_call_waits_for_a_listed_server() {
    for (fake, first) in [
        (fake::legacy(), "initialize"),
        (fake::modern(), "server/discover"),
    ] {
        let (gate, again) = (Gate::new(), Gate::new());
        let (held, second) = (gate.clone(), again.clone());
        let fake = fake
            .tool("echo")
            .on(first, move |_| {
                if second.is_open() {
                    held.wait("the call is waiting");
                }
                Reply::Usual
            })
            .stdio();
        let mux = MuxTest::new().upstream("a", &fake).start();
        let client = mux.legacy();
        again.open();
        fake.kill();
        fake.wait_seen(first, 2);
        let call = client.start_call("a__echo", &json!({}));
        client.request("ping", &json!({})).result();
        gate.open();
        assert_eq!(call.answer().said(), "echo {}");
    }
}

#[test]
fn a_required_server_that_does_not_come_ends_the_mux() {
    let hanging = fake::legacy().hanging().stdio();
    let keys = json!({"required": true, "startupTimeout": "300ms"});
    let test = MuxTest::new().upstream_with("must", &hanging, &keys);
    let ran = test.run(&["serve", "--http", "127.0.0.1:0"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("`must`"), "{}", ran.stderr);
}

/// "Retry with a version from `supported`": the refusal says nothing of what the server offers.
#[test]
fn a_modern_server_that_refuses_the_first_probe_is_asked_again() {
    let refusal = r#"{"code":-32022,"message":"Unsupported protocol version","data":{"supported":["2026-07-28"],"requested":"2026-07-28"}}"#;
    for pipe in [Pipe::Stdio, Pipe::Http] {
        let fake = fake::modern()
            .tool("echo")
            .once("server/discover", |_| Reply::Error(refusal.to_owned()))
            .over(pipe);
        let mux = MuxTest::new().upstream("a", &fake).start();
        assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
        assert_eq!(fake.seen_of("server/discover").len(), 2);
        assert_eq!(fake.seen_of("initialize").len(), 0);
    }
}

#[test]
fn legacy_servers_are_found_however_they_take_the_probe() {
    for probe in [
        Probe::Code(-32601),
        Probe::Code(-32602),
        Probe::Code(-32000),
        Probe::Code(-32600),
    ] {
        for pipe in [Pipe::Stdio, Pipe::Http] {
            let fake = fake::legacy().tool("echo").probed(probe).over(pipe);
            let mux = MuxTest::new().upstream("a", &fake).start();
            assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
        }
    }
    for status in [400, 404, 405] {
        let fake = fake::legacy()
            .tool("echo")
            .probed(Probe::Status(status))
            .http();
        let mux = MuxTest::new().upstream("a", &fake).start();
        assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
    }
}

#[test]
fn a_legacy_server_that_is_silent_on_the_probe_is_found() {
    let fake = fake::legacy().tool("echo").probed(Probe::Silence).stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
}

#[test]
fn an_auth_challenge_or_a_broken_server_is_not_taken_for_legacy() {
    for status in [
        "401 Unauthorized",
        "403 Forbidden",
        "500 Internal Server Error",
        "503 Unavailable",
    ] {
        let fake = fake::dual()
            .tool("echo")
            .http_answering(move |head| {
                let probe = head.header("mcp-method") == Some("server/discover");
                probe.then(|| format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"))
            })
            .http();
        let mux = MuxTest::new().upstream("a", &fake).unready().start();
        eventually("it was tried twice", || {
            (fake.heads().len() >= 2).then_some(())
        });
        assert_eq!(mux.legacy().total(), 0, "for {status}");
        assert_eq!(fake.count("initialize"), 0, "for {status}");
    }
}

#[test]
fn a_server_of_both_eras_is_spoken_to_in_the_newer_one() {
    for pipe in [Pipe::Stdio, Pipe::Http] {
        let fake = fake::dual().tool("echo").over(pipe);
        let mux = MuxTest::new().upstream("a", &fake).start();
        assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
        assert_eq!(fake.count("initialize"), 0);
    }
}

#[test]
fn older_revisions_are_spoken_too() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18"] {
        for pipe in [Pipe::Stdio, Pipe::Http] {
            let fake = fake::legacy().speaking(version).tool("echo").over(pipe);
            let mux = MuxTest::new().upstream("a", &fake).start();
            assert_eq!(mux.modern().call("a__echo", &json!({})).said(), "echo {}");
        }
    }
}

#[test]
fn servers_may_use_the_freedoms_of_http() {
    for fake in [
        fake::legacy().sessionless(),
        fake::legacy().without_get(),
        fake::legacy().always_streaming(),
        fake::modern().always_streaming(),
    ] {
        let fake = fake.tool("echo").http();
        let mux = MuxTest::new().upstream("a", &fake).start();
        assert_eq!(mux.legacy().call("a__echo", &json!({})).said(), "echo {}");
    }
}

#[test]
fn the_mux_takes_its_leave_of_http_sessions() {
    let fake = fake::legacy().tool("echo").http();
    let mut mux = MuxTest::new().upstream("a", &fake).start();
    mux.legacy().call("a__echo", &json!({})).result();
    mux.stop();
    let deletes = fake
        .heads()
        .iter()
        .filter(|head| head.word(0) == "DELETE")
        .count();
    assert_eq!(deletes, 1);
}

#[test]
fn headers_and_credentials_go_with_every_request() {
    let fake = fake::legacy().tool("echo").http();
    let keys = json!({
        "headers": {"X-Team": "${TEAM}"},
        "auth": {"type": "bearer", "token": "${TOKEN:-fallback}"},
    });
    let mux = MuxTest::new()
        .env("TEAM", "blue")
        .upstream_with("a", &fake, &keys)
        .start();
    mux.legacy().call("a__echo", &json!({})).result();
    for seen in fake.seen() {
        let head = seen.head.expect("an HTTP head");
        assert_eq!(head.header("x-team"), Some("blue"));
        assert_eq!(head.header("authorization"), Some("Bearer fallback"));
    }
    assert!(!mux.stderr().contains("fallback"), "{}", mux.stderr());
}

#[test]
fn an_error_of_a_start_is_told_to_callers() {
    let fake = fake::legacy()
        .on("initialize", |_| Reply::error(-32000, "not today"))
        .tool("echo")
        .http();
    let mux = MuxTest::new().upstream("a", &fake).unready().start();
    fake.wait_seen("initialize", 1);
    mux.wait_stderr("not today");
    assert_eq!(mux.legacy().total(), 0);
}
