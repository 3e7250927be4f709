//! Metadata and answers that lie: nothing secret is sent after them.

use serde_json::{Value, json};

use super::authority::{Authority, State, guarded};
use super::person::{Back, log_in};
use crate::support::MuxTest;

/// A login fails for this reason, and the authorization server was asked for no token.
#[track_caller]
fn refused(lie: impl FnOnce(&mut State, &Authority), said: &str) {
    let (authority, fake) = guarded();
    let liar = authority.clone();
    authority.with(|state| lie(state, &liar));
    let ran = log_in(&MuxTest::new().upstream("a", &fake), Back::Redirect);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains(said), "{ran:?}");
    authority.with(|state| assert!(state.asked.is_empty()));
}

#[track_caller]
fn refused_metadata(lie: &Value, said: &str) {
    refused(|state, _| state.metadata = lie.clone(), said);
}

#[test]
fn another_issuer_in_the_metadata_is_refused() {
    refused_metadata(&json!({"issuer": "https://evil.example"}), "another issuer");
    refused(
        |state, authority| {
            let slashed = format!("http://{}/", authority.host());
            state.metadata = json!({"issuer": slashed});
        },
        "another issuer",
    );
}

#[test]
fn another_issuer_in_the_answer_is_refused() {
    refused(
        |state, _| state.iss = Some("https://evil.example".to_owned()),
        "another issuer",
    );
    refused(|state, _| state.iss = Some(String::new()), "another issuer");
}

#[test]
fn metadata_of_another_server_is_refused() {
    for resource in ["https://evil.example/mcp", "http://127.0.0.1:1/mcp"] {
        refused(
            |state, _| state.resource = json!({"resource": resource}),
            "another server",
        );
    }
}

#[test]
fn an_authority_without_s256_is_refused() {
    refused_metadata(
        &json!({"code_challenge_methods_supported": ["plain"]}),
        "PKCE",
    );
    refused_metadata(&json!({"code_challenge_methods_supported": null}), "PKCE");
}

#[test]
fn addresses_that_are_not_safe_are_refused() {
    let plain = "http://as.example/token";
    for key in ["authorization_endpoint", "registration_endpoint"] {
        refused_metadata(&json!({key: plain}), "neither HTTPS nor on this machine");
    }
    let cloud = "https://169.254.169.254/latest";
    refused_metadata(
        &json!({"registration_endpoint": cloud}),
        "nearer to this machine",
    );
    refused_metadata(
        &json!({"authorization_endpoint": "javascript:alert(1)"}),
        "neither HTTPS",
    );
    let servers = json!({"authorization_servers": ["http://as.example"]});
    refused(
        |state, _| state.resource = servers,
        "neither HTTPS nor on this machine",
    );
}

#[test]
fn nobody_logs_in_for_a_token_that_could_not_be_fetched() {
    let (authority, fake) = guarded();
    authority.with(|state| state.metadata = json!({"token_endpoint": "http://as.example/token"}));
    let ran = log_in(&MuxTest::new().upstream("a", &fake), Back::Redirect);
    assert!(ran.stderr.contains("neither HTTPS"), "{ran:?}");
    for path in ["/register", "/authorize"] {
        assert!(authority.visits(path).is_empty(), "{path}");
    }
}

#[test]
fn only_the_configured_issuer_will_do() {
    let (authority, fake) = guarded();
    let auth = json!({"auth": {"type": "oauth", "issuer": "https://as.example"}});
    let ran = log_in(
        &MuxTest::new().upstream_with("a", &fake, &auth),
        Back::Redirect,
    );
    assert!(
        ran.code == 1 && ran.stderr.contains("`auth.issuer`"),
        "{ran:?}"
    );
    authority.with(|state| assert!(state.visits.is_empty()));
}

#[test]
fn another_server_of_the_same_name_does_not_get_the_token() {
    let (_, fake) = guarded();
    let test = MuxTest::new().upstream("a", &fake);
    assert_eq!(log_in(&test, Back::Redirect).code, 0);
    let other = Authority::start();
    let thief = other
        .guard(crate::support::fake::modern().tool("echo"))
        .http();
    let mux = MuxTest::within(test.dir.clone())
        .upstream("a", &thief)
        .unready()
        .start();
    assert_eq!(mux.modern().total(), 0);
    let shown = |head: &crate::support::head::Head| head.header("authorization").is_some();
    assert!(!thief.heads().iter().any(shown));
}
