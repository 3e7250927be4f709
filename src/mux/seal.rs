//! Servers' own states on their way through clients: nobody changes them, moves them to another request, or uses
//! them twice (2026-07-28, "Multi round-trip requests", security considerations).

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use ring::hmac;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::protocol::ServerName;
use crate::wire::Json;

use super::call::Call;

/// What a sealed state begins with.
const PREFIX: &str = "mcpmux.s.";
/// How many used states are remembered. Where there are more within their time, further ones are refused.
const MAX_USED: usize = 65_536;

/// Seals states, and opens them again. The key lives as long as the mux.
pub(super) struct Seal {
    key: hmac::Key,
    epoch: Instant,
    used: Mutex<HashMap<u64, u64>>,
}

/// What is sealed.
#[derive(Debug, PartialEq)]
pub(super) struct Content {
    /// Whose state it is.
    pub(super) server: ServerName,
    /// The state, verbatim.
    pub(super) state: Json,
}

/// What a state is bound to: the request whose retry it is for.
#[derive(Debug, PartialEq)]
pub(super) struct Bound(Vec<u8>);

#[derive(Serialize, Deserialize)]
struct Inside {
    nonce: u64,
    /// Milliseconds of the mux's life.
    expires: u64,
    server: String,
    state: String,
}

impl Bound {
    /// The caller, what it asks and of whom.
    pub(super) fn of(call: &Call) -> Self {
        let mut bytes = Vec::new();
        let mut part = |part: &[u8]| {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        };
        part(call.caller.as_str().as_bytes());
        part(call.method.as_str().as_bytes());
        let read = &call.read;
        for member in [&read.name, &read.uri, &read.arguments] {
            part(member.as_ref().map_or(&b""[..], Json::as_bytes));
        }
        Self(bytes)
    }
}

impl Default for Seal {
    fn default() -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>()),
            epoch: Instant::now(),
            used: Mutex::default(),
        }
    }
}

impl Seal {
    /// A state for the client.
    pub(super) fn close(&self, content: &Content, bound: &Bound, expires: Instant) -> String {
        let inside = Json::encode(&Inside {
            nonce: rand::random(),
            expires: self.millis(expires),
            server: content.server.as_str().to_owned(),
            state: content.state.to_string(),
        });
        let tag = hmac::sign(&self.key, &message(inside.as_bytes(), bound));
        format!(
            "{PREFIX}{}.{}",
            URL_SAFE_NO_PAD.encode(tag.as_ref()),
            URL_SAFE_NO_PAD.encode(inside.as_bytes())
        )
    }

    /// What was sealed, once, in time, and for this request only.
    pub(super) fn open(&self, sealed: &str, bound: &Bound) -> Option<Content> {
        let (tag, inside) = sealed.strip_prefix(PREFIX)?.split_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        let inside = URL_SAFE_NO_PAD.decode(inside).ok()?;
        hmac::verify(&self.key, &message(&inside, bound), &tag).ok()?;
        let inside: Inside = Json::parse(inside).ok()?.decode().ok()?;
        self.use_up(inside.nonce, inside.expires)?;
        Some(Content {
            server: ServerName::new(inside.server),
            state: Json::parse(inside.state).ok()?,
        })
    }

    fn use_up(&self, nonce: u64, expires: u64) -> Option<()> {
        let now = self.millis(Instant::now());
        if expires <= now {
            return None;
        }
        let mut used = self.used.lock();
        if used.len() >= MAX_USED {
            used.retain(|_, expires| *expires > now);
        }
        let is_new = used.len() < MAX_USED && used.insert(nonce, expires).is_none();
        is_new.then_some(())
    }

    fn millis(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.epoch).as_millis() as u64
    }
}

fn message(inside: &[u8], bound: &Bound) -> Vec<u8> {
    let length = (inside.len() as u64).to_be_bytes();
    [&length[..], inside, &bound.0].concat()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::mux::Caller;
    use crate::protocol::{CallParams, Method};

    fn call(caller: &str, params: &str) -> Call {
        let params = Json::parse(params.to_owned()).unwrap();
        Call {
            caller: Caller::new(caller),
            read: CallParams::read(Some(&params)),
            ..Call::plain(Method::ToolsCall, params)
        }
    }

    fn content() -> Content {
        Content {
            server: ServerName::new("a"),
            state: Json::from_static(r#""s\u0041""#),
        }
    }

    const PARAMS: &str = r#"{"name":"t","arguments":{"x":1}}"#;

    fn sealed(seal: &Seal) -> String {
        let later = Instant::now() + Duration::from_secs(60);
        seal.close(&content(), &Bound::of(&call("me", PARAMS)), later)
    }

    #[test]
    fn a_state_comes_back_as_it_was_and_only_once() {
        let seal = Seal::default();
        let (state, bound) = (sealed(&seal), Bound::of(&call("me", PARAMS)));
        assert_eq!(seal.open(&state, &bound), Some(content()));
        assert_eq!(seal.open(&state, &bound), None);
    }

    #[test]
    fn a_state_is_for_one_caller_and_one_request() {
        let seal = Seal::default();
        let state = sealed(&seal);
        for other in [
            call("you", PARAMS),
            call("me", r#"{"name":"u","arguments":{"x":1}}"#),
            call("me", r#"{"name":"t","arguments":{"x":2}}"#),
            call("me", r#"{"name":"t"}"#),
        ] {
            assert_eq!(seal.open(&state, &Bound::of(&other)), None);
        }
    }

    #[test]
    fn what_was_tampered_with_or_made_elsewhere_is_refused() {
        let seal = Seal::default();
        let (state, bound) = (sealed(&seal), Bound::of(&call("me", PARAMS)));
        assert_eq!(seal.open(&format!("{state}-TAMPERED"), &bound), None);
        assert_eq!(seal.open(&state[..state.len() - 2], &bound), None);
        assert_eq!(seal.open(&sealed(&Seal::default()), &bound), None);
        assert_eq!(seal.open("s", &bound), None);
    }

    #[test]
    fn an_expired_state_is_refused() {
        let seal = Seal::default();
        let bound = Bound::of(&call("me", PARAMS));
        let state = seal.close(&content(), &bound, Instant::now());
        assert_eq!(seal.open(&state, &bound), None);
    }
}
