//! The client's half of the WebSocket handshake (RFC 6455, section 4.1).

use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::http_client::CONNECT;
use super::websocket::{Ends, Pulse, websocket};
use super::{Answer, Duplex, Endpoint, TransportError};

/// What drives an open WebSocket.
pub struct SocketTasks<'a> {
    /// Runs the one task that it needs.
    pub tracker: &'a TaskTracker,
    /// Ends it, with a word of farewell.
    pub closing: CancellationToken,
}

impl Endpoint {
    /// Opens a WebSocket at this URL, in the name of one subprotocol, which the server may pass over in silence. An
    /// answer that does not switch protocols is given back.
    pub async fn open_websocket(
        &self,
        protocol: &'static str,
        tasks: SocketTasks<'_>,
    ) -> Result<Result<Duplex, Answer>, TransportError> {
        let key = generate_key();
        let answer = timeout(CONNECT, self.get(wish(&key, protocol)));
        let answer = answer.await.unwrap_or_else(|_| {
            Err(TransportError::Timeout {
                origin: self.origin().to_owned(),
                after: CONNECT,
            })
        })?;
        if answer.status != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Err(answer));
        }
        check(&answer.headers, &key, protocol)?;
        let io = answer.body.upgraded().await?;
        let ends = Ends {
            limit: self.limit,
            farewell: CloseCode::Normal,
            closing: tasks.closing,
            pulse: Pulse::default(),
        };
        Ok(Ok(websocket(io, Role::Client, ends, tasks.tracker)))
    }
}

fn wish(key: &str, protocol: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    if let Ok(key) = HeaderValue::from_str(key) {
        headers.insert(SEC_WEBSOCKET_KEY, key);
    }
    headers
}

/// Whether the server has understood what it agrees to.
fn check(headers: &HeaderMap, key: &str, protocol: &str) -> Result<(), TransportError> {
    let broken = |detail: &str| {
        Err(TransportError::NoWebSocket {
            detail: detail.to_owned(),
        })
    };
    let says = |name: HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    let upgrade = says(UPGRADE).unwrap_or_default();
    if !upgrade.eq_ignore_ascii_case(b"websocket") {
        return broken("the server switches to another protocol");
    }
    if says(SEC_WEBSOCKET_ACCEPT) != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
        return broken("`Sec-WebSocket-Accept` does not fit the handshake");
    }
    let chosen = says(SEC_WEBSOCKET_PROTOCOL);
    if chosen.is_some_and(|chosen| !chosen.eq_ignore_ascii_case(protocol.as_bytes())) {
        return broken("the server chose a subprotocol that was not offered");
    }
    Ok(())
}
