//! Tokens end, are taken away, and are not enough.

use serde_json::json;

use super::place::{Place, shown_to};
use crate::support::{Client, eventually, fake};

/// Calls a tool from each client at once; all must succeed.
#[track_caller]
fn all_read(clients: &[Client]) {
    let calls: Vec<_> = clients
        .iter()
        .map(|client| client.ask_call("a__read").send())
        .collect();
    for call in calls {
        assert_eq!(call.answer().said(), "read done");
    }
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_token_is_renewed_before_it_ends_once_for_twenty_calls() {
    let place = Place::new(&json!({"life": 12}), &json!({}));
    place.log_in();
    place.authority.order("life", 3600);
    let mux = place.start();
    let clients: Vec<_> = (0..20).map(|_| mux.modern()).collect();
    eventually("the token is renewed", || {
        all_read(&clients);
        (place.authority.granted("refresh_token") > 0).then_some(())
    });
    all_read(&clients);
    assert_eq!(place.authority.granted("refresh_token"), 1);
    assert_eq!(place.server.refusals(), 0);
    assert_eq!(place.server.shown().len(), 2);
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_token_that_is_taken_away_is_replaced_once_for_twenty_calls() {
    let place = Place::new(&json!({"opaque": true}), &json!({}));
    place.log_in();
    let mux = place.start();
    let clients: Vec<_> = (0..20).map(|_| mux.modern()).collect();
    all_read(&clients);
    place.authority.order("revoke", "access");
    // All are refused before the first has another token.
    place.authority.order("delay", 3000);
    all_read(&clients);
    assert!(place.server.refusals() > 15, "{}", place.server.refusals());
    assert_eq!(place.authority.granted("refresh_token"), 1);
    assert_eq!(place.state().0, "ready");
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_token_that_ends_and_cannot_be_renewed_disturbs_nobody_else() {
    let place = Place::new(&json!({"refresh": false, "life": 15}), &json!({}));
    place.log_in();
    let fake = fake::modern().tool("echo").http();
    let mux = place.again().upstream("b", &fake).listed(3).start();
    let client = mux.modern();
    assert_eq!(client.call("a__read", &json!({})).said(), "read done");
    let asked = fake.count("server/discover");
    let error = eventually("the token has ended", || {
        let answer = client.call("a__read", &json!({}));
        answer
            .raw("error")
            .is_some()
            .then(|| answer.error().to_string())
    });
    assert!(error.contains("mcpmux login a"), "{error}");
    eventually("its tools are gone", || {
        (client.names("tools") == ["b__echo"]).then_some(())
    });
    assert_eq!(client.call("b__echo", &json!({})).said(), "echo {}");
    assert_eq!(fake.count("server/discover"), asked);
    let (state, why) = place.state();
    assert!(
        state == "needs-login" && why.contains("mcpmux login a"),
        "{state}: {why}"
    );
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_logout_revokes_the_token() {
    let place = Place::new(&json!({"opaque": true}), &json!({}));
    place.log_in();
    assert_eq!(place.state().0, "ready");
    let token = place.server.shown().remove(0);
    assert_eq!(shown_to(&place.server, &token), 200);
    let ran = place.test.run(&["logout", "a"]);
    assert!(
        ran.code == 0 && ran.stderr.contains("its token was revoked"),
        "{ran:?}"
    );
    assert_eq!(shown_to(&place.server, &token), 401);
    assert_eq!(place.state().0, "needs-login");
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_login_that_is_revoked_elsewhere_ends_until_the_next_one() {
    let place = Place::new(&json!({"opaque": true}), &json!({}));
    place.log_in();
    let mux = place.start();
    let client = mux.modern();
    place.authority.order("revoke", "all");
    let error = client.call("a__read", &json!({})).error().to_string();
    assert!(error.contains("mcpmux login a"), "{error}");
    eventually("its tools are gone", || (client.total() == 0).then_some(()));
    assert_eq!(place.state().0, "needs-login");
    place.log_in();
    eventually("they are back", || (client.total() == 2).then_some(()));
    assert_eq!(client.call("a__read", &json!({})).said(), "read done");
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_tool_that_needs_more_takes_a_login_that_asks_for_more() {
    let place = Place::new(&json!({}), &json!({}));
    place.log_in();
    let mux = place.start();
    let client = mux.modern();
    let error = client.call("a__write", &json!({})).error().to_string();
    assert!(
        error.contains("mcpmux login a") && error.contains("the scope `write`"),
        "{error}"
    );
    assert_eq!(client.call("a__read", &json!({})).said(), "read done");
    let visit = place.log_in();
    assert!(
        visit.pages.iter().any(|page| page["text"]
            .as_str()
            .is_some_and(|text| text.contains("write"))),
        "{visit:?}"
    );
    eventually("the new token is used", || {
        let answer = client.call("a__write", &json!({}));
        answer.raw("error").is_none().then(|| answer.said())
    });
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_client_of_which_nothing_was_heard_is_registered_anew() {
    let place = Place::new(&json!({"refresh": false}), &json!({}));
    place.log_in();
    place.authority.order("forget", "clients");
    place.log_in();
    assert_eq!(place.state().0, "ready");
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_client_that_was_forgotten_is_registered_anew() {
    let place = Place::new(&json!({"opaque": true}), &json!({}));
    place.log_in();
    let mux = place.start();
    let client = mux.modern();
    place.authority.order("forget", "clients");
    place.authority.order("revoke", "access");
    let error = client.call("a__read", &json!({})).error().to_string();
    assert!(error.contains("mcpmux login a"), "{error}");
    place.log_in();
    eventually("its tools are back", || (client.total() == 2).then_some(()));
    assert_eq!(place.authority.did("registration").len(), 2);
}
