//! A person's login: from the first question to the stored token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use url::Url;

use super::authority::Authority;
use super::client::{Client, Registered, register};
use super::grant;
use super::net::origin;
use super::record::Record;
use super::{OAuthError, Site};

/// A login in a browser, begun and not finished.
pub struct Attempt {
    site: Site,
    authority: Authority,
    client: Client,
    registered: Option<Registered>,
    redirect: String,
    scopes: Vec<String>,
    state: String,
    verifier: String,
    url: Url,
}

impl Attempt {
    /// Finds out where to log in, and becomes a client there whose answers go to `redirect`. `more` are scopes to ask for
    /// beside those that the server wants.
    pub async fn begin(site: &Site, redirect: &str, more: &[String]) -> Result<Self, OAuthError> {
        let (authority, challenge) = site.authority().await?;
        let issuer = &authority.server;
        let methods = issuer
            .code_challenge_methods_supported
            .as_deref()
            .unwrap_or_default();
        if !methods.iter().any(|method| method == "S256") {
            return Err(OAuthError::Metadata {
                origin: issuer.name.clone(),
                why: "the authorization server does not support PKCE with S256".to_owned(),
            });
        }
        let Some(endpoint) = &issuer.authorization_endpoint else {
            return Err(OAuthError::NoAuthority);
        };
        let endpoint = site.net.check(endpoint).await?;
        let record = site.ledger.read().await?;
        let mut scopes = site.scopes(&authority, &challenge, &record, more);
        let lasting = "offline_access";
        let knows_lasting = issuer
            .scopes_supported
            .iter()
            .flatten()
            .any(|scope| scope == lasting);
        if knows_lasting && !scopes.is_empty() && !scopes.iter().any(|scope| scope == lasting) {
            scopes.push(lasting.to_owned());
        }
        let (client, registered) =
            client_for(site, &authority, (redirect, &scopes), &record).await?;
        let mut attempt = Self {
            site: site.clone(),
            client,
            registered,
            redirect: redirect.to_owned(),
            scopes,
            state: secret(),
            verifier: secret(),
            url: endpoint,
            authority,
        };
        attempt.fill_url();
        Ok(attempt)
    }

    fn fill_url(&mut self) {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()));
        let mut query = self.url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client.id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("state", &self.state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("resource", &self.authority.resource);
        if !self.scopes.is_empty() {
            query.append_pair("scope", &self.scopes.join(" "));
        }
        if self.scopes.iter().any(|scope| scope == "offline_access") {
            // OpenID Connect Core, section 11: without it some give no refresh token.
            query.append_pair("prompt", "consent");
        }
    }

    /// The page to open in a browser. Its scheme is `https`, or `http` on this machine.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Where that page is, in short.
    pub fn origin(&self) -> String {
        origin(&self.url)
    }

    /// Whether an address that a browser was sent to may be the answer to this login.
    pub fn is_answer(&self, answer: &Url) -> bool {
        one(answer, "state").is_ok_and(|state| state.as_deref() == Some(&self.state))
    }

    /// Takes the address that the browser was sent to, and stores the tokens that it leads to. Nothing is sent anywhere
    /// before it is certain that the answer is this issuer's to this login (RFC 9207).
    pub async fn finish(&self, answer: &Url) -> Result<(), OAuthError> {
        if !self.is_answer(answer) {
            return Err(OAuthError::Callback("it belongs to another login"));
        }
        match one(answer, "iss")? {
            Some(issuer) if issuer != self.authority.issuer() => {
                return Err(OAuthError::Callback("it comes from another issuer"));
            }
            None if self
                .authority
                .server
                .authorization_response_iss_parameter_supported =>
            {
                return Err(OAuthError::Callback(
                    "it does not say which issuer it comes from",
                ));
            }
            _ => {}
        }
        if let Some(error) = one(answer, "error")? {
            let why = one(answer, "error_description")?.unwrap_or_default();
            return Err(OAuthError::Refused {
                what: "the login",
                code: crate::printable::line(&error).into_owned(),
                why: crate::printable::line(&why).chars().take(200).collect(),
            });
        }
        let Some(code) = one(answer, "code")? else {
            return Err(OAuthError::Callback("it holds no code"));
        };
        let form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code),
            ("redirect_uri", self.redirect.clone()),
            ("code_verifier", self.verifier.clone()),
            ("resource", self.authority.resource.clone()),
        ];
        let server = &self.authority.server;
        let asked = grant::ask(
            &self.site.net,
            (&server.name, &server.token_endpoint),
            &self.client,
            ("getting the token", form),
        );
        let granted = match asked.await {
            Err(error) if error.is_unknown_client() => {
                self.site.forget_client(self.authority.issuer()).await?;
                return Err(error);
            }
            granted => granted?,
        };
        let parties = (&self.authority, &self.client);
        self.site
            .store(parties, self.registered.as_ref(), &granted, &self.scopes)
            .await
    }
}

/// The client to log in as: the configured one, one that was registered with this redirect, or a new one.
pub(super) async fn client_for(
    site: &Site,
    authority: &Authority,
    (redirect, scopes): (&str, &[String]),
    record: &Record,
) -> Result<(Client, Option<Registered>), OAuthError> {
    if let Some(client) = Client::configured(&site.config, &authority.server) {
        return Ok((client, None));
    }
    let registered = match record.client(authority.issuer(), redirect, scopes) {
        Some(known) => known.clone(),
        None => register(&site.net, &authority.server, redirect, scopes).await?,
    };
    Ok((
        Client::registered(&registered, &authority.server),
        Some(registered),
    ))
}

/// A parameter of an answer. Several of one name are an attack, or nonsense.
fn one(answer: &Url, name: &str) -> Result<Option<String>, OAuthError> {
    let mut values = answer.query_pairs().filter(|(key, _)| key == name);
    let first = values.next().map(|(_, value)| value.into_owned());
    if values.next().is_some() {
        return Err(OAuthError::Callback("it says something twice"));
    }
    Ok(first)
}

/// 256 random bits, as text.
fn secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}
