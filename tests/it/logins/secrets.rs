//! Nothing secret is anywhere but in the store, whatever is logged and whatever fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::json;

use super::browser::{PASSWORD, Visit, log_in_by, log_in_elsewhere};
use super::login::{signing, unattended};
use super::place::Place;
use crate::support::{Client, Mux, MuxTest, Ran, eventually, files};

/// Everything that mcpmux has said.
#[derive(Default)]
struct Heard(Vec<String>);

impl Heard {
    fn ran(&mut self, ran: Ran) {
        self.0.extend([ran.stdout, ran.stderr]);
    }

    fn visit(&mut self, visit: Visit) {
        let pages = visit.pages.iter().map(|page| page["text"].to_string());
        self.0.extend(pages);
        self.ran(visit.ran);
    }

    /// What comes of a call.
    fn answer(&mut self, client: &Client, tool: &str) {
        let answer = client.call(tool, &json!({}));
        self.0.push(answer.text().to_owned());
    }

    /// None of it, and no file below the folder but those of the store, holds a secret.
    #[track_caller]
    fn holds_none_of(&self, secrets: &BTreeSet<String>, folder: &Path) {
        let is_long = |secret: &String| secret.len() >= 12;
        assert!(secrets.iter().all(is_long), "{secrets:?}");
        let logged = self.0.iter().any(|said| said.contains("TRACE hyper"));
        assert!(logged, "there was something to look through");
        for secret in secrets {
            for said in &self.0 {
                assert!(!said.contains(secret), "{secret} in {said}");
            }
        }
        let mut stored = 0;
        for file in files(folder) {
            let bytes = fs::read(&file).expect("a file");
            let text = String::from_utf8_lossy(&bytes);
            let found = secrets.iter().find(|secret| text.contains(*secret));
            let is_store = file
                .parent()
                .is_some_and(|folder| folder.ends_with("mcpmux/logins"));
            assert!(
                is_store || found.is_none(),
                "{found:?} in {}",
                file.display()
            );
            stored += usize::from(found.is_some());
        }
        assert!(stored <= 1, "{stored} files hold secrets");
    }
}

fn loud(test: MuxTest) -> MuxTest {
    test.env("RUST_LOG", "trace")
}

#[track_caller]
fn start(place: &Place) -> Mux {
    loud(place.again()).listed(2).start()
}

#[test]
#[ignore = "needs .ci/peers"]
fn what_a_person_brings_is_only_in_the_store() {
    let mut place = Place::new(&json!({"opaque": true}), &json!({}));
    place.test = loud(place.again());
    let mut heard = Heard::default();
    heard.visit(log_in_by(&place.test, "cancel", &["a"]));
    heard.visit(log_in_by(&place.test, "iss=https://as.example", &["a"]));
    heard.visit(place.log_in());
    let mux = start(&place);
    let client = mux.modern();
    let mut call = |tool: &str| heard.answer(&client, tool);
    call("a__read");
    place.authority.order("revoke", "access");
    call("a__read");
    call("a__write");
    place.authority.order("revoke", "all");
    call("a__read");
    heard.ran(place.test.run(&["check", "--json", "--explain"]));
    heard.ran(place.test.run(&["call", "a__read"]));
    heard.visit(place.log_in());
    eventually("its tools are back", || (client.total() == 2).then_some(()));
    let mut secrets = place.authority.secrets();
    secrets.insert(PASSWORD.to_owned());
    assert!(secrets.len() > 15, "{secrets:?}");
    heard.0.push(mux.stderr());
    heard.holds_none_of(&secrets, place.test.dir());
    heard.ran(place.test.run(&["logout", "a"]));
    heard.visit(log_in_elsewhere(&place.test));
    secrets.extend(place.authority.secrets());
    heard.holds_none_of(&secrets, place.test.dir());
}

#[test]
#[ignore = "needs .ci/peers"]
fn what_a_client_shows_for_itself_is_nowhere() {
    let (signs, pem) = signing();
    let secret = "s3cret/of: the batch";
    let shown = json!({"client_secret": secret});
    let acts = json!({"type": "oauth", "grant": "clientCredentials", "clientId": "batch"});
    let key = pem.lines().nth(1).expect("a line of the key").to_owned();
    for (client, kind, given) in [
        (&shown, "clientSecret", secret),
        (&shown, "clientSecret", "wr0ng secret of the batch"),
        (&signs, "privateKey", pem.as_str()),
    ] {
        let options = json!({"opaque": true, "clients": [unattended(client)]});
        let mut auth = acts.clone();
        auth[kind] = json!("${GIVEN}");
        let place = Place::new(&options, &json!({})).auth(&auth);
        let mut heard = Heard::default();
        let test = || loud(place.again()).env("GIVEN", given);
        heard.ran(test().run(&["check", "--json", "--explain"]));
        let mux = test().unready().start();
        for tool in ["a__read", "a__write"] {
            heard.answer(&mux.modern(), tool);
        }
        heard.0.push(mux.stderr());
        let mut secrets = place.authority.secrets();
        secrets.extend([given.to_owned(), key.clone()]);
        heard.holds_none_of(&secrets, place.test.dir());
    }
}
