//! A login on another device (RFC 8628).

use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::authority::Authority;
use super::client::{Client, Registered};
use super::grant;
use super::login::client_for;
use super::{OAuthError, Redirect, Site};

/// The grant by its name.
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const FIRST_PAUSE: u64 = 5;
const LONGEST_LIFE: u64 = 1800;
const WHAT: &str = "the login on another device";

/// A login that a person finishes elsewhere.
pub struct Device {
    site: Site,
    authority: Authority,
    client: Client,
    registered: Option<Registered>,
    scopes: Vec<String>,
    secret: String,
    pause: Duration,
    until: Instant,
}

/// What the person needs for that.
#[derive(Clone, Debug)]
pub struct DeviceCode {
    /// The page to open, with the code in it if there is one like that.
    pub page: String,
    /// The code to type there, or to compare.
    pub code: String,
}

#[derive(Deserialize)]
struct Answer {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: Option<u64>,
}

impl Device {
    /// Gets a code for the person. `more` are scopes to ask for beside those that the server wants.
    pub async fn begin(site: &Site, more: &[String]) -> Result<(Self, DeviceCode), OAuthError> {
        let (authority, challenge) = site.authority().await?;
        let Some(endpoint) = authority.server.device_authorization_endpoint.clone() else {
            return Err(OAuthError::Config(
                "the authorization server knows no logins on another device; log in without `--device`",
            ));
        };
        let record = site.ledger.read().await?;
        let scopes = site.scopes(&authority, &challenge, &record, more);
        let redirect = Redirect::NOWHERE;
        let (client, registered) =
            client_for(site, &authority, (redirect, &scopes), &record).await?;
        let mut form = vec![("resource", authority.resource.clone())];
        if !scopes.is_empty() {
            form.push(("scope", scopes.join(" ")));
        }
        let headers = client.prove(authority.issuer(), &mut form)?;
        // Clients that prove themselves in a header are named in the form, too (RFC 8628, section 3.1).
        if !form.iter().any(|(name, _)| *name == "client_id") {
            form.push(("client_id", client.id.clone()));
        }
        let pairs: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let reply = site.net.form(&endpoint, &pairs, headers).await?;
        if !reply.status.is_success() {
            return Err(grant::refused(WHAT, &reply, &pairs));
        }
        let answer: Answer =
            serde_json::from_slice(&reply.body).map_err(|_| OAuthError::Broken {
                what: WHAT,
                why: "the answer holds no code".to_owned(),
            })?;
        // A person will open it.
        let page = answer
            .verification_uri_complete
            .unwrap_or(answer.verification_uri);
        let page = site.net.check(&page).await?.to_string();
        let code = DeviceCode {
            page,
            code: answer.user_code,
        };
        let device = Self {
            site: site.clone(),
            authority,
            client,
            registered,
            scopes,
            secret: answer.device_code,
            pause: Duration::from_secs(answer.interval.unwrap_or(FIRST_PAUSE).clamp(1, 60)),
            until: Instant::now() + Duration::from_secs(answer.expires_in.min(LONGEST_LIFE)),
        };
        Ok((device, code))
    }

    /// Waits for the person, and stores the tokens.
    pub async fn finish(mut self) -> Result<(), OAuthError> {
        loop {
            if Instant::now() + self.pause >= self.until {
                return Err(OAuthError::NoAnswer(LONGEST_LIFE / 60));
            }
            sleep(self.pause).await;
            let form = vec![
                ("grant_type", GRANT.to_owned()),
                ("device_code", self.secret.clone()),
                ("resource", self.authority.resource.clone()),
            ];
            let server = &self.authority.server;
            let place = (server.name.as_str(), server.token_endpoint.as_str());
            match grant::ask(&self.site.net, place, &self.client, (WHAT, form)).await {
                Ok(granted) => {
                    let parties = (&self.authority, &self.client);
                    let registered = self.registered.as_ref();
                    return self
                        .site
                        .store(parties, registered, &granted, &self.scopes)
                        .await;
                }
                Err(OAuthError::Refused { code, .. }) if code == "authorization_pending" => {}
                Err(OAuthError::Refused { code, .. }) if code == "slow_down" => {
                    self.pause += Duration::from_secs(FIRST_PAUSE);
                }
                // Section 3.5: what is lost on the way is asked again, less often.
                Err(OAuthError::Unreachable(_) | OAuthError::Late(_)) => self.pause *= 2,
                Err(error) => return Err(error),
            }
        }
    }
}
