//! Logins that the files of other programs describe.

use super::authority::guarded;
use super::person::{Back, log_in};
use crate::support::MuxTest;

#[test]
fn a_client_of_another_program_logs_in_with_its_own_redirect() {
    let (authority, fake) = guarded();
    let url = fake.url();
    let file = format!(
        r#"{{ "mcpServers": {{ "a": {{ "httpUrl": "{url}", "oauth": {{ "enabled": true, "clientId": "theirs",
            "scopes": ["read", "extra"], "redirectUri": "http://127.0.0.1/oauth/answer" }} }} }} }}"#
    );
    let test = MuxTest::new().config(&file);
    let ran = log_in(&test, Back::Redirect);
    assert_eq!(ran.code, 0, "{ran:?}");
    authority.with(|state| {
        let mut visits = state.visits.iter();
        let (_, asked) = visits
            .find(|(path, _)| path == "/authorize")
            .expect("an attempt");
        let [client, scope, redirect] =
            ["client_id", "scope", "redirect_uri"].map(|key| &asked[key]);
        assert_eq!((client.as_str(), scope.as_str()), ("theirs", "read extra"));
        let port = redirect.strip_prefix("http://127.0.0.1:");
        assert!(
            port.is_some_and(|rest| rest.ends_with("/oauth/answer")),
            "{redirect}"
        );
    });
}
