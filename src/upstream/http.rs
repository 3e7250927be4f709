//! Requests to a server over streamable HTTP: a POST for each, and the stream that it answers with.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tracing::debug;

use crate::protocol::{RpcError, code};
use crate::transport::{Answer, Endpoint, EventStream, Extra, Standing, TransportError, is_events};
use crate::wire::{Frame, Json, Message, Pieces, RequestId};

use super::UpstreamError;
use super::connection::{Carrier, Connection};
use super::pending::{Delivery, UpstreamId};

/// Names the session of a legacy server.
pub(super) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// Names the revision that a message is written in.
pub(super) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(super) const BOTH: HeaderValue =
    HeaderValue::from_static("application/json, text/event-stream");
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

/// How often a broken stream is picked up again before the answer counts as lost.
const MAX_RESUMES: usize = 5;

/// One endpoint, and the session there if it made one.
pub(super) struct HttpCarrier {
    endpoint: Endpoint,
    session: OnceLock<HeaderValue>,
    version: OnceLock<HeaderValue>,
    /// What every POST carries.
    posts: ArcSwap<Standing>,
}

impl HttpCarrier {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        let posts = endpoint.standing(of_post(HeaderMap::new()));
        Self {
            endpoint,
            session: OnceLock::new(),
            version: OnceLock::new(),
            posts: ArcSwap::from_pointee(posts),
        }
    }

    /// From now on every message names this revision.
    pub(super) fn agree_on(&self, version: HeaderValue) {
        drop(self.version.set(version));
        self.stand();
    }

    fn stand(&self) {
        let headers = of_post(self.standing_headers());
        self.posts.store(Arc::new(self.endpoint.standing(headers)));
    }

    /// What every message of a session carries; nothing before the handshake and in the modern era.
    fn standing_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(session) = self.session.get() {
            headers.insert(SESSION_ID, session.clone());
        }
        if let Some(version) = self.version.get() {
            headers.insert(PROTOCOL_VERSION, version.clone());
        }
        headers
    }

    async fn post(&self, extra: &Extra, body: &Pieces) -> Result<Answer, UpstreamError> {
        let standing = self.posts.load_full();
        let answer = self.endpoint.post_with(&standing, extra, body).await;
        let answer = answer.map_err(|error| from_transport(&error))?;
        if self.session.get().is_none()
            && let Some(session) = answer.headers.get(SESSION_ID)
            && self.session.set(session.clone()).is_ok()
        {
            self.stand();
        }
        Ok(answer)
    }

    /// Sends a message that wants no answer.
    pub(super) async fn post_and_forget(&self, body: Bytes) -> Result<(), UpstreamError> {
        let answer = self.post(&Extra::new(), &body.into()).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        Err(self.refused(&answer))
    }

    /// Opens the stream for what belongs to no call (2025-11-25, "Listening for messages").
    /// `None`: the server has none.
    pub(super) async fn listen(
        &self,
        last_event_id: Option<&str>,
    ) -> Result<Option<EventStream>, UpstreamError> {
        let mut headers = self.standing_headers();
        headers.insert(ACCEPT, EVENTS);
        if let Some(id) = last_event_id.and_then(|id| HeaderValue::from_str(id).ok()) {
            headers.insert(LAST_EVENT_ID, id);
        }
        let answer = self
            .endpoint
            .get(headers)
            .await
            .map_err(|error| from_transport(&error))?;
        match answer.status {
            status if status.is_success() && is_events(&answer.headers) => {
                Ok(Some(answer.body.events()))
            }
            StatusCode::METHOD_NOT_ALLOWED => Ok(None),
            status if status.is_success() => Ok(None),
            _ => Err(self.refused(&answer)),
        }
    }

    /// Ends the session, if there is one. Errors do not matter any more.
    pub(super) async fn end_session(&self) {
        if self.session.get().is_some() {
            drop(self.endpoint.delete(self.standing_headers()).await);
        }
    }

    /// What a status without a usable body means.
    fn refused(&self, answer: &Answer) -> UpstreamError {
        match answer.status {
            StatusCode::NOT_FOUND if self.session.get().is_some() => UpstreamError::SessionLost,
            _ => refusal(answer),
        }
    }
}

impl Connection {
    /// Sends a request and brings everything that the server says to it to its exchange.
    pub(super) async fn post_request(
        self: Arc<Self>,
        id: UpstreamId,
        headers: Extra,
        body: Pieces,
    ) {
        let Carrier::Http(http) = &self.carrier else {
            return;
        };
        let ended = match http.post(&headers, &body).await {
            Ok(answer) => self.take_answer(http, id, answer).await,
            Err(error) => Err(error),
        };
        let why = match ended {
            Ok(()) if self.pending.events_of(id).is_none() => return,
            Ok(()) => UpstreamError::Broken("the server ended its answer without a result".into()),
            Err(error) => error,
        };
        // Who is not let in any more needs not try the next request.
        if matches!(
            why,
            UpstreamError::SessionLost | UpstreamError::NeedsLogin { status: 401, .. }
        ) {
            self.retire();
        }
        // Without effect if the response has come.
        self.pending.finish(id, Delivery::Failed(why));
    }

    async fn take_answer(
        self: &Arc<Self>,
        http: &HttpCarrier,
        id: UpstreamId,
        answer: Answer,
    ) -> Result<(), UpstreamError> {
        // Apart, where it is rare: the future of a call is made for each one, and need not have room for it.
        if !answer.status.is_success() {
            return Box::pin(self.take_refusal(http, id, answer)).await;
        }
        if is_events(&answer.headers) {
            let events = answer.body.events();
            return Box::pin(self.take_events(http, id, events)).await;
        }
        let body = answer.body.bytes().await.map_err(|error| lost(&error))?;
        self.dispatch_stream(body, id).await;
        Ok(())
    }

    async fn take_refusal(
        self: &Arc<Self>,
        http: &HttpCarrier,
        id: UpstreamId,
        answer: Answer,
    ) -> Result<(), UpstreamError> {
        let why = http.refused(&answer);
        if let UpstreamError::NeedsLogin { .. } | UpstreamError::SessionLost = why {
            return Err(why);
        }
        let body = answer.body.bytes().await.map_err(|error| lost(&error))?;
        let Some(said) = error_of(&body) else {
            return Err(why);
        };
        if let UpstreamError::Status(status) = why
            && self.dialect().is_none()
            && said.is_about_nothing()
        {
            let error = said.error.detached();
            return Err(UpstreamError::Denied { status, error });
        }
        self.dispatch_stream(body, id).await;
        Ok(())
    }

    /// Reads the stream of a call to its end, and picks it up again where it breaks off, if the server gave
    /// its events ids (2025-11-25, "Resumability and redelivery").
    async fn take_events(
        self: &Arc<Self>,
        http: &HttpCarrier,
        id: UpstreamId,
        mut events: EventStream,
    ) -> Result<(), UpstreamError> {
        let mut last_id = None;
        let mut pause = Duration::from_secs(1);
        for _ in 0..=MAX_RESUMES {
            let mut broken = None;
            while let Some(event) = events.next().await {
                let event = match event {
                    Ok(event) => event,
                    Err(error) => {
                        broken = Some(error);
                        break;
                    }
                };
                if let Some(retry) = event.retry {
                    pause = Duration::from_millis(retry).min(Duration::from_secs(60));
                }
                if event.id.as_ref().is_some_and(|id| !id.is_empty()) {
                    last_id = event.id;
                }
                if !event.data.is_empty() {
                    self.dispatch_stream(event.data, id).await;
                }
            }
            if self.pending.events_of(id).is_none() {
                return Ok(());
            }
            let Some(last) = &last_id else {
                return Err(broken.as_ref().map_or(UpstreamError::Lost, lost));
            };
            debug!(upstream = %self.server, "the stream of a call broke off and is picked up again");
            tokio::time::sleep(pause).await;
            match http.listen(Some(last)).await? {
                Some(resumed) => events = resumed,
                None => break,
            }
        }
        Err(UpstreamError::Lost)
    }
}

fn of_post(mut headers: HeaderMap) -> HeaderMap {
    headers.insert(ACCEPT, BOTH);
    headers.insert(CONTENT_TYPE, JSON);
    headers
}

/// What a status that is no success means, without a body that says more.
pub(super) fn refusal(answer: &Answer) -> UpstreamError {
    let status = answer.status;
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            UpstreamError::needs_login(status.as_u16(), answer.advice.clone())
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            UpstreamError::Unavailable {
                why: format!("the server answered HTTP status {status}"),
                retry_in: retry_after(&answer.headers),
            }
        }
        _ => UpstreamError::Status(status.as_u16()),
    }
}

/// A JSON-RPC error, which says more than the HTTP status that it comes with.
struct ErrorBody {
    id: Option<RequestId>,
    code: i64,
    error: Json,
}

impl ErrorBody {
    /// Whether it answers no request, and is none of those that only modern servers know.
    fn is_about_nothing(&self) -> bool {
        self.id.is_none() && !code::is_modern_refusal(self.code)
    }
}

fn error_of(body: &Bytes) -> Option<ErrorBody> {
    let Ok(Frame::One(Message::Response(response))) = Frame::parse(body.clone()) else {
        return None;
    };
    let error = response.body.err()?;
    Some(ErrorBody {
        id: response.id,
        code: RpcError::code_of(&error)?,
        error,
    })
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

/// A failure before there was an answer.
pub(super) fn from_transport(error: &TransportError) -> UpstreamError {
    if error.never_sent() {
        UpstreamError::unavailable(error.to_string())
    } else {
        UpstreamError::Lost
    }
}

/// A failure in the middle of an answer.
fn lost(error: &TransportError) -> UpstreamError {
    match error {
        TransportError::TooLarge { .. } | TransportError::Events { .. } => {
            UpstreamError::Broken(error.to_string())
        }
        _ => UpstreamError::Lost,
    }
}
