//! Who gives out tokens for a server: protected-resource metadata (RFC 9728), then authorization-server metadata (RFC 8414, and
//! that of `OpenID` Connect Discovery).
//!
//! Metadata is believed only if it names what it was asked for: the resource must be the server, the issuer must be, to the
//! letter, the one whose address it came from. Otherwise a server could send its users to log in elsewhere for it.

use serde::Deserialize;
use url::Url;

use super::net::{Net, origin};
use super::{Challenge, OAuthError};

/// How many authorization servers of a list are looked at.
const MOST_ISSUERS: usize = 4;

/// A server's authorization server, and what the server wants of it.
#[derive(Clone, Debug)]
pub struct Authority {
    /// The server as it calls itself: what tokens are for (RFC 8707).
    pub resource: String,
    /// The scopes that the server knows.
    pub resource_scopes: Vec<String>,
    /// The authorization server.
    pub(super) server: Issuer,
}

/// What an authorization server says about itself. All URLs are unchecked; they are checked when used.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Issuer {
    #[serde(rename = "issuer")]
    pub(super) name: String,
    pub(super) authorization_endpoint: Option<String>,
    pub(super) token_endpoint: String,
    pub(super) registration_endpoint: Option<String>,
    pub(super) revocation_endpoint: Option<String>,
    pub(super) device_authorization_endpoint: Option<String>,
    pub(super) scopes_supported: Option<Vec<String>>,
    pub(super) code_challenge_methods_supported: Option<Vec<String>>,
    pub(super) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    pub(super) client_id_metadata_document_supported: bool,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(rename = "resource")]
    name: String,
    authorization_servers: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
}

impl Authority {
    /// The issuer's own name.
    pub fn issuer(&self) -> &str {
        &self.server.name
    }

    /// Finds the authorization server of `server`; `wanted` is the only issuer that will do, if there is one.
    pub(super) async fn find(
        net: &Net,
        server: &Url,
        challenge: &Challenge,
        wanted: Option<&str>,
    ) -> Result<Self, OAuthError> {
        let Some((place, found)) = resource(net, server, challenge).await? else {
            return Self::without_metadata(net, server, wanted).await;
        };
        let issuers = found.authorization_servers.unwrap_or_default();
        if issuers.is_empty() {
            return Self::without_metadata(net, server, wanted).await;
        }
        if let Some(wanted) = wanted
            && !issuers.iter().any(|issuer| issuer == wanted)
        {
            return Err(OAuthError::Metadata {
                origin: place,
                why: "it does not name `auth.issuer`".to_owned(),
            });
        }
        let mut last = OAuthError::NoAuthority;
        for issuer in issuers.iter().take(MOST_ISSUERS) {
            if wanted.is_some_and(|wanted| wanted != issuer) {
                continue;
            }
            match ask_issuer(net, issuer).await {
                Ok(Some(server)) => {
                    return Ok(Self {
                        resource: found.name,
                        resource_scopes: found.scopes_supported.unwrap_or_default(),
                        server,
                    });
                }
                Ok(None) => {}
                // Somebody lies: no other way is tried.
                Err(error @ OAuthError::Metadata { .. }) => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Servers of 2025-03-26 are their own authorization servers. Its endpoints are not guessed.
    async fn without_metadata(
        net: &Net,
        server: &Url,
        wanted: Option<&str>,
    ) -> Result<Self, OAuthError> {
        let own = origin(server);
        let issuer = wanted.unwrap_or(&own);
        let server_metadata = ask_issuer(net, issuer)
            .await?
            .ok_or(OAuthError::NoAuthority)?;
        let mut resource = server.clone();
        resource.set_fragment(None);
        Ok(Self {
            resource: plain(&resource),
            resource_scopes: Vec::new(),
            server: server_metadata,
        })
    }
}

/// A URL without the slash that the parser puts behind a bare host.
fn plain(url: &Url) -> String {
    let text = url.as_str();
    match text.strip_suffix('/') {
        Some(bare) if url.path() == "/" && url.query().is_none() => bare.to_owned(),
        _ => text.to_owned(),
    }
}

/// The server's metadata, with the origin that it came from: where the challenge says, else at the well-known places.
async fn resource(
    net: &Net,
    server: &Url,
    challenge: &Challenge,
) -> Result<Option<(String, Resource)>, OAuthError> {
    let said = challenge.resource_metadata.as_deref();
    let said = said.and_then(|said| server.join(said).ok());
    let places: Vec<Url> = match said {
        Some(place) => vec![place],
        None => well_known(server, "oauth-protected-resource"),
    };
    for place in places {
        let found: Option<Resource> = match net.document(place.as_str()).await {
            // Without HTTPS there is no metadata that could be trusted.
            Err(OAuthError::Unsafe { .. }) if challenge.resource_metadata.is_none() => None,
            other => other?,
        };
        if let Some(found) = found {
            if !is_part_of(server, &found.name) {
                return Err(OAuthError::Metadata {
                    origin: origin(&place),
                    why: "it is about another server".to_owned(),
                });
            }
            return Ok(Some((origin(&place), found)));
        }
    }
    Ok(None)
}

/// Whether the metadata of `resource` is about this server: the same origin, and a path that leads to it.
fn is_part_of(server: &Url, resource: &str) -> bool {
    let Ok(resource) = Url::parse(resource) else {
        return false;
    };
    let (path, whole) = (resource.path(), server.path());
    let leads = whole
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || path.ends_with('/'));
    let same_query = resource.query().is_none() || resource.query() == server.query();
    resource.origin() == server.origin() && leads && same_query && resource.fragment().is_none()
}

/// The metadata of an issuer, `None` if it has none.
async fn ask_issuer(net: &Net, issuer: &str) -> Result<Option<Issuer>, OAuthError> {
    let url = net.check(issuer).await?;
    let mut places = well_known(&url, "oauth-authorization-server");
    places.truncate(1);
    let openid = "openid-configuration";
    places.extend(well_known(&url, openid).into_iter().next());
    let path = url.path().trim_matches('/');
    if !path.is_empty() {
        places.push(at(&url, &format!("/{path}/.well-known/{openid}")));
    }
    for place in places {
        let Some(found) = net.document::<Issuer>(place.as_str()).await? else {
            continue;
        };
        if found.name != issuer {
            return Err(OAuthError::Metadata {
                origin: origin(&url),
                why: "it names another issuer than the one that was asked".to_owned(),
            });
        }
        // Nobody is to log in for a token that could not be fetched.
        net.check(&found.token_endpoint).await?;
        return Ok(Some(found));
    }
    Ok(None)
}

/// The well-known place for a path (RFC 8615), and that for the whole host.
fn well_known(url: &Url, name: &str) -> Vec<Url> {
    let root = format!("/.well-known/{name}");
    let path = url.path().trim_end_matches('/');
    let mut places = Vec::new();
    if !path.is_empty() {
        places.push(at(url, &format!("{root}{path}")));
    }
    places.push(at(url, &root));
    places
}

fn at(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(path);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_the_server_or_a_folder_of_it() {
        let server = Url::parse("https://a.example/x/mcp?k=1").unwrap();
        for good in [
            "https://a.example/x/mcp",
            "https://a.example/x/mcp?k=1",
            "https://A.example:443/x/",
            "https://a.example/x",
            "https://a.example",
        ] {
            assert!(is_part_of(&server, good), "{good}");
        }
        for bad in [
            "https://a.example/x/mc",
            "https://a.example/x/mcp/y",
            "https://a.example/x/mcp?k=2",
            "https://a.example/x/mcp#f",
            "http://a.example/x/mcp",
            "https://a.example:444/x/mcp",
            "https://b.example/x/mcp",
            "a.example/x/mcp",
        ] {
            assert!(!is_part_of(&server, bad), "{bad}");
        }
    }

    #[test]
    fn a_bare_host_stays_bare() {
        let of = |text| plain(&Url::parse(text).unwrap());
        assert_eq!(of("https://a.example"), "https://a.example");
        assert_eq!(of("https://a.example/x/"), "https://a.example/x/");
        assert_eq!(of("https://a.example/?q"), "https://a.example/?q");
    }
}
