//! A server that one can log in at: what to ask for there, and what is kept of it.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::authority::Authority;
use super::client::{Client, Registered};
use super::grant::{self, Granted, now};
use super::net::Net;
use super::record::{Known, Ledger, Login, Record};
use super::redirect::Redirect;
use super::{Challenge, OAuthError};
use crate::config::{HttpConfig, OAuthConfig};

/// A request that servers answer to those only whom they know.
const QUESTION: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;

/// A server that one can log in at. Clones share it.
#[derive(Clone)]
pub struct Site {
    pub(super) config: OAuthConfig,
    pub(super) net: Net,
    pub(super) url: Url,
    pub(super) ledger: Ledger,
}

impl Site {
    /// `None` if the server's credentials are fixed ones.
    pub fn new(server: &HttpConfig, ledger: Ledger) -> Option<Self> {
        let config = server.oauth.clone()?;
        let url = over_http(&server.url)?;
        Some(Self {
            config,
            net: Net::new(server, url.clone()),
            url,
            ledger,
        })
    }

    /// Whether nobody needs to log in: the client has tokens of its own.
    pub fn is_unattended(&self) -> bool {
        self.config.is_unattended()
    }

    /// The port of the redirect, if the configuration says one.
    pub fn fixed_port(&self) -> Option<u16> {
        let registered = self.config.redirect_url.as_ref();
        registered.and_then(Url::port).or(self.config.redirect_port)
    }

    /// The address of the redirect, whose port may be another one.
    pub fn redirect(&self) -> Result<Url, OAuthError> {
        match &self.config.redirect_url {
            Some(registered) => Ok(registered.clone()),
            None => Url::parse(Redirect::NOWHERE)
                .map_err(|_| OAuthError::Config("there is no redirect")),
        }
    }

    /// The port of the redirect that a client was registered with.
    pub async fn last_port(&self) -> Option<u16> {
        let record = self.ledger.read().await.ok()?;
        let redirect = &record.clients.last()?.1.redirect;
        Url::parse(redirect).ok()?.port()
    }

    /// Finds out where to log in.
    pub async fn authority(&self) -> Result<(Authority, Challenge), OAuthError> {
        let challenge = self
            .net
            .challenge(question(), Bytes::from_static(QUESTION.as_bytes()))
            .await?;
        Ok((self.authority_for(&challenge).await?, challenge))
    }

    pub(super) async fn authority_for(
        &self,
        challenge: &Challenge,
    ) -> Result<Authority, OAuthError> {
        let wanted = self.config.issuer.as_deref();
        Authority::find(&self.net, &self.url, challenge, wanted).await
    }

    /// What to ask for: what is configured, or what the server wants, or what it knows; and what it has asked for
    /// since (2026-07-28, "Scope Selection Strategy"), and `more`.
    pub(super) fn scopes(
        &self,
        authority: &Authority,
        challenge: &Challenge,
        record: &Record,
        more: &[String],
    ) -> Vec<String> {
        let known = [
            &self.config.scopes,
            &challenge.scopes,
            &authority.resource_scopes,
        ];
        let first = known.into_iter().find(|scopes| !scopes.is_empty());
        let mut scopes: Vec<String> = Vec::new();
        for scope in first
            .into_iter()
            .flatten()
            .chain(&record.wanted)
            .chain(more)
        {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        scopes
    }

    /// Stores what was granted.
    pub(super) async fn store(
        &self,
        (authority, client): (&Authority, &Client),
        registered: Option<&Registered>,
        granted: &Granted,
        asked: &[String],
    ) -> Result<(), OAuthError> {
        let _turn = self.ledger.turn().await?;
        let mut record = self.ledger.read().await?;
        if let Some(registered) = registered {
            let issuer = authority.issuer().to_owned();
            record.clients.insert(issuer, registered.clone());
        }
        record.login = Some(new_login((authority, client), &self.config, granted, asked));
        self.ledger.write(&record).await
    }

    /// Forgets the client that was registered at this issuer, which does not know it any more.
    pub(super) async fn forget_client(&self, issuer: &str) -> Result<(), OAuthError> {
        let _turn = self.ledger.turn().await?;
        let mut record = self.ledger.read().await?;
        if record.forget_client(issuer) {
            self.ledger.write(&record).await?;
        }
        Ok(())
    }

    /// Forgets the login, after it was revoked where the authorization server can do that (RFC 7009).
    pub async fn forget(&self) -> Result<Forgotten, OAuthError> {
        let _turn = self.ledger.turn().await?;
        let record = self.ledger.read().await?;
        let mut revoked = None;
        if let Some(login) = &record.login {
            revoked = Some(self.revoke(login).await);
        }
        let was_there = self.ledger.remove().await? && record.login.is_some();
        Ok(match revoked {
            _ if !was_there => Forgotten::Nothing,
            Some(Ok(true)) => Forgotten::Revoked,
            Some(Err(error)) => Forgotten::NotRevoked(Some(error)),
            _ => Forgotten::NotRevoked(None),
        })
    }

    /// Whether the authorization server could be told.
    async fn revoke(&self, login: &Login) -> Result<bool, OAuthError> {
        let (Some(endpoint), Some(client)) = (
            &login.revocation_endpoint,
            login.client.client(&self.config),
        ) else {
            return Ok(false);
        };
        let refresh = login
            .refresh_token
            .as_ref()
            .map(|token| (token, "refresh_token"));
        // The access token ends with its refresh token at some authorization servers, and not at others.
        for (token, kind) in refresh
            .into_iter()
            .chain([(&login.access_token, "access_token")])
        {
            let mut form = vec![
                ("token", token.clone()),
                ("token_type_hint", kind.to_owned()),
            ];
            let headers = client.prove(&login.issuer, &mut form)?;
            let pairs: Vec<(&str, &str)> = form
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let reply = self.net.form(endpoint, &pairs, headers).await?;
            if !reply.status.is_success() {
                return Err(grant::refused("revoking the token", &reply, &pairs));
            }
        }
        Ok(true)
    }
}

/// What became of a login that was given up.
#[derive(Debug)]
pub enum Forgotten {
    /// There was none.
    Nothing,
    /// It is forgotten, and the authorization server knows.
    Revoked,
    /// It is forgotten here; the authorization server cannot be told, or it failed.
    NotRevoked(Option<OAuthError>),
}

/// A login from what was granted.
pub(super) fn new_login(
    (authority, client): (&Authority, &Client),
    config: &OAuthConfig,
    granted: &Granted,
    asked: &[String],
) -> Login {
    let server = &authority.server;
    let mut login = Login {
        issuer: server.name.clone(),
        resource: authority.resource.clone(),
        token_endpoint: server.token_endpoint.clone(),
        revocation_endpoint: server.revocation_endpoint.clone(),
        client: Known::of(client, config),
        scopes: asked.to_vec(),
        access_token: String::new(),
        refresh_token: None,
        received: now(),
        expires: None,
    };
    login.renew(granted);
    login
}

fn question() -> HeaderMap {
    let header = |name, value| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    let mut headers = HeaderMap::from_iter([
        header("mcp-protocol-version", "2026-07-28"),
        header("mcp-method", "tools/list"),
    ]);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/json, text/event-stream"),
    );
    headers
}

/// The URL of a server for HTTP; a WebSocket begins as that.
fn over_http(url: &str) -> Option<Url> {
    let url = match url.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("ws") => format!("http:{rest}"),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("wss") => format!("https:{rest}"),
        _ => url.to_owned(),
    };
    Url::parse(&url).ok()
}
