//! A server of which the test writes every byte.

use bytes::Bytes;
use http::HeaderMap;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::testing::within;
use super::{Answer, Endpoint, HttpClient, TransportError};
use crate::config::{HttpConfig, Secret, TlsConfig};

/// The limit of bodies and events.
pub(super) const LIMIT: usize = 100;

/// How requests are sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sends {
    /// As the endpoint would.
    Straight,
    /// As it would with TLS or a proxy.
    ByClient,
}

/// A server of which the test writes every byte.
pub(super) struct Raw {
    sends: Sends,
    listener: TcpListener,
    pub(super) base: String,
}

pub(super) struct Connection(BufReader<TcpStream>);

impl Raw {
    pub(super) async fn start(sends: Sends) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        Self {
            sends,
            listener,
            base,
        }
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        let headers = vec![("X-Key".to_owned(), Secret::new("configured"))];
        let config = HttpConfig {
            url: format!("{}/mcp?token=hidden", self.base),
            headers,
            tls: TlsConfig::default(),
            oauth: None,
        };
        let client = HttpClient::new();
        let endpoint = Endpoint::new(&client, &config, LIMIT).unwrap();
        match self.sends {
            Sends::Straight => endpoint,
            Sends::ByClient => endpoint.by_way_of(&client),
        }
    }

    pub(super) async fn accept(&self) -> Connection {
        Connection(BufReader::new(
            within(self.listener.accept()).await.unwrap().0,
        ))
    }

    /// What the client gets when the server answers `bytes` and then keeps the connection.
    pub(super) async fn answering(
        &self,
        bytes: &str,
    ) -> (Result<Answer, TransportError>, Connection) {
        let serving = async {
            let mut connection = self.accept().await;
            connection.request().await;
            connection.write(bytes).await;
            connection
        };
        let endpoint = self.endpoint();
        let asking = endpoint.post(HeaderMap::new(), Bytes::from_static(b"{}"));
        within(async { tokio::join!(asking, serving) }).await
    }
}

impl Connection {
    /// One request as text, with the lower-case header lines sorted.
    pub(super) async fn request(&mut self) -> String {
        let mut lines = Vec::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert_ne!(within(self.0.read_line(&mut line)).await.unwrap(), 0);
            let line = line.trim_end().to_owned();
            if let Some(text) = line.strip_prefix("content-length: ") {
                length = text.parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        lines[1..].sort();
        let mut body = vec![0; length];
        within(self.0.read_exact(&mut body)).await.unwrap();
        format!(
            "{}\n\n{}",
            lines.join("\n"),
            String::from_utf8(body).unwrap()
        )
    }

    pub(super) async fn write(&mut self, bytes: &str) {
        self.0.get_mut().write_all(bytes.as_bytes()).await.unwrap();
    }

    /// Reads until the client closes.
    pub(super) async fn drain(&mut self) {
        let mut read = Vec::new();
        drop(within(self.0.read_to_end(&mut read)).await);
    }

    /// Whether the client has closed.
    pub(super) async fn is_closed(&mut self) -> bool {
        matches!(within(self.0.read(&mut [0; 1])).await, Ok(0) | Err(_))
    }
}

/// One chunk of a body.
pub(super) fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// The head of an answer that is an event stream.
pub(super) const STREAM: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
