//! `auth` of the type `oauth`.

use std::fmt;

use url::Url;

use super::error::{Findings, Problem};
use super::rules::texts;
use super::secret::Secret;
use super::shape;
use super::tree::Node;

/// How we log in at a server that wants OAuth. Without anything configured, all is found out from the server.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OAuthConfig {
    /// The client that was set up for us at the authorization server.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<Secret>,
    /// Its private key in PEM, which proves it in place of a secret.
    pub private_key: Option<Secret>,
    /// Which of its keys that is.
    pub key_id: Option<String>,
    /// The URL of a document about our client, which some authorization servers take as its id.
    pub client_metadata_url: Option<String>,
    /// The only authorization server that will do.
    pub issuer: Option<String>,
    /// What to ask for; empty: what the server wants.
    pub scopes: Vec<String>,
    /// The port of the redirect on this machine; `None`: any.
    pub redirect_port: Option<u16>,
    /// The address on this machine to which a browser brings the answer; its port may be left open.
    pub redirect_url: Option<Url>,
    /// Whether the client acts for itself, without a person.
    pub unattended: Option<Unattended>,
}

/// A client that acts for itself (the grant `client_credentials`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unattended;

impl OAuthConfig {
    /// Whether nobody needs to log in.
    pub fn is_unattended(&self) -> bool {
        self.unattended.is_some()
    }

    /// Reads an `auth` whose shape is checked.
    pub(crate) fn read(auth: &Node, findings: &mut Findings) -> Self {
        let text = |key| auth.get(key).and_then(Node::text).map(str::to_owned);
        let secret = |key| auth.get(key).and_then(Node::text).map(Secret::new);
        let port = auth
            .get("redirectPort")
            .and_then(|node| shape::count(node, 1, 65_535).ok());
        let config = Self {
            client_id: text("clientId"),
            client_secret: secret("clientSecret"),
            private_key: secret("privateKey"),
            key_id: text("keyId"),
            client_metadata_url: text("clientMetadataUrl"),
            issuer: text("issuer"),
            scopes: auth.get("scopes").map(texts).unwrap_or_default(),
            redirect_port: port.and_then(|port| u16::try_from(port).ok()),
            redirect_url: auth
                .get("redirectUrl")
                .and_then(|node| read_redirect(node, findings)),
            unattended: (text("grant").as_deref() == Some("clientCredentials"))
                .then_some(Unattended),
        };
        let proven = config.client_secret.is_some() || config.private_key.is_some();
        let lacks_client = config.client_id.is_none() && (proven || config.is_unattended());
        let missing = match (lacks_client, config.is_unattended() && !proven) {
            (true, _) => Some("clientId"),
            (false, true) => Some("clientSecret"),
            (false, false) => None,
        };
        if let Some(key) = missing {
            findings.error(
                &auth.place,
                Problem::Missing {
                    key: key.to_owned(),
                },
            );
        }
        config
    }
}

fn read_redirect(node: &Node, findings: &mut Findings) -> Option<Url> {
    let found = redirect(node.text()?);
    if found.is_none() {
        findings.error(&node.place, Problem::Redirect);
    }
    found
}

/// An address as a redirect; `None` if no browser would bring anything to this machine there (RFC 8252, section 7.3).
pub(crate) fn redirect(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    (url.scheme() == "http" && here && bare).then_some(url)
}

impl fmt::Debug for OAuthConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthConfig")
            .field("client_id", &self.client_id)
            .field("client_secret", &self.client_secret)
            .field("private_key", &self.private_key)
            .field("key_id", &self.key_id)
            .field("client_metadata_url", &self.client_metadata_url)
            .field("issuer", &self.issuer)
            .field("scopes", &self.scopes)
            .field("redirect_port", &self.redirect_port)
            .field("redirect_url", &self.redirect_url.as_ref().map(Url::as_str))
            .field("unattended", &self.unattended)
            .finish()
    }
}
