//! The server's half of the WebSocket handshake (RFC 6455, section 4.2).

use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::websocket::{Ends, Pulse, websocket};
use super::{Duplex, HttpReply, HttpRequest};

const WEBSOCKET: &str = "websocket";
/// The only version there is.
const VERSION: &str = "13";

/// A client's wish to speak something else than HTTP on its connection.
#[derive(Clone, Debug)]
pub struct Upgrade(OnUpgrade);

impl Upgrade {
    /// The wish, if a request has one. HTTP/2 connections belong to many requests and cannot be taken over.
    pub(super) fn of(request: &mut Request<Incoming>) -> Option<Self> {
        let wanted =
            request.version() == Version::HTTP_11 && request.headers().contains_key(UPGRADE);
        wanted.then(|| Self(hyper::upgrade::on(request)))
    }

    /// The link that opens as soon as the answer is sent; `None` if that fails. Messages may have up to `limit` bytes.
    pub async fn link(self, limit: usize, tracker: &TaskTracker) -> Option<Duplex> {
        let io = TokioIo::new(self.0.await.ok()?);
        let ends = Ends {
            limit,
            farewell: CloseCode::Away,
            closing: CancellationToken::new(),
            pulse: Pulse::default(),
        };
        Some(websocket(io, Role::Server, ends, tracker))
    }
}

impl HttpRequest {
    /// Accepts the handshake of a client that speaks this subprotocol, or names none: the answer to send, and what then
    /// becomes a link. Anything else gets the error that is returned.
    pub fn accept_websocket(
        &mut self,
        protocol: &'static str,
    ) -> Result<(HttpReply, Upgrade), Box<HttpReply>> {
        let names = |name, word: &str| tokens(&self.headers, name).any(|token| token == word);
        let wanted = names(UPGRADE, WEBSOCKET) && names(CONNECTION, "upgrade");
        let Some(upgrade) = self.upgrade.take().filter(|_| wanted) else {
            return Err(required("this is a WebSocket"));
        };
        if !names(SEC_WEBSOCKET_VERSION, VERSION) {
            return Err(required("only version 13 of WebSocket is spoken here"));
        }
        let key = self.headers.get(SEC_WEBSOCKET_KEY);
        let Some(key) = key.filter(|key| is_key(key.as_bytes())) else {
            return Err(bad("`Sec-WebSocket-Key` is missing or wrong"));
        };
        let accept = derive_accept_key(key.as_bytes());
        let mut reply = HttpReply::empty(StatusCode::SWITCHING_PROTOCOLS);
        let headers = &mut reply.headers;
        headers.insert(UPGRADE, HeaderValue::from_static(WEBSOCKET));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        if let Ok(accept) = HeaderValue::from_str(&accept) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        if self.headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
            if !names(SEC_WEBSOCKET_PROTOCOL, protocol) {
                let why = format!("the subprotocol is `{protocol}`");
                return Err(bad(&why));
            }
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        }
        Ok((reply, upgrade))
    }
}

/// The words of a header that is a list, in lower case.
fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = String> {
    let values = headers.get_all(name).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .map(|token| token.trim().to_ascii_lowercase())
}

/// Whether this is base64 of sixteen bytes.
fn is_key(key: &[u8]) -> bool {
    key.len() == 24 && key.ends_with(b"==")
}

fn bad(why: &str) -> Box<HttpReply> {
    Box::new(HttpReply::text(StatusCode::BAD_REQUEST, why))
}

fn required(why: &str) -> Box<HttpReply> {
    let mut reply = HttpReply::text(StatusCode::UPGRADE_REQUIRED, why);
    let headers = &mut reply.headers;
    headers.insert(UPGRADE, HeaderValue::from_static(WEBSOCKET));
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
    Box::new(reply)
}
