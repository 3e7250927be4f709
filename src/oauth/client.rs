//! Who we are to an authorization server, and how we prove it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::OAuthError;
use super::assertion;
use super::authority::Issuer;
use super::grant::refused;
use super::net::Net;
use crate::config::{OAuthConfig, Secret};

/// A client of one authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) proof: Proof,
}

/// How a client proves that it is itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Not at all: anybody could be it.
    Nothing,
    /// Its secret in a header.
    Basic(Secret),
    /// Its secret in the form.
    Post(Secret),
    /// A statement signed with a private key.
    Signed {
        /// In PEM.
        key: Secret,
        /// Which key it is, if there are several.
        key_id: Option<String>,
    },
}

/// A client that was registered for us, with the address that answers may go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registered {
    pub(super) client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) client_secret: Option<String>,
    /// The way of authentication that was agreed on, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<String>,
    pub(super) redirect: String,
    /// The scopes that it was registered with, which are all that it may ask for at some authorization servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scopes: Option<Vec<String>>,
}

impl Registered {
    /// Whether it may ask for these scopes, as far as it is known.
    pub(super) fn may_ask_for(&self, scopes: &[String]) -> bool {
        let own = self.scopes.as_ref();
        own.is_none_or(|own| scopes.iter().all(|scope| own.contains(scope)))
    }
}

impl Client {
    /// The client that the configuration names, if it does and the authorization server takes it.
    pub(super) fn configured(config: &OAuthConfig, issuer: &Issuer) -> Option<Self> {
        if let Some(id) = &config.client_id {
            let proof = match (&config.private_key, &config.client_secret) {
                (Some(key), _) => Proof::Signed {
                    key: key.clone(),
                    key_id: config.key_id.clone(),
                },
                (None, Some(secret)) => with_secret(secret.clone(), issuer),
                (None, None) => Proof::Nothing,
            };
            let id = id.clone();
            return Some(Self { id, proof });
        }
        let document = config.client_metadata_url.as_ref()?;
        issuer.client_id_metadata_document_supported.then(|| Self {
            id: document.clone(),
            proof: Proof::Nothing,
        })
    }

    /// A client that was registered earlier.
    pub(super) fn registered(known: &Registered, issuer: &Issuer) -> Self {
        let secret = known
            .client_secret
            .as_deref()
            .filter(|secret| !secret.is_empty());
        let proof = match (secret, known.method.as_deref()) {
            (None, _) | (_, Some("none")) => Proof::Nothing,
            (Some(secret), Some("client_secret_post")) => Proof::Post(Secret::new(secret)),
            (Some(secret), Some("client_secret_basic")) => Proof::Basic(Secret::new(secret)),
            (Some(secret), _) => with_secret(Secret::new(secret), issuer),
        };
        Self {
            id: known.client_id.clone(),
            proof,
        }
    }

    /// Puts the proof into a request for tokens of this issuer.
    pub(super) fn prove(
        &self,
        issuer: &str,
        form: &mut Vec<(&'static str, String)>,
    ) -> Result<HeaderMap, OAuthError> {
        let mut headers = HeaderMap::new();
        match &self.proof {
            Proof::Nothing => form.push(("client_id", self.id.clone())),
            Proof::Post(secret) => {
                form.push(("client_id", self.id.clone()));
                form.push(("client_secret", secret.expose().to_owned()));
            }
            Proof::Basic(secret) => {
                // The Python SDK looks the client up by the form, before the header.
                form.push(("client_id", self.id.clone()));
                let encode = |text: &str| {
                    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
                };
                let pair = format!("{}:{}", encode(&self.id), encode(secret.expose()));
                let value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)));
                let mut value =
                    value.map_err(|_| OAuthError::Config("`auth.clientSecret` cannot be sent"))?;
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
            Proof::Signed { key, key_id } => {
                let signed = assertion::sign(key, key_id.as_deref(), &self.id, issuer)?;
                form.push(("client_assertion_type", assertion::TYPE.to_owned()));
                form.push(("client_assertion", signed));
            }
        }
        Ok(headers)
    }
}

/// How a secret is shown: in a header if the authorization server takes that or does not say (RFC 8414), else in
/// the form; not at all if it only takes clients without proof.
fn with_secret(secret: Secret, issuer: &Issuer) -> Proof {
    let Some(methods) = &issuer.token_endpoint_auth_methods_supported else {
        return Proof::Basic(secret);
    };
    let takes = |method: &str| methods.iter().any(|known| known == method);
    if takes("client_secret_basic") {
        Proof::Basic(secret)
    } else if takes("client_secret_post") {
        Proof::Post(secret)
    } else if takes("none") {
        Proof::Nothing
    } else {
        Proof::Basic(secret)
    }
}

/// What comes back.
#[derive(Deserialize)]
struct Answer {
    client_id: String,
    client_secret: Option<String>,
    token_endpoint_auth_method: Option<String>,
}

/// Registers a client (RFC 7591) whose answers go to `redirect`.
pub(super) async fn register(
    net: &Net,
    issuer: &Issuer,
    redirect: &str,
    scopes: &[String],
) -> Result<Registered, OAuthError> {
    let Some(endpoint) = &issuer.registration_endpoint else {
        return Err(OAuthError::NoClient(issuer.name.clone()));
    };
    let mut asked = wishes(issuer, redirect);
    if !scopes.is_empty() {
        asked["scope"] = json!(scopes.join(" "));
    }
    let mut scopes = Some(scopes.to_vec());
    let mut reply = net.json(endpoint, &asked).await?;
    let named = asked
        .as_object_mut()
        .and_then(|asked| asked.shift_remove("scope"));
    if reply.status == StatusCode::BAD_REQUEST && named.is_some() {
        // Some know the scopes of servers only when they are asked for a token.
        scopes = None;
        reply = net.json(endpoint, &asked).await?;
    }
    let what = "registering mcpmux at the authorization server";
    if !reply.status.is_success() {
        return Err(refused(what, &reply, &[]));
    }
    let answer: Answer = serde_json::from_slice(&reply.body).map_err(|_| OAuthError::Broken {
        what,
        why: "the answer holds no client".to_owned(),
    })?;
    Ok(Registered {
        client_id: answer.client_id,
        client_secret: answer.client_secret,
        method: answer.token_endpoint_auth_method,
        redirect: redirect.to_owned(),
        scopes,
    })
}

/// What a client of ours is to be, its scopes aside.
fn wishes(issuer: &Issuer, redirect: &str) -> serde_json::Value {
    let methods = issuer.token_endpoint_auth_methods_supported.as_deref();
    let takes =
        |method: &&str| methods.is_none_or(|methods| methods.iter().any(|known| known == method));
    // Where the form will do it comes first: the Python SDK revokes no tokens for a client that shows its secret in the header.
    let method = ["none", "client_secret_post", "client_secret_basic"]
        .into_iter()
        .find(takes);
    let mut asked = json!({
        "client_name": "mcpmux",
        "redirect_uris": [redirect],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": method.unwrap_or("none"),
        // Our redirects go to this machine (OpenID Connect Dynamic Client Registration, section 2).
        "application_type": "native",
    });
    if issuer.device_authorization_endpoint.is_some() {
        asked["grant_types"] = json!(["authorization_code", "refresh_token", super::device::GRANT]);
    }
    asked
}
