//! The token for the requests to one server, always the newest one.

use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderValue, StatusCode};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::client::Client;
use super::grant::{self, Granted};
use super::record::{Login, Record};
use super::site::{Site, new_login};
use super::{Challenge, OAuthError};
use crate::printable;
use crate::transport::{Credentials, Refusal, TransportError};
use crate::vault::Mark;

/// Time between two looks for what another process may have stored.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// For so long a look is good for further requests: it costs as much as half of one. A refusal has it made anew.
const GOOD: Duration = Duration::from_millis(20);
/// How many scopes a server may have us remember.
const MOST_SCOPES: usize = 100;
/// How many of them an error shows.
const MOST_SHOWN: usize = 5;

/// The token of one server, for all requests to it.
///
/// A token is renewed shortly before it ends and when the server refuses it: once, while all who need it wait, and in
/// turn with other processes. Whoever stops waiting does not stop the renewal, since the old refresh token may be used up.
pub struct Access(Arc<Inner>);

struct Inner {
    server: String,
    site: Site,
    held: Mutex<Held>,
    /// One renewal at a time.
    renewal: Semaphore,
    tracker: TaskTracker,
}

#[derive(Default)]
struct Held {
    /// The mark of the stored record when it was read.
    mark: Option<Mark>,
    login: Option<Arc<Login>>,
    /// When the mark was compared last.
    looked: Option<Instant>,
    /// Scopes that the login has not and the server wants.
    lacking: Vec<String>,
    /// Why an unattended client has no token.
    trouble: Option<String>,
}

impl Access {
    /// The token of the server with this name. Renewals run on the tracker.
    pub fn new(server: &str, site: Site, tracker: TaskTracker) -> Self {
        Self(Arc::new(Inner {
            server: server.to_owned(),
            site,
            held: Mutex::default(),
            renewal: Semaphore::new(1),
            tracker,
        }))
    }
}

impl Credentials for Access {
    fn current(&self) -> BoxFuture<'_, Result<Option<HeaderValue>, TransportError>> {
        async {
            let found = self.0.current().await;
            found.map_err(|error| TransportError::Credentials {
                detail: error.to_string(),
            })
        }
        .boxed()
    }

    fn at_hand(&self) -> Poll<Option<HeaderValue>> {
        let held = self.0.held.lock();
        let good = held.looked.is_some_and(|looked| looked.elapsed() < GOOD);
        match &held.login {
            None if good => Poll::Ready(None),
            Some(login) if good && login.is_fresh() => Poll::Ready(Some(header(login))),
            _ => Poll::Pending,
        }
    }

    fn refused<'a>(&'a self, refusal: Refusal<'a>) -> BoxFuture<'a, bool> {
        self.0.clone().refused(refusal).boxed()
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        async {
            if self.0.site.is_unattended() {
                return std::future::pending().await;
            }
            while self.0.held.lock().mark.as_ref() == Some(&self.0.site.ledger.mark()) {
                sleep(LOOK_AGAIN).await;
            }
        }
        .boxed()
    }

    fn advice(&self) -> String {
        if !self.0.site.is_unattended() {
            let lacking = more(&self.0.held.lock().lacking);
            return format!("run `mcpmux login {}`{lacking}", self.0.server);
        }
        let trouble = self.0.held.lock().trouble.clone();
        let trouble = trouble.map_or_else(String::new, |trouble| format!(": {trouble}"));
        format!("check `auth` of `{}`{trouble}", self.0.server)
    }
}

impl Inner {
    async fn current(self: &Arc<Self>) -> Result<Option<HeaderValue>, OAuthError> {
        let Some(login) = self.login().await? else {
            return Ok(None);
        };
        if login.is_fresh() {
            return Ok(Some(header(&login)));
        }
        match self.renewed(&login.access_token, None).await {
            Ok(login) => Ok(login.map(|login| header(&login))),
            Err(error) if login.is_alive() => {
                warn!(upstream = %self.server, %error, "the token was not renewed in time, and is used to its end");
                Ok(Some(header(&login)))
            }
            Err(error) => Err(error),
        }
    }

    async fn refused(self: Arc<Self>, refusal: Refusal<'_>) -> bool {
        let shown = refusal.shown.and_then(token);
        let challenge = Challenge::of(refusal.headers).unwrap_or_default();
        let retried = match refusal.status {
            StatusCode::UNAUTHORIZED => self.replace(shown, &challenge).await,
            _ if challenge.wants_more() => self.step_up(shown, &challenge).await,
            _ => Ok(false),
        };
        retried.unwrap_or_else(|error| {
            warn!(upstream = %self.server, %error, "no other token");
            self.held.lock().trouble = Some(error.to_string());
            false
        })
    }

    /// Gets another token than the one that was refused.
    async fn replace(
        self: &Arc<Self>,
        shown: Option<&str>,
        challenge: &Challenge,
    ) -> Result<bool, OAuthError> {
        let login = self.login().await?;
        if login.is_some_and(|login| login.is_fresh() && Some(login.access_token.as_str()) != shown)
        {
            return Ok(true);
        }
        if shown.is_none() && !self.site.is_unattended() {
            return Ok(false);
        }
        let renewed = self
            .renewed(shown.unwrap_or_default(), Some(challenge.clone()))
            .await?;
        Ok(renewed.is_some_and(|login| Some(login.access_token.as_str()) != shown))
    }

    /// Remembers what the next login must ask for, or asks for it if that takes no person.
    async fn step_up(
        self: &Arc<Self>,
        shown: Option<&str>,
        challenge: &Challenge,
    ) -> Result<bool, OAuthError> {
        let Some(login) = self.login().await? else {
            return Ok(false);
        };
        if Some(login.access_token.as_str()) != shown {
            return Ok(true);
        }
        let lacking = challenge
            .scopes
            .iter()
            .any(|scope| !login.scopes.contains(scope));
        if self.site.is_unattended() {
            if !lacking {
                return Ok(false);
            }
            let mut all = challenge.clone();
            all.scopes.extend(login.scopes.iter().cloned());
            return Ok(self
                .renewed(&login.access_token, Some(all))
                .await?
                .is_some());
        }
        let turn = self.site.ledger.turn().await?;
        let mut record = self.site.ledger.read().await?;
        let before = record.wanted.len();
        for scope in login.scopes.iter().chain(&challenge.scopes) {
            if !record.wanted.contains(scope) && record.wanted.len() < MOST_SCOPES {
                record.wanted.push(scope.clone());
            }
        }
        if record.wanted.len() > before {
            self.write(&record).await?;
        }
        drop(turn);
        Ok(false)
    }

    /// What is held now, read anew if it was changed.
    async fn login(&self) -> Result<Option<Arc<Login>>, OAuthError> {
        if self.site.is_unattended() {
            return Ok(self.held.lock().login.clone());
        }
        let mark = self.site.ledger.mark();
        {
            let mut held = self.held.lock();
            if held.mark.as_ref() == Some(&mark) {
                held.looked = Some(Instant::now());
                return Ok(held.login.clone());
            }
        }
        let record = self.site.ledger.read().await?;
        Ok(self.hold(mark, record))
    }

    fn hold(&self, mark: Mark, record: Record) -> Option<Arc<Login>> {
        let login = record.login.map(Arc::new);
        let mut lacking = record.wanted;
        lacking.retain(|scope| {
            !login
                .as_ref()
                .is_some_and(|login| login.scopes.contains(scope))
        });
        let mut held = self.held.lock();
        held.lacking = lacking;
        held.mark = Some(mark);
        held.login.clone_from(&login);
        held.trouble = None;
        login
    }

    /// Stores a record. To be called in turn.
    async fn write(&self, record: &Record) -> Result<Option<Arc<Login>>, OAuthError> {
        let written = self.site.ledger.write(record).await;
        let login = self.hold(self.site.ledger.mark(), record.clone());
        // The refresh token before this one is used up: better to go on with what is only in memory.
        if let Err(error) = written {
            warn!(upstream = %self.server, %error, "the renewed token was not stored");
        }
        Ok(login)
    }

    /// Another token than `stale`, whoever gets it; `None` if only a login helps.
    async fn renewed(
        self: &Arc<Self>,
        stale: &str,
        challenge: Option<Challenge>,
    ) -> Result<Option<Arc<Login>>, OAuthError> {
        let (this, stale) = (self.clone(), stale.to_owned());
        let renewal = self
            .tracker
            .spawn(async move { this.renew(&stale, challenge).await });
        match renewal.await {
            Ok(done) => done,
            Err(_) => Err(OAuthError::Config("the mux is shutting down")),
        }
    }

    async fn renew(
        &self,
        stale: &str,
        challenge: Option<Challenge>,
    ) -> Result<Option<Arc<Login>>, OAuthError> {
        let _one = self.renewal.acquire().await;
        let held = self.login().await?;
        if let Some(held) = held.filter(|held| held.access_token != stale) {
            return Ok(Some(held));
        }
        if self.site.is_unattended() {
            let got = self.by_ourselves(challenge.unwrap_or_default()).await;
            return got.map(Some);
        }
        let _turn = self.site.ledger.turn().await?;
        let mut record = self.site.ledger.read().await?;
        let Some(login) = record.login.as_mut() else {
            return Ok(self.hold(self.site.ledger.mark(), record));
        };
        if login.access_token != stale {
            debug!(upstream = %self.server, "another mcpmux has renewed the token");
            return Ok(self.hold(self.site.ledger.mark(), record));
        }
        match self.refresh(login).await {
            Ok(Some(granted)) => {
                info!(upstream = %self.server, "the token was renewed");
                login.renew(&granted);
                self.write(&record).await
            }
            Ok(None) => Ok(None),
            Err(error) if error.is_dead_grant() => {
                warn!(upstream = %self.server, %error, "the login has ended");
                let issuer = login.issuer.clone();
                if error.is_unknown_client() {
                    record.forget_client(&issuer);
                }
                record.login = None;
                self.write(&record).await
            }
            Err(error) => Err(error),
        }
    }

    /// `None` if there is no refresh token, or none of the client that is configured now.
    async fn refresh(&self, login: &Login) -> Result<Option<Granted>, OAuthError> {
        let Some(client) = login.client.client(&self.site.config) else {
            return Ok(None);
        };
        let Some(token) = &login.refresh_token else {
            return Ok(None);
        };
        let form = vec![
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", token.clone()),
            ("resource", login.resource.clone()),
        ];
        let place = (login.issuer.as_str(), login.token_endpoint.as_str());
        let asked = grant::ask(&self.site.net, place, &client, ("renewing the token", form));
        asked.await.map(Some)
    }

    /// The grant for clients that act for themselves (RFC 6749, section 4.4). Its token is never stored.
    async fn by_ourselves(&self, challenge: Challenge) -> Result<Arc<Login>, OAuthError> {
        let authority = self.site.authority_for(&challenge).await?;
        let config = &self.site.config;
        let Some(client) = Client::configured(config, &authority.server) else {
            return Err(OAuthError::Config("`auth.clientId` is missing"));
        };
        let mut scopes = config.scopes.clone();
        let wanted = challenge
            .scopes
            .iter()
            .filter(|_| scopes.is_empty() || challenge.wants_more());
        scopes.extend(
            wanted
                .filter(|scope| !config.scopes.contains(scope))
                .cloned()
                .collect::<Vec<_>>(),
        );
        let mut form = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("resource", authority.resource.clone()),
        ];
        if !scopes.is_empty() {
            form.push(("scope", scopes.join(" ")));
        }
        let place = (authority.issuer(), authority.server.token_endpoint.as_str());
        let granted =
            grant::ask(&self.site.net, place, &client, ("getting the token", form)).await?;
        let login = Arc::new(new_login((&authority, &client), config, &granted, &scopes));
        let mut held = self.held.lock();
        held.login = Some(login.clone());
        held.trouble = None;
        Ok(login)
    }
}

/// What the next login asks for, in words.
fn more(scopes: &[String]) -> String {
    if scopes.is_empty() {
        return String::new();
    }
    let shown: Vec<_> = scopes
        .iter()
        .take(MOST_SHOWN)
        .map(|scope| format!("`{}`", printable::line(scope)))
        .collect();
    format!(", which then asks for the scope {}", shown.join(", "))
}

fn header(login: &Login) -> HeaderValue {
    // Checked when it came.
    let value = HeaderValue::from_str(&format!("Bearer {}", login.access_token));
    let mut value = value.unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
    value.set_sensitive(true);
    value
}

/// The token in a header of ours.
fn token(shown: &HeaderValue) -> Option<&str> {
    shown.to_str().ok()?.strip_prefix("Bearer ")
}
