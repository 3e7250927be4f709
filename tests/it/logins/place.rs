//! An authorization server, a server that takes only its tokens, and a mux in front.

use std::sync::Arc;

use serde_json::{Value, json};

use super::browser::{Visit, log_in};
use super::peer::{Peer, node};
use crate::support::{Mux, MuxTest, Request};

/// All that a test needs: the server is called `a` in the mux.
pub(super) struct Place {
    pub(super) authority: Peer,
    pub(super) server: Peer,
    /// What the configuration says of the server.
    pub(super) entry: Value,
    pub(super) test: MuxTest,
}

impl Place {
    /// `oidc-provider` and a server on the npm SDK, each with these options.
    #[track_caller]
    pub(super) fn new(authority: &Value, server: &Value) -> Self {
        let authority = Peer::start(&node("oidc.mjs"), authority);
        Self::at(authority, server)
    }

    /// A server on the npm SDK that takes the tokens of this authority.
    #[track_caller]
    pub(super) fn at(authority: Peer, server: &Value) -> Self {
        let mut options = json!({"issuer": authority.url});
        for (key, value) in server.as_object().into_iter().flatten() {
            options[key] = value.clone();
        }
        let server = Peer::start(&node("guarded.mjs"), &options);
        let entry = json!({"url": server.url});
        Self {
            authority,
            server,
            test: MuxTest::new().entry("a", entry.clone()),
            entry,
        }
    }

    /// The same with `auth` in the configuration.
    pub(super) fn auth(mut self, auth: &Value) -> Self {
        self.entry["auth"] = auth.clone();
        self.test = self.again();
        self
    }

    /// A mux with the same configuration and memory.
    pub(super) fn again(&self) -> MuxTest {
        MuxTest::within(Arc::clone(&self.test.dir)).entry("a", self.entry.clone())
    }

    /// Somebody logs in, which must succeed.
    #[track_caller]
    pub(super) fn log_in(&self) -> Visit {
        let visit = log_in(&self.test, &["a"]);
        assert_eq!(visit.ran.code, 0, "{visit:?}");
        visit
    }

    /// A mux that runs, and has both tools.
    #[track_caller]
    pub(super) fn start(&self) -> Mux {
        self.again().listed(2).start()
    }

    /// What `check` says of the server: its state and why.
    #[track_caller]
    pub(super) fn state(&self) -> (String, String) {
        state(&self.test, "a")
    }
}

/// What `check` says of a server.
#[track_caller]
pub(super) fn state(test: &MuxTest, name: &str) -> (String, String) {
    let ran = test.run(&["check", "--json"]);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
    let servers = said["servers"].as_array().expect("servers");
    let server = servers.iter().find(|server| server["name"] == name);
    let server = server.unwrap_or_else(|| panic!("{name} in {said}"));
    let said_of = |key: &str| server[key].as_str().unwrap_or_default().to_owned();
    (said_of("state"), said_of("error"))
}

/// How a server answers to whoever shows it this token, whoever that is.
#[track_caller]
pub(super) fn shown_to(server: &Peer, token: &str) -> u16 {
    let rest = server.url.strip_prefix("http://").expect("plain HTTP");
    let (addr, path) = rest.split_once('/').expect("a path");
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let request = Request::post(ping.to_string())
        .path(&format!("/{path}"))
        .header("Authorization", &format!("Bearer {token}"))
        .header("Connection", "close");
    let addr: std::net::SocketAddr = addr.parse().expect("an address");
    request.send(addr).status()
}
