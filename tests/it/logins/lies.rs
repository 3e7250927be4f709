//! Lies about who is who: nothing secret is sent after them, and nothing is stored.

use serde_json::{Value, json};

use super::browser::{log_in, log_in_by};
use super::peer::{Peer, node};
use super::place::{Place, shown_to, state};

/// The login failed for this reason, and nobody was asked for a token.
#[track_caller]
fn refused(place: &Place, way: &str, said: &str) {
    let visit = log_in_by(&place.test, way, &["a"]);
    assert_eq!(visit.ran.code, 1, "{visit:?}");
    assert!(visit.ran.stderr.contains(said), "{visit:?}");
    assert!(place.authority.did("token").is_empty());
    assert!(place.server.shown().is_empty());
    assert_eq!(place.state().0, "needs-login");
}

/// The same, and no browser was opened.
#[track_caller]
fn refused_at_once(authority: &Value, server: &Value, said: &str) {
    let place = Place::new(authority, server);
    refused(&place, "consent", said);
    assert!(place.authority.did("authorization").is_empty());
    assert!(place.authority.did("registration").is_empty());
}

#[test]
#[ignore = "needs .ci/peers"]
fn an_answer_of_another_issuer_is_refused() {
    let place = Place::new(&json!({}), &json!({}));
    refused(&place, "iss=https://as.example", "another issuer");
    // The same browser, the same login: without the lie it works.
    place.log_in();
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_code_of_an_honest_issuer_is_not_shown_to_a_thief() {
    let honest = Peer::start(&node("oidc.mjs"), &json!({}));
    let mixed = json!({
        "authorization_endpoint": format!("{}/auth", honest.url),
        "registration_endpoint": format!("{}/reg", honest.url),
    });
    let thief = Peer::start(&node("oidc.mjs"), &json!({"metadata": mixed}));
    let place = Place::at(thief, &json!({}));
    refused(&place, "consent", "another issuer");
    assert!(honest.did("token").is_empty());
    assert!(!honest.did("resume").is_empty(), "the person has logged in");
}

#[test]
#[ignore = "needs .ci/peers"]
fn metadata_of_another_issuer_is_refused() {
    let evil = json!({"metadata": {"issuer": "https://as.example"}});
    refused_at_once(&evil, &json!({"metadata": {}}), "another issuer");
}

#[test]
#[ignore = "needs .ci/peers"]
fn metadata_of_another_server_is_refused() {
    let other = Place::new(&json!({}), &json!({}));
    let poisoned = json!({"metadata": {"resource": other.server.url}});
    refused_at_once(&json!({}), &poisoned, "another server");
}

#[test]
#[ignore = "needs .ci/peers"]
fn endpoints_that_are_not_safe_are_refused() {
    for endpoint in [
        "authorization_endpoint",
        "token_endpoint",
        "registration_endpoint",
    ] {
        let plain = json!({"metadata": {endpoint: "http://as.example/there"}});
        refused_at_once(&plain, &json!({}), "neither HTTPS nor on this machine");
    }
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_token_is_shown_to_its_server_only() {
    let place = Place::new(&json!({"opaque": true}), &json!({}));
    let options = json!({"issuer": place.authority.url});
    let other = Peer::start(&node("guarded.mjs"), &options);
    place.log_in();
    let test = place.again().entry("b", json!({"url": other.url}));
    assert_eq!(
        (state(&test, "a").0.as_str(), state(&test, "b").0.as_str()),
        ("ready", "needs-login")
    );
    assert!(other.shown().is_empty());
    let token = place.server.shown().remove(0);
    assert_eq!(
        (shown_to(&place.server, &token), shown_to(&other, &token)),
        (200, 401)
    );
    let visit = log_in(&test, &["b"]);
    assert_eq!(visit.ran.code, 0, "{visit:?}");
    assert_eq!(state(&test, "b").0, "ready");
    assert!(!place.server.shown().contains(&other.shown()[1]));
}

#[test]
#[ignore = "needs .ci/peers"]
fn tokens_for_another_audience_come_to_nothing_and_are_not_fetched_again_and_again() {
    let place = Place::new(&json!({"audience": "http://127.0.0.1:1/mcp"}), &json!({}));
    place.log_in();
    assert_eq!(place.state().0, "needs-login");
    assert_eq!(place.authority.granted("refresh_token"), 1);
    let mux = place.again().unready().start();
    mux.wait_stderr("mcpmux login a");
    for _ in 0..5 {
        assert_eq!(mux.modern().total(), 0);
    }
    assert_eq!(place.authority.granted("refresh_token"), 2);
}
