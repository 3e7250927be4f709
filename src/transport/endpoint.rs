//! One server over HTTP: its URL, and what every request to it carries.

use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::{Client, Request, Url};
use url::Position;

use super::body::Source;
use super::http_client::{HttpClient, REDIRECTS, Way, failure, origin};
use super::http1::{PlainRequest, Pool, lines};
use super::{Answer, Body, Credentials, Refusal, TransportError};
use crate::config::HttpConfig;
use crate::wire::Pieces;

/// One server's URL with the headers that every request to it carries.
#[derive(Clone)]
pub struct Endpoint {
    way: Way,
    url: Url,
    origin: Arc<str>,
    headers: HeaderMap,
    /// Where `Authorization` comes from, if it changes.
    credentials: Option<Arc<dyn Credentials>>,
    pub(super) limit: usize,
}

/// Headers that many requests to one endpoint share, put together once.
#[derive(Clone, Debug)]
pub struct Standing {
    headers: HeaderMap,
    /// The same as they are written, where we write them.
    lines: Vec<u8>,
}

/// The headers of one request alone: few, so that a list is faster than a map.
pub type Extra = Vec<(HeaderName, HeaderValue)>;

/// One request: what it shares with others, and its own.
#[derive(Clone, Copy)]
struct Sent<'a> {
    method: &'a Method,
    standing: &'a Standing,
    extra: &'a [(HeaderName, HeaderValue)],
    /// `Authorization`, where it changes.
    shown: Option<&'a HeaderValue>,
    body: Option<&'a Pieces>,
}

impl Sent<'_> {
    /// Its own headers.
    fn own(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let shown = self.shown.map(|shown| (&AUTHORIZATION, shown));
        let extra = self.extra.iter().map(|(name, value)| (name, value));
        extra.chain(shown)
    }

    /// Whether some of them are among those that it shares with others.
    fn repeats(&self) -> bool {
        let shared = &self.standing.headers;
        self.own()
            .any(|(own, _)| shared.keys().any(|name| name == own))
    }

    fn replace_in(&self, headers: &mut HeaderMap) {
        for (name, value) in self.own() {
            headers.insert(name, value.clone());
        }
    }
}

impl Endpoint {
    /// Bodies, and events of a stream, may have up to `limit` bytes.
    pub fn new(
        client: &HttpClient,
        config: &HttpConfig,
        limit: usize,
    ) -> Result<Self, TransportError> {
        let url = Url::parse(&config.url).map_err(|error| TransportError::BadUrl {
            detail: error.to_string(),
        })?;
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let bad = || TransportError::BadHeader { name: name.clone() };
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| bad())?;
            value.set_sensitive(true);
            headers.append(key, value);
        }
        Ok(Self {
            way: client.way(&url, &config.tls)?,
            origin: origin(&url).into(),
            url,
            headers,
            credentials: None,
            limit,
        })
    }

    /// Every request shows these credentials.
    #[must_use]
    pub fn showing(self, credentials: Option<Arc<dyn Credentials>>) -> Self {
        Self {
            credentials,
            ..self
        }
    }

    /// The same server as if there were TLS or a proxy between.
    #[cfg(test)]
    pub(super) fn by_way_of(self, client: &HttpClient) -> Self {
        let client = client.reaching(&self.url, &crate::config::TlsConfig::default());
        let way = Way::Client(client.unwrap());
        Self { way, ..self }
    }

    /// The connections that it has without TLS and proxy.
    #[cfg(test)]
    pub(super) fn pool(&self) -> &Arc<Pool> {
        match &self.way {
            Way::Plain(pool) => pool,
            Way::Client(_) => panic!("there are none"),
        }
    }

    /// Scheme, host and port: what may be shown to people.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Puts together what many requests carry. A header given here replaces the configured one of that name.
    pub fn standing(&self, mut headers: HeaderMap) -> Standing {
        for name in self.headers.keys() {
            if !headers.contains_key(name) {
                for value in self.headers.get_all(name) {
                    headers.append(name, value.clone());
                }
            }
        }
        let lines = match &self.way {
            Way::Plain(_) => lines(host(&self.url), &headers),
            Way::Client(_) => Vec::new(),
        };
        Standing { headers, lines }
    }

    /// Sends `body`. A header given here replaces the configured one of that name.
    pub async fn post(&self, headers: HeaderMap, body: Bytes) -> Result<Answer, TransportError> {
        let standing = self.standing(headers);
        self.post_with(&standing, &[], &body.into()).await
    }

    /// Sends `body` with headers that stand, and further ones, which replace those of the same name.
    pub fn post_with<'a>(
        &'a self,
        standing: &'a Standing,
        extra: &'a [(HeaderName, HeaderValue)],
        body: &'a Pieces,
    ) -> impl Future<Output = Result<Answer, TransportError>> + Send + 'a {
        self.send(Sent {
            method: &Method::POST,
            standing,
            extra,
            shown: None,
            body: Some(body),
        })
    }

    /// Asks for the resource, usually an event stream.
    pub async fn get(&self, headers: HeaderMap) -> Result<Answer, TransportError> {
        self.without_body(Method::GET, headers).await
    }

    /// Asks to end what the URL or the headers name.
    pub async fn delete(&self, headers: HeaderMap) -> Result<Answer, TransportError> {
        self.without_body(Method::DELETE, headers).await
    }

    async fn without_body(
        &self,
        method: Method,
        headers: HeaderMap,
    ) -> Result<Answer, TransportError> {
        self.send(Sent {
            method: &method,
            standing: &self.standing(headers),
            extra: &[],
            shown: None,
            body: None,
        })
        .await
    }

    /// The same server at another URL, which must have the same origin: credentials stay where they belong.
    pub fn at(&self, reference: &str) -> Result<Self, TransportError> {
        let bad = |detail: String| TransportError::BadUrl { detail };
        let url = self
            .url
            .join(reference)
            .map_err(|error| bad(error.to_string()))?;
        if url.origin() != self.url.origin() {
            return Err(bad(format!(
                "`{}` is not at `{}`",
                origin(&url),
                self.origin
            )));
        }
        Ok(Self {
            url,
            ..self.clone()
        })
    }

    /// Sends a request with the credentials, and once more if it was refused and there are others then.
    async fn send(&self, mut sent: Sent<'_>) -> Result<Answer, TransportError> {
        let Some(credentials) = &self.credentials else {
            return self.go(&sent).await;
        };
        let shown = match credentials.at_hand() {
            Poll::Ready(shown) => shown,
            Poll::Pending => credentials.current().await?,
        };
        sent.shown = shown.as_ref();
        let answer = self.go(&sent).await?;
        match Refusal::of(answer.status, &answer.headers, sent.shown) {
            None => Ok(answer),
            // Apart: the future of a call is made for each one, and need not have room for this.
            Some(_) => Box::pin(self.refused(&**credentials, &sent, answer)).await,
        }
    }

    async fn refused(
        &self,
        credentials: &dyn Credentials,
        sent: &Sent<'_>,
        mut answer: Answer,
    ) -> Result<Answer, TransportError> {
        let refusal = Refusal::of(answer.status, &answer.headers, sent.shown);
        if let Some(refusal) = refusal
            && credentials.refused(refusal).await
        {
            let shown = credentials.current().await?;
            let shown = shown.as_ref();
            answer = self.go(&Sent { shown, ..*sent }).await?;
        }
        answer.advice = Some(credentials.advice());
        Ok(answer)
    }

    async fn go(&self, sent: &Sent<'_>) -> Result<Answer, TransportError> {
        match &self.way {
            Way::Plain(pool) if !sent.repeats() => self.plainly(pool, sent).await,
            Way::Plain(pool) => Box::pin(self.plainly_anew(pool, sent)).await,
            Way::Client(client) => Box::pin(self.by_client(client, sent)).await,
        }
    }

    /// Sends a request some of whose headers stand in the place of those that many share.
    async fn plainly_anew(
        &self,
        pool: &Arc<Pool>,
        sent: &Sent<'_>,
    ) -> Result<Answer, TransportError> {
        let mut headers = sent.standing.headers.clone();
        sent.replace_in(&mut headers);
        let standing = &self.standing(headers);
        let (extra, shown) = (&[][..], None);
        self.plainly(
            pool,
            &Sent {
                standing,
                extra,
                shown,
                ..*sent
            },
        )
        .await
    }

    /// Follows redirects as [`HttpClient`] says.
    async fn plainly(&self, pool: &Arc<Pool>, sent: &Sent<'_>) -> Result<Answer, TransportError> {
        let (mut there, mut redirects) = (None, 0);
        loop {
            let url = there.as_deref().unwrap_or(&self.url);
            let request = PlainRequest {
                method: sent.method,
                target: &url[Position::BeforePath..Position::AfterQuery],
                lines: &sent.standing.lines,
                extra: sent.extra,
                shown: sent.shown,
                body: sent.body,
            };
            let answer = pool.send(&request).await?;
            match moved(url, answer.status, &answer.headers) {
                Some(url) if redirects < REDIRECTS => {
                    there = Some(Box::new(url));
                    redirects += 1;
                }
                _ => {
                    let source = Source::Plain(answer.body);
                    return Ok(self.answer(answer.status, answer.headers, source));
                }
            }
        }
    }

    async fn by_client(&self, client: &Client, sent: &Sent<'_>) -> Result<Answer, TransportError> {
        let mut request = Request::new(sent.method.clone(), on_http(&self.url));
        *request.headers_mut() = sent.standing.headers.clone();
        sent.replace_in(request.headers_mut());
        *request.body_mut() = sent.body.map(|body| body.clone().joined().into());
        let sent = client.execute(request).await;
        let mut response = sent.map_err(|error| failure(&self.url, &error))?;
        let headers = Arc::new(std::mem::take(response.headers_mut()));
        let status = response.status();
        Ok(self.answer(status, headers, Source::Client(Box::new(response))))
    }

    fn answer(&self, status: StatusCode, headers: Arc<HeaderMap>, source: Source) -> Answer {
        Answer {
            status,
            headers,
            body: Body {
                source,
                origin: self.origin.clone(),
                limit: self.limit,
            },
            advice: None,
        }
    }
}

/// Where a redirect leads that keeps method and body, and stays within the origin.
fn moved(from: &Url, status: StatusCode, headers: &HeaderMap) -> Option<Url> {
    if !matches!(
        status,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
    ) {
        return None;
    }
    let to = std::str::from_utf8(headers.get(LOCATION)?.as_bytes()).ok()?;
    let to = from.join(to).ok()?;
    (to.origin() == from.origin()).then_some(to)
}

/// As the header `Host` says it.
fn host(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// WebSocket begins as HTTP.
fn on_http(url: &Url) -> Url {
    let mut url = url.clone();
    let scheme = match url.scheme() {
        "ws" => "http",
        "wss" => "https",
        _ => return url,
    };
    // Cannot fail between schemes of this kind.
    let _ = url.set_scheme(scheme);
    url
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
