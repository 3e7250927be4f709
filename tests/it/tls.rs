//! Servers behind TLS with certificates that only the configuration knows.

use serde_json::{Value, json};

use crate::support::tls::{Admits, Authority, front};
use crate::support::{FakeServer, MuxTest, Pipe, fake};

/// The transports that TLS is for, with the URL of a fake's front.
const BACKS: [(Pipe, &str, &str); 3] = [
    (Pipe::Http, "https", "mcp"),
    (Pipe::Sse, "https", "sse"),
    (Pipe::WebSocket, "wss", "ws"),
];

struct Bench {
    fake: FakeServer,
    test: MuxTest,
}

/// A fake behind a front of this authority, and a mux whose entry for it has these certificates.
fn bench(
    (pipe, scheme, path): (Pipe, &str, &str),
    (authority, admits): (&Authority, &Admits<'_>),
    certificates: impl FnOnce(&std::path::Path) -> Value,
) -> Bench {
    let fake = fake::legacy().tool("echo").over(pipe);
    let port = front(authority, admits, fake.addr()).port();
    let test = MuxTest::new();
    let keys = json!({
        "url": format!("{scheme}://localhost:{port}/{path}"),
        "tls": certificates(test.dir()),
        "startupTimeout": "10s",
    });
    let test = test
        .env("MCPMUX_LOG", "trace")
        .upstream_with("a", &fake, &keys);
    Bench { fake, test }
}

#[track_caller]
fn works(bench: Bench) -> String {
    let mux = bench.test.start();
    assert_eq!(mux.modern().call("a__echo", &json!({})).said(), "echo {}");
    mux.stderr()
}

/// Why the server cannot be reached, and that it heard of nothing.
#[track_caller]
fn refused(bench: &Bench) -> String {
    let ran = bench.test.run(&["list", "servers", "--json"]);
    let servers: Value = serde_json::from_str(&ran.stdout).expect("JSON on stdout");
    assert_eq!(bench.fake.seen().len(), 0);
    servers[0]["error"].as_str().expect("an error").to_owned()
}

#[test]
fn a_private_authority_is_trusted_where_it_is_configured_and_nowhere_else() {
    let authority = Authority::new();
    let of = (&authority, &Admits::Everybody);
    for back in BACKS {
        works(bench(back, of, |dir| authority.write(dir)));
        let none = refused(&bench(back, of, |_| json!({})));
        let others = refused(&bench(back, of, |dir| Authority::new().write(dir)));
        for error in [none, others] {
            let wanted = format!("no secure connection to `{}://localhost", back.1);
            assert!(error.starts_with(&wanted), "{error}");
            assert!(error.contains("certificate"), "{error}");
        }
    }
}

#[test]
fn a_client_certificate_is_given_where_it_is_demanded() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let of = (&authority, &Admits::KnownTo(&clients));
    for back in BACKS {
        let me = clients.identity("me");
        let stderr = works(bench(back, of, |dir| {
            let mut tls = authority.write(dir);
            me.write(dir, &mut tls);
            tls
        }));
        let secret = me.key.lines().nth(1).expect("a line of the key");
        assert!(!stderr.contains(secret));
        let without = refused(&bench(back, of, |dir| authority.write(dir)));
        let strange = refused(&bench(back, of, |dir| {
            let mut tls = authority.write(dir);
            Authority::new().identity("me").write(dir, &mut tls);
            tls
        }));
        for error in [without, strange] {
            assert!(error.starts_with("no secure connection to `"), "{error}");
            assert!(error.contains("received fatal alert"), "{error}");
        }
    }
}

#[test]
fn certificates_mean_nothing_without_tls() {
    let fake = fake::legacy().tool("echo").http();
    let test = MuxTest::new();
    let tls = Authority::new().write(test.dir());
    let test = test.upstream_with("a", &fake, &json!({"tls": tls}));
    let ran = test.run(&["check"]);
    assert!(ran.stderr.contains("`tls` means nothing"), "{}", ran.stderr);
}
