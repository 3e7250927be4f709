//! The client's half of a link whose frames come as events and leave as requests (HTTP+SSE, revision 2024-11-05).

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use tokio::time::timeout;

use super::{Answer, Endpoint, EventStream, Incoming, TransportError};

const EVENTS: &str = "text/event-stream";

/// An open stream, and where messages for its server go.
pub struct EventLink {
    /// What the server sends; ends with the stream.
    pub incoming: Incoming,
    /// Each frame is a POST here.
    pub messages: Endpoint,
}

impl Endpoint {
    /// Opens the event stream of this URL and waits, no longer than `patience`, until it says where messages go: to a URL
    /// of the same origin. An answer that is no event stream is given back.
    pub async fn open_events(
        &self,
        patience: Duration,
    ) -> Result<Result<EventLink, Answer>, TransportError> {
        let opened = timeout(patience, async {
            let accept = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(EVENTS))]);
            let answer = self.get(accept).await?;
            if !answer.status.is_success() || !is_events(&answer.headers) {
                return Ok(Err(answer));
            }
            let mut events = answer.body.events();
            let messages = self.at(&endpoint(&mut events).await?)?;
            let incoming = Incoming::events(events);
            Ok(Ok(EventLink { incoming, messages }))
        });
        opened.await.unwrap_or_else(|_| {
            Err(TransportError::Events {
                detail: format!("it named no endpoint within {patience:?}"),
            })
        })
    }
}

/// Whether a body is an event stream.
pub fn is_events(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim_start().starts_with(EVENTS))
}

/// What the first event of that type says.
async fn endpoint(events: &mut EventStream) -> Result<String, TransportError> {
    let broken = |detail: &str| TransportError::Events {
        detail: detail.to_owned(),
    };
    while let Some(event) = events.next().await {
        let event = event?;
        if event.event.as_deref() == Some("endpoint") {
            let text = std::str::from_utf8(&event.data);
            return text
                .map(|text| text.trim().to_owned())
                .map_err(|_| broken("the endpoint that it names is no text"));
        }
    }
    Err(broken("it ended before it named an endpoint"))
}
