//! Tokens end, and others take their place.

use serde_json::json;

use super::authority::{Authority, guarded};
use super::person::{Back, log_in};
use crate::support::{FakeServer, Mux, MuxTest, eventually, fake};

/// A mux whose server `a` somebody has logged in at.
fn logged_in(authority: &Authority, fake: &FakeServer, life: u64) -> (MuxTest, Mux) {
    let test = MuxTest::new().upstream("a", fake);
    authority.with(|state| state.life = life);
    let ran = log_in(&test, Back::Redirect);
    assert_eq!(ran.code, 0, "{ran:?}");
    let mux = MuxTest::within(test.dir.clone())
        .upstream("a", fake)
        .start();
    (test, mux)
}

#[test]
fn a_token_that_is_about_to_end_is_renewed_first() {
    let (authority, fake) = guarded();
    let (_test, mux) = logged_in(&authority, &fake, 0);
    assert_eq!(mux.modern().call("a__echo", &json!({})).said(), "echo {}");
    assert_eq!(authority.grants("refresh_token"), 1);
    let form = authority.with(|state| state.asked[1].clone());
    assert_eq!(form["resource"], fake.url());
}

#[test]
fn many_calls_that_are_refused_renew_the_token_once_and_run_once() {
    let (authority, fake) = guarded();
    let (_test, mux) = logged_in(&authority, &fake, 3600);
    mux.wait_ready();
    authority.expire();
    let clients: Vec<_> = (0..12).map(|_| mux.modern()).collect();
    let calls: Vec<_> = clients
        .iter()
        .map(|client| client.ask_call("a__echo").send())
        .collect();
    for call in calls {
        assert_eq!(call.answer().said(), "echo -");
    }
    assert_eq!(authority.grants("refresh_token"), 1);
    assert_eq!(fake.count("tools/call"), 12);
}

#[test]
fn two_muxes_do_not_use_up_one_refresh_token() {
    let (authority, fake) = guarded();
    let (test, one) = logged_in(&authority, &fake, 3600);
    let two = MuxTest::within(test.dir.clone())
        .upstream("a", &fake)
        .start();
    for _ in 0..3 {
        one.wait_ready();
        two.wait_ready();
        authority.expire();
        let (first, second) = (one.modern(), two.modern());
        let (first, second) = (first.ask_call("a__echo"), second.ask_call("a__echo"));
        let (first, second) = (first.send(), second.send());
        let said = [first.answer().said(), second.answer().said()];
        assert_eq!(said, ["echo -", "echo -"]);
    }
    assert_eq!(authority.grants("authorization_code"), 1);
}

#[test]
fn a_login_that_was_revoked_ends_until_the_next_one() {
    let (authority, fake) = guarded();
    let (test, mux) = logged_in(&authority, &fake, 3600);
    let client = mux.modern();
    authority.revoke_all();
    let error = client.call("a__echo", &json!({})).error().to_string();
    assert!(error.contains("mcpmux login a"), "{error}");
    eventually("its tools are gone", || (client.total() == 0).then_some(()));
    assert_eq!(log_in(&test, Back::Redirect).code, 0);
    eventually("they are back", || (client.total() == 1).then_some(()));
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
}

#[test]
fn a_client_that_was_forgotten_is_registered_anew() {
    let (authority, fake) = guarded();
    let (test, mux) = logged_in(&authority, &fake, 3600);
    let client = mux.modern();
    authority.expire();
    authority.with(|state| state.refuses = Some("invalid_client"));
    let error = client.call("a__echo", &json!({})).error().to_string();
    assert!(error.contains("mcpmux login a"), "{error}");
    assert_eq!(log_in(&test, Back::Redirect).code, 0);
    assert_eq!(authority.visits("/register").len(), 2);
}

#[test]
fn more_scopes_take_another_login_that_asks_for_them() {
    let (authority, fake) = guarded();
    let (test, mux) = logged_in(&authority, &fake, 3600);
    let client = mux.modern();
    authority.with(|state| state.needed = vec!["write".to_owned()]);
    let error = client.call("a__echo", &json!({})).error().to_string();
    assert!(
        error.contains("`mcpmux login a`, which then asks for the scope `write`"),
        "{error}"
    );
    authority.with(|state| state.needed = vec!["read".to_owned()]);
    assert_eq!(log_in(&test, Back::Redirect).code, 0);
    assert_eq!(authority.visits("/authorize")[1]["scope"], "read write");
    // A client may ask only for what it was registered with.
    assert_eq!(authority.visits("/register").len(), 2);
    authority.with(|state| state.needed = vec!["write".to_owned()]);
    eventually("the new token is used", || {
        let answer = client.call("a__echo", &json!({}));
        answer.text().contains("\"echo {}\"").then_some(())
    });
}

#[test]
fn a_client_that_acts_for_itself_needs_nobody() {
    let (authority, fake) = guarded();
    let auth = json!({"auth": {"type": "oauth", "grant": "clientCredentials", "clientId": "me", "clientSecret": "s3cret-of-me"}});
    let mux = MuxTest::new().upstream_with("a", &fake, &auth).start();
    let client = mux.modern();
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
    authority.expire();
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
    authority.with(|state| state.needed = vec!["read".to_owned(), "write".to_owned()]);
    assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
    assert_eq!(authority.grants("client_credentials"), 3);
    assert!(!mux.stderr().contains("s3cret-of-me"));
}

#[test]
fn every_transport_shows_the_token() {
    for pipe in [crate::support::Pipe::Sse, crate::support::Pipe::WebSocket] {
        let authority = Authority::start();
        let auth = json!({"auth": {"type": "oauth", "grant": "clientCredentials", "clientId": "me", "clientSecret": "s3cret-of-me"}});
        let fake = authority.guard(fake::legacy().tool("echo")).over(pipe);
        let mux = MuxTest::new().upstream_with("a", &fake, &auth).start();
        assert_eq!(mux.modern().call("a__echo", &json!({})).said(), "echo {}");
        assert!(authority.grants("client_credentials") >= 1);
    }
}
