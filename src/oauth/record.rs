//! What is kept of a login.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::OAuthError;
use super::client::{Client, Proof, Registered};
use super::grant::{Granted, now};
use crate::config::{OAuthConfig, Secret};
use crate::vault::{Mark, Turn, Vault, VaultError};

/// A token is renewed so many seconds before it ends, or after nine tenths of a short life.
const MARGIN: u64 = 60;

/// All that is kept for one server. A text in the vault, so `Debug` is not for it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The server that the tokens are for, so that another one of the same name does not get them.
    pub(super) url: String,
    /// The clients that were registered for us, by issuer: none is shown to another issuer.
    #[serde(default)]
    pub(super) clients: IndexMap<String, Registered>,
    /// The tokens, with all that it takes to renew them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) login: Option<Login>,
    /// Scopes that the server has asked for since.
    #[serde(default)]
    pub(super) wanted: Vec<String>,
}

impl Record {
    /// The client that was registered at this issuer, if it will do again: for the same redirect, and for all of these
    /// scopes. Without a refresh token nobody has noticed since whether it is still known there, so it will not.
    pub(super) fn client(
        &self,
        issuer: &str,
        redirect: &str,
        scopes: &[String],
    ) -> Option<&Registered> {
        let known = self.clients.get(issuer)?;
        let mut logins = self.login.iter().filter(|login| login.issuer == issuer);
        let may_be_forgotten = logins.any(|login| login.refresh_token.is_none());
        let fits = known.redirect == redirect && known.may_ask_for(scopes);
        (fits && !may_be_forgotten).then_some(known)
    }

    /// Forgets the client that was registered at this issuer; whether there was one.
    pub(super) fn forget_client(&mut self, issuer: &str) -> bool {
        self.clients.shift_remove(issuer).is_some()
    }
}

/// Tokens of one issuer for one server.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Login {
    pub(super) issuer: String,
    pub(super) resource: String,
    pub(super) token_endpoint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) revocation_endpoint: Option<String>,
    pub(super) client: Known,
    pub(super) scopes: Vec<String>,
    pub(super) access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    /// In seconds since 1970.
    pub(super) received: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<u64>,
}

/// The client that the tokens were given to. What proves a configured one stays in the configuration.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "from")]
pub(super) enum Known {
    /// From the configuration.
    Configured { id: String, shown: Shown },
    /// Registered for us: one of the record's clients, as it was then.
    Registered {
        id: String,
        shown: Shown,
        secret: Option<String>,
    },
}

/// How a secret is shown.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Shown {
    Nothing,
    Basic,
    Post,
    Signed,
}

impl Login {
    /// Takes what came back; an answer may leave out what stays as it was.
    pub(super) fn renew(&mut self, granted: &Granted) {
        granted.access.expose().clone_into(&mut self.access_token);
        if let Some(refresh) = &granted.refresh {
            self.refresh_token = Some(refresh.expose().to_owned());
        }
        if let Some(scopes) = &granted.scopes {
            self.scopes.clone_from(scopes);
        }
        self.received = now();
        self.expires = granted.expires;
    }

    /// Whether the token will do for a request that is about to be sent.
    pub(super) fn is_fresh(&self) -> bool {
        self.expires.is_none_or(|expires| {
            let life = expires.saturating_sub(self.received);
            now() + MARGIN.min(life / 10) < expires
        })
    }

    /// Whether the token has not ended yet.
    pub(super) fn is_alive(&self) -> bool {
        self.expires.is_none_or(|expires| now() < expires)
    }
}

impl Known {
    pub(super) fn of(client: &Client, config: &OAuthConfig) -> Self {
        let id = client.id.clone();
        let (shown, secret) = match &client.proof {
            Proof::Nothing => (Shown::Nothing, None),
            Proof::Basic(secret) => (Shown::Basic, Some(secret)),
            Proof::Post(secret) => (Shown::Post, Some(secret)),
            Proof::Signed { .. } => (Shown::Signed, None),
        };
        if config.client_id.as_ref() == Some(&id) {
            return Self::Configured { id, shown };
        }
        let secret = secret.map(|secret| secret.expose().to_owned());
        Self::Registered { id, shown, secret }
    }

    /// The client again; `None` if the configuration names another one by now.
    pub(super) fn client(&self, config: &OAuthConfig) -> Option<Client> {
        let (id, shown, secret) = match self {
            Self::Registered { id, shown, secret } => {
                (id, *shown, secret.as_deref().map(Secret::new))
            }
            Self::Configured { id, shown } => (id, *shown, config.client_secret.clone()),
        };
        let is_other = config
            .client_id
            .as_ref()
            .is_some_and(|configured| configured != id);
        if is_other || (matches!(self, Self::Configured { .. }) && config.client_id.is_none()) {
            return None;
        }
        let proof = match (shown, secret) {
            (Shown::Nothing, _) => Proof::Nothing,
            (Shown::Basic, secret) => Proof::Basic(secret?),
            (Shown::Post, secret) => Proof::Post(secret?),
            (Shown::Signed, _) => Proof::Signed {
                key: config.private_key.clone()?,
                key_id: config.key_id.clone(),
            },
        };
        Some(Client {
            id: id.clone(),
            proof,
        })
    }
}

/// The place of one server's record. Clones share it.
#[derive(Clone, Debug)]
pub struct Ledger {
    vault: Arc<Vault>,
    name: Arc<str>,
    url: Arc<str>,
}

impl Ledger {
    /// The place for the server with this name and URL.
    pub fn new(vault: Arc<Vault>, server: &str, url: &str) -> Self {
        Self {
            vault,
            name: file_name(server, url).into(),
            url: url.into(),
        }
    }

    /// What is kept, or an empty record.
    pub(super) async fn read(&self) -> Result<Record, OAuthError> {
        let (vault, name) = (self.vault.clone(), self.name.clone());
        // Whatever is kept has a file. Most servers have none, and need no thread to find that out.
        let text = if self.mark() == Mark::default() {
            None
        } else {
            aside(move || vault.read(&name)).await?
        };
        let record: Option<Record> = text.and_then(|text| serde_json::from_str(&text).ok());
        let mine = record.filter(|record| record.url == *self.url);
        Ok(mine.unwrap_or_else(|| Record {
            url: self.url.to_string(),
            clients: IndexMap::new(),
            login: None,
            wanted: Vec::new(),
        }))
    }

    pub(super) async fn write(&self, record: &Record) -> Result<(), OAuthError> {
        let (vault, name) = (self.vault.clone(), self.name.clone());
        let text = serde_json::to_string(record).unwrap_or_default();
        Ok(aside(move || vault.write(&name, &text)).await?)
    }

    pub(super) async fn remove(&self) -> Result<bool, OAuthError> {
        let (vault, name) = (self.vault.clone(), self.name.clone());
        Ok(aside(move || vault.remove(&name)).await?)
    }

    pub(super) fn mark(&self) -> Mark {
        self.vault.mark(&self.name)
    }

    pub(super) async fn turn(&self) -> Result<Turn, OAuthError> {
        Ok(self.vault.turn(&self.name).await?)
    }
}

/// The keychain and the disk may block.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(VaultError::Keychain("it did not answer".to_owned())),
    }
}

/// A name for files and keychains that is told from all others, and that a person recognises.
fn file_name(server: &str, url: &str) -> String {
    use std::hash::{Hash, Hasher};
    let mut hash = fnv::FnvHasher::default();
    (server, url).hash(&mut hash);
    let letters = server
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_');
    format!(
        "{}-{:016x}",
        letters.take(32).collect::<String>(),
        hash.finish()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(received: u64, expires: Option<u64>) -> Login {
        Login {
            issuer: String::new(),
            resource: String::new(),
            token_endpoint: String::new(),
            revocation_endpoint: None,
            client: Known::Configured {
                id: String::new(),
                shown: Shown::Nothing,
            },
            scopes: Vec::new(),
            access_token: String::new(),
            refresh_token: None,
            received,
            expires,
        }
    }

    #[test]
    fn a_token_is_fresh_until_shortly_before_its_end() {
        let now = now();
        let cases = [
            (login(now, None), true),
            (login(now, Some(now + 3600)), true),
            (login(now - 3500, Some(now + 100)), true),
            (login(now - 3570, Some(now + 30)), false),
            // A token that lives for ten seconds is not renewed at once.
            (login(now, Some(now + 10)), true),
            (login(now - 20, Some(now - 10)), false),
        ];
        for (login, fresh) in cases {
            assert_eq!(
                login.is_fresh(),
                fresh,
                "{:?} {:?}",
                login.received,
                login.expires
            );
        }
    }

    #[test]
    fn servers_of_one_name_and_of_one_url_do_not_meet() {
        let names = [
            file_name("a", "https://x"),
            file_name("a", "https://y"),
            file_name("b", "https://x"),
            file_name("../b", "https://x"),
        ];
        assert!(names.iter().all(|name| !name.contains(['/', '.'])));
        assert_eq!(
            names
                .iter()
                .collect::<std::collections::BTreeSet<_>>()
                .len(),
            4
        );
    }
}
