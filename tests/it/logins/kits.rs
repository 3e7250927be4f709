//! The authorization servers that the SDKs bring along.

use serde_json::json;

use super::browser::log_in;
use super::peer::{Peer, installed, node, script};
use super::place::{Place, shown_to, state};
use crate::support::{MuxTest, eventually};

#[test]
#[ignore = "needs .ci/peers"]
fn the_npm_sdk_logs_us_in() {
    let authority = Peer::start(&node("npm_authority.mjs"), &json!({}));
    let place = Place::at(authority, &json!({}));
    let visit = place.log_in();
    assert!(visit.end().contains("You are logged in"), "{visit:?}");
    let mux = place.start();
    let client = mux.modern();
    assert_eq!(client.call("a__read", &json!({})).said(), "read done");
    let error = client.call("a__write", &json!({})).error().to_string();
    assert!(error.contains("mcpmux login a"), "{error}");
    place.log_in();
    eventually("the new token is used", || {
        let answer = client.call("a__write", &json!({}));
        answer.raw("error").is_none().then_some(())
    });
}

#[test]
#[ignore = "needs .ci/peers"]
fn fastmcp_logs_us_in() {
    let python = installed("python-fastmcp/bin/python");
    let server = Peer::start(&[python, script("fastmcp_guarded.py")], &json!({}));
    let test = || {
        MuxTest::new()
            .entry("a", json!({"url": server.url}))
            .listed(1)
    };
    let mux = test();
    let again = || {
        MuxTest::within(mux.dir.clone())
            .entry("a", json!({"url": server.url}))
            .listed(1)
    };
    assert_eq!(state(&mux, "a").0, "needs-login");
    let visit = log_in(&mux, &["a"]);
    assert_eq!(visit.ran.code, 0, "{visit:?} {:?}", server.did("token"));
    let running = again().start();
    let client = running.modern();
    assert_eq!(client.call("a__read", &json!({})).said(), "read done");
    server.order("revoke", "access");
    assert_eq!(client.call("a__read", &json!({})).said(), "read done");
    assert_eq!(server.granted("refresh_token"), 1);
    let token = server.shown().pop().expect("a token");
    let ran = mux.run(&["logout", "a"]);
    assert!(ran.stderr.contains("its token was revoked"), "{ran:?}");
    assert_eq!(shown_to(&server, &token), 401);
    eventually("its tools are gone", || {
        drop(client.call("a__read", &json!({})));
        (client.total() == 0).then_some(())
    });
}
