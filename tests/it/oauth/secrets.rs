//! Nothing secret is anywhere but in the store.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::authority::guarded;
use super::person::{Back, log_in_with};
use crate::support::{MuxTest, files};

#[test]
fn secrets_are_only_in_the_store_whatever_is_logged_and_whatever_fails() {
    let (authority, fake) = guarded();
    let test = MuxTest::new()
        .upstream("a", &fake)
        .settings(&json!({"logLevel": "trace"}));
    let trace = ["--log-level", "trace"];
    authority.with(|state| state.life = 0);
    let ran = log_in_with(&test, Back::Redirect, &trace);
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut said = vec![ran.stderr];
    let mux = MuxTest::within(test.dir.clone())
        .upstream("a", &fake)
        .settings(&json!({"logLevel": "trace"}))
        .start();
    let client = mux.modern();
    said.push(client.call("a__echo", &json!({})).said());
    authority.with(|state| state.echo = true);
    authority.revoke_all();
    said.push(client.call("a__echo", &json!({})).error().to_string());
    authority.with(|state| state.metadata = json!({"token_endpoint": "http://127.0.0.1:9/"}));
    said.push(log_in_with(&test, Back::Redirect, &trace).stderr);
    said.push(test.run(&["check", "--json"]).stdout);
    let mut ran = test.run(&["logout", "a", "--log-level", "trace"]);
    said.append(&mut vec![
        ran.stdout,
        std::mem::take(&mut ran.stderr),
        mux.stderr(),
    ]);
    let secrets = authority.with(|state| state.secrets.clone());
    assert!(secrets.len() > 8, "{secrets:?}");
    for secret in &secrets {
        for said in &said {
            assert!(!said.contains(secret), "{secret} in {said}");
        }
    }
    for file in files(mux.dir().path()) {
        let held = String::from_utf8_lossy(&fs::read(&file).expect("a file")).into_owned();
        let is_store = file
            .parent()
            .is_some_and(|folder| folder.ends_with("mcpmux/logins"));
        assert!(
            is_store || !secrets.iter().any(|secret| held.contains(secret)),
            "{file:?}"
        );
    }
}

#[test]
fn the_store_is_private() {
    let (authority, fake) = guarded();
    let test = MuxTest::new().upstream("a", &fake);
    assert_eq!(log_in_with(&test, Back::Redirect, &[]).code, 0);
    let secrets = authority.with(|state| state.secrets.clone());
    let holds = |file: &PathBuf| {
        let held = fs::read_to_string(file).unwrap_or_default();
        secrets.iter().any(|secret| held.contains(secret))
    };
    let stores: Vec<_> = files(test.dir()).into_iter().filter(holds).collect();
    assert_eq!(stores.len(), 1, "{stores:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&stores[0])
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
