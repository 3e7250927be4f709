//! A person logs in and out, and a running mux follows.

use serde_json::{Value, json};

use super::authority::guarded;
use super::person::{Back, log_in, log_in_with};
use crate::support::{MuxTest, eventually, fake};

/// The state of the server `a` in `list servers`, and what is wrong with it.
fn state(mux: &MuxTest) -> (String, String) {
    let ran = mux.run(&["list", "servers", "--json"]);
    let servers: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let text = |key: &str| servers[0][key].as_str().unwrap_or_default().to_owned();
    (text("state"), text("error"))
}

#[test]
fn a_server_that_wants_a_login_says_what_to_run_and_disturbs_nobody() {
    let (_authority, fake) = guarded();
    let other = fake::legacy().tool("add").stdio();
    let mux = MuxTest::new().upstream("a", &fake).upstream("b", &other);
    let ran = mux.run(&["check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains("needs-login") || ran.stdout.contains("needs login"),
        "{ran:?}"
    );
    assert!((ran.stdout + &ran.stderr).contains("mcpmux login a"));
    let ran = mux.run(&["call", "b__add", "x=1"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let required = MuxTest::new().upstream_with("a", &fake, &json!({"required": true}));
    assert_eq!(required.run(&["check"]).code, 3);
}

#[test]
fn a_login_is_found_by_a_mux_that_runs_and_by_the_next_one() {
    for back in [Back::Redirect, Back::Pasted] {
        let (authority, fake) = guarded();
        let test = MuxTest::new().upstream("a", &fake);
        let again = || MuxTest::within(test.dir.clone()).upstream("a", &fake);
        let mux = again().unready().start();
        assert_eq!(mux.modern().total(), 0);
        let ran = log_in(&test, back);
        assert_eq!(ran.code, 0, "{ran:?}");
        let client = eventually("its tools are there", || {
            Some(mux.modern()).filter(|client| client.total() == 1)
        });
        assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
        drop(mux);
        assert_eq!(
            again().start().modern().call("a__echo", &json!({})).said(),
            "echo {}"
        );
        assert_eq!(authority.grants("authorization_code"), 1);
    }
}

#[test]
fn what_is_asked_for_is_bound_to_the_server_and_to_this_login() {
    let (authority, fake) = guarded();
    let test = MuxTest::new().upstream("a", &fake);
    assert_eq!(log_in(&test, Back::Redirect).code, 0);
    authority.with(|state| {
        let (_, asked) = state
            .visits
            .iter()
            .find(|(path, _)| path == "/authorize")
            .expect("an attempt");
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(
            (asked["resource"].as_str(), asked["scope"].as_str()),
            (fake.url().as_str(), "read")
        );
        let form = &state.asked[0];
        assert_eq!(form["resource"], fake.url());
        assert_eq!(form["redirect_uri"], asked["redirect_uri"]);
        let (_, registered) = state
            .visits
            .iter()
            .find(|(path, _)| path == "/register")
            .expect("a client");
        assert!(
            registered
                .keys()
                .any(|body| body.contains("\"application_type\":\"native\""))
        );
    });
}

#[test]
fn a_configured_client_is_not_registered_again() {
    let (authority, fake) = guarded();
    let auth = json!({"auth": {"type": "oauth", "clientId": "mine", "clientSecret": "s3cret-mine", "scopes": ["read", "extra"]}});
    let test = MuxTest::new().upstream_with("a", &fake, &auth);
    let ran = log_in_with(&test, Back::Redirect, &["--scope", "more"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    authority.with(|state| {
        assert!(!state.visits.iter().any(|(path, _)| path == "/register"));
        assert_eq!(state.asked[0]["client_id"], "mine");
        let (_, asked) = state
            .visits
            .iter()
            .find(|(path, _)| path == "/authorize")
            .expect("an attempt");
        assert_eq!(
            (asked["client_id"].as_str(), asked["scope"].as_str()),
            ("mine", "read extra more")
        );
    });
}

#[test]
fn an_authority_may_know_scopes_only_when_asked_for_tokens() {
    let (authority, fake) = guarded();
    authority.with(|state| state.picky = true);
    let test = MuxTest::new().upstream("a", &fake);
    for _ in 0..2 {
        let ran = log_in(&test, Back::Redirect);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(authority.visits("/register").len(), 2);
    }
}

#[test]
fn a_client_that_is_not_known_is_registered_anew_the_next_time() {
    let (authority, fake) = guarded();
    let test = MuxTest::new().upstream("a", &fake);
    assert_eq!(log_in(&test, Back::Redirect).code, 0);
    authority.with(|state| state.refuses = Some("invalid_client"));
    assert_eq!(log_in(&test, Back::Redirect).code, 1);
    assert_eq!(log_in(&test, Back::Redirect).code, 0);
    assert_eq!(authority.visits("/register").len(), 2);
}

#[test]
fn a_login_on_another_device_needs_no_browser_here() {
    let (authority, fake) = guarded();
    let test = MuxTest::new().upstream("a", &fake);
    let ran = test.run(&["login", "a", "--device"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("ABCD-EFGH"), "{ran:?}");
    assert_eq!(ran.stdout, format!("{}/activate\n", authority.issuer()));
    assert_eq!(state(&test).0, "ready");
}

#[test]
fn a_logout_revokes_and_forgets() {
    let (authority, fake) = guarded();
    let test = MuxTest::new().upstream("a", &fake);
    assert_eq!(log_in(&test, Back::Redirect).code, 0);
    let ran = test.run(&["logout", "a"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("revoked"), "{ran:?}");
    assert!(authority.with(|state| state.tokens.is_empty()));
    assert_eq!(state(&test).0, "needs-login");
    assert!(
        test.run(&["logout", "a"])
            .stderr
            .contains("there is no login")
    );
}

#[test]
fn only_servers_with_logins_are_logged_in_at() {
    let fake = fake::legacy().tool("echo").stdio();
    let test = MuxTest::new().upstream("a", &fake);
    let ran = test.run(&["login", "a"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let ran = test.run(&["login", "nobody"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("there are `a`"),
        "{ran:?}"
    );
}
