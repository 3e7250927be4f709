//! Requests for tokens (RFC 6749), and what comes back.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::OAuthError;
use super::client::{Client, Proof};
use super::net::{Net, Reply};
use crate::config::Secret;
use crate::printable;

/// Longest words of an authorization server that are shown.
const LONGEST_WORDS: usize = 200;
/// The members of our forms that nobody else may see.
const SECRETS: [&str; 7] = [
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "refresh_token",
    "token",
];

/// What an authorization server gave us.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) access: Secret,
    pub(super) refresh: Option<Secret>,
    /// In seconds since 1970; never, if it was not said.
    pub(super) expires: Option<u64>,
    /// The scopes, if they are other ones than those that were asked for.
    pub(super) scopes: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    token_type: String,
    expires_in: Option<serde_json::Number>,
    refresh_token: Option<String>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Asks for tokens. `what` is for errors.
pub(super) async fn ask(
    net: &Net,
    (issuer, endpoint): (&str, &str),
    client: &Client,
    (what, mut form): (&'static str, Vec<(&'static str, String)>),
) -> Result<Granted, OAuthError> {
    let headers = client.prove(issuer, &mut form)?;
    let mut pairs: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let asked = now();
    let reply = net.form(endpoint, &pairs, headers).await?;
    if !reply.status.is_success() {
        if let Proof::Basic(secret) = &client.proof {
            pairs.push(("client_secret", secret.expose()));
        }
        return Err(refused(what, &reply, &pairs));
    }
    let broken = |why: &str| OAuthError::Broken {
        what,
        why: why.to_owned(),
    };
    let answer: Answer =
        serde_json::from_slice(&reply.body).map_err(|_| broken("the answer holds no token"))?;
    if !answer.token_type.eq_ignore_ascii_case("bearer") {
        return Err(broken("the token is not of the type `Bearer`"));
    }
    let is_sendable =
        |token: &str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_sendable(&answer.access_token) {
        return Err(broken("the token has characters that cannot be sent"));
    }
    // Some send the number as one with a fraction.
    let life = answer
        .expires_in
        .and_then(|life| life.as_f64())
        .filter(|life| *life >= 0.0);
    Ok(Granted {
        access: Secret::new(answer.access_token),
        refresh: answer
            .refresh_token
            .filter(|token| !token.is_empty())
            .map(Secret::new),
        expires: life.map(|life| {
            asked.saturating_add(std::time::Duration::from_secs_f64(life.min(1e9)).as_secs())
        }),
        scopes: answer
            .scope
            .map(|scopes| scopes.split_ascii_whitespace().map(str::to_owned).collect()),
    })
}

/// The error in an answer. Its words are left out where they repeat what we sent.
pub(super) fn refused(what: &'static str, reply: &Reply, sent: &[(&str, &str)]) -> OAuthError {
    let Ok(answer) = serde_json::from_slice::<Refusal>(&reply.body) else {
        return OAuthError::Broken {
            what,
            why: format!("HTTP status {}", reply.status),
        };
    };
    let repeats = |text: &str| {
        let secrets = sent
            .iter()
            .filter(|(name, value)| SECRETS.contains(name) && !value.is_empty());
        secrets
            .map(|(_, value)| *value)
            .any(|secret| text.contains(secret))
    };
    let shown = |text: String| {
        if repeats(&text) || text.len() > LONGEST_WORDS {
            return String::new();
        }
        printable::line(&text).into_owned()
    };
    OAuthError::Refused {
        what,
        code: shown(answer.error),
        why: shown(answer.error_description),
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
