//! How a client begins.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde_json::{Value, json};

use super::stdio::Stdio;
use super::{Client, Link};
use crate::support::door::Door;
use crate::support::{Era, LEGACY, MODERN, Msg, Request};

/// A client that is not connected yet.
#[must_use]
pub(crate) struct Connect {
    era: Era,
    version: String,
    capabilities: Value,
}

impl Connect {
    pub(crate) fn new(era: Era) -> Self {
        let version = match era {
            Era::Legacy => LEGACY,
            Era::Modern => MODERN,
        };
        Self {
            era,
            version: version.to_owned(),
            capabilities: json!({}),
        }
    }

    /// The revision to ask for, or to claim.
    pub(crate) fn speaking(self, version: &str) -> Self {
        Self {
            version: version.to_owned(),
            ..self
        }
    }

    /// What the client can be asked.
    pub(crate) fn capable_of(self, capabilities: Value) -> Self {
        Self {
            capabilities,
            ..self
        }
    }

    /// Connects over HTTP; a legacy client does its handshake.
    #[track_caller]
    pub(crate) fn http(self, door: impl Into<Door>) -> Client {
        let addr = door.into();
        let mut client = self.over(Link::Http {
            addr,
            session: None,
        });
        if client.era == Era::Legacy {
            let answer = Request::post(client.hello()).send(addr);
            let given = answer.header("mcp-session-id").map(str::to_owned);
            assert_eq!(answer.status(), 200, "for initialize");
            let mut messages = super::exchange::messages(answer);
            client.welcome(messages.pop().expect("an answer to initialize"));
            if let Link::Http { session, .. } = &mut client.link {
                *session = given;
            }
            client.notify("notifications/initialized", &json!({}));
        }
        client
    }

    /// Connects over the pipes of a process; a legacy client does its handshake.
    #[track_caller]
    pub(crate) fn stdio(self, stdio: &Arc<Stdio>) -> Client {
        let mut client = self.over(Link::Stdio(Arc::clone(stdio)));
        if client.era == Era::Legacy {
            stdio.write(client.hello().as_bytes());
            let answer = stdio.take("an answer to initialize", |msg| {
                msg.id() == Some("\"hello\"")
            });
            client.welcome(answer);
            client.notify("notifications/initialized", &json!({}));
        }
        client
    }

    fn over(self, link: Link) -> Client {
        Client {
            era: self.era,
            version: self.version,
            capabilities: self.capabilities,
            link,
            next_id: AtomicU64::new(1),
            handshake: None,
        }
    }
}

impl Client {
    fn hello(&self) -> String {
        let params = json!({
            "protocolVersion": self.version,
            "capabilities": self.capabilities,
            "clientInfo": {"name": "raw", "version": "1"},
        });
        format!(r#"{{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{params}}}"#)
    }

    #[track_caller]
    fn welcome(&mut self, answer: Msg) {
        answer.result();
        self.version = answer.str("result/protocolVersion");
        self.handshake = Some(answer);
    }
}
