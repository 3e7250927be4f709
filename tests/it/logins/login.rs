//! Logging in, and the ways of being known to an authorization server.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::browser::{log_in_by, log_in_elsewhere};
use super::place::Place;

/// A client of the authorization server that redirects to this machine.
fn native(id: &str, more: &Value) -> Value {
    let mut client = json!({
        "client_id": id,
        "application_type": "native",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        client[key] = value.clone();
    }
    client
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_person_logs_in_and_the_tools_are_there() {
    let place = Place::new(&json!({}), &json!({}));
    assert_eq!(place.state().0, "needs-login");
    let visit = place.log_in();
    assert!(visit.end().contains("You are logged in"), "{visit:?}");
    assert_eq!(place.state().0, "ready");
    let mux = place.start();
    let called = mux.modern().call("a__read", &json!({}));
    assert_eq!(called.said(), "read done");
    let params = |what: &str| place.authority.did(what).remove(0)["params"].clone();
    let (asked, token) = (params("authorization"), params("token"));
    assert_eq!(asked["code_challenge_method"], "S256");
    for form in [&asked, &token] {
        assert_eq!(form["resource"], json!(place.server.url));
        assert_eq!(form["redirect_uri"], asked["redirect_uri"]);
    }
    assert_eq!(place.authority.did("registration").len(), 1);
}

#[test]
#[ignore = "needs .ci/peers"]
fn whoever_does_not_consent_is_not_logged_in() {
    let place = Place::new(&json!({}), &json!({}));
    let visit = log_in_by(&place.test, "cancel", &["a"]);
    assert_eq!(visit.ran.code, 1, "{visit:?}");
    assert!(visit.ran.stderr.contains("access_denied"), "{visit:?}");
    assert!(place.authority.did("token").is_empty());
    assert_eq!(place.state().0, "needs-login");
}

#[test]
#[ignore = "needs .ci/peers"]
fn an_authority_may_know_the_scopes_of_servers_only_when_asked_for_tokens() {
    let place = Place::new(&json!({"scopes": false}), &json!({}));
    for times in [2, 2] {
        place.log_in();
        assert_eq!(place.state().0, "ready");
        assert_eq!(place.authority.did("registration").len(), times);
    }
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_client_that_was_set_up_before_shows_its_secret() {
    let secret = json!({"client_secret": "s3cret-of-mine"});
    let place = Place::new(&json!({"clients": [native("mine", &secret)]}), &json!({}));
    let auth = json!({"type": "oauth", "clientId": "mine", "clientSecret": "s3cret-of-mine"});
    let place = place.auth(&auth);
    place.log_in();
    assert_eq!(place.state().0, "ready");
    assert!(place.authority.did("registration").is_empty());
    assert!(place.authority.secrets().contains("s3cret-of-mine"));
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_client_may_be_known_by_a_document_of_its_own() {
    let id = "https://mcpmux.example/client.json";
    let document = native(
        id,
        &json!({"token_endpoint_auth_method": "none", "client_name": "Muxxer"}),
    );
    let place = Place::new(&json!({"documents": {id: document}}), &json!({}));
    let place = place.auth(&json!({"type": "oauth", "clientMetadataUrl": id}));
    place.log_in();
    assert_eq!(place.state().0, "ready");
    assert!(place.authority.did("registration").is_empty());
    assert_eq!(place.authority.did("token")[0]["params"]["client_id"], id);
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_person_logs_in_on_another_device() {
    let place = Place::new(&json!({}), &json!({}));
    let visit = log_in_elsewhere(&place.test);
    assert_eq!(visit.ran.code, 0, "{visit:?}");
    assert_eq!(place.state().0, "ready");
}

// === clients that act for themselves ===

/// A client of the authorization server that acts for itself.
pub(super) fn unattended(more: &Value) -> Value {
    let mut client = native("batch", more);
    client["grant_types"] = json!(["client_credentials"]);
    client["response_types"] = json!([]);
    client["redirect_uris"] = json!([]);
    client
}

/// Both tools can be called, though they need different scopes, and nobody has logged in.
#[track_caller]
fn acts_for_itself(place: &Place) {
    assert_eq!(place.state().0, "ready");
    let mux = place.start();
    let client = mux.modern();
    assert_eq!(client.call("a__read", &json!({})).said(), "read done");
    assert_eq!(client.call("a__write", &json!({})).said(), "write done");
    place.authority.order("revoke", "access");
    assert_eq!(client.call("a__read", &json!({})).said(), "read done");
    assert!(place.authority.granted("client_credentials") >= 3);
    assert!(place.authority.did("authorization").is_empty());
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_client_acts_for_itself_with_a_secret() {
    for method in ["client_secret_basic", "client_secret_post"] {
        let secret =
            json!({"client_secret": "s3cret/of: batch", "token_endpoint_auth_method": method});
        let only = json!({"token_endpoint_auth_methods_supported": [method]});
        let options = json!({"opaque": true, "clients": [unattended(&secret)], "metadata": only});
        let auth = json!({"type": "oauth", "grant": "clientCredentials", "clientId": "batch", "clientSecret": "s3cret/of: batch"});
        acts_for_itself(&Place::new(&options, &json!({})).auth(&auth));
    }
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_client_acts_for_itself_with_a_private_key() {
    let (signs, pem) = signing();
    let options = json!({"opaque": true, "clients": [unattended(&signs)]});
    let auth = json!({"type": "oauth", "grant": "clientCredentials", "clientId": "batch", "privateKey": pem, "keyId": "k1"});
    acts_for_itself(&Place::new(&options, &json!({})).auth(&auth));
}

/// What makes a client one that signs, and its private key in PEM.
pub(super) fn signing() -> (Value, String) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let (x, y) = key.public_key_raw()[1..].split_at(32);
    let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
    let public = json!({"kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig", "x": x, "y": y});
    let signs = json!({"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256", "jwks": {"keys": [public]}});
    (signs, key.serialize_pem())
}
