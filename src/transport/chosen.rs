//! Which addresses of a host are connected to, where not all are.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use reqwest::ClientBuilder;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

use super::HttpClient;
use super::http_client::Clients;

/// Whether a host may be reached at an address that its name leads to.
pub type Fits = dyn Fn(&str, IpAddr) -> bool + Send + Sync;

/// All addresses, or those that fit.
#[derive(Clone, Default)]
pub(super) struct Chosen(Option<Arc<Fits>>);

impl HttpClient {
    /// A pool of its own, which connects to addresses that fit only. It is asked for each address whenever a name is looked up to
    /// connect, so that no name can lead elsewhere than when it was checked. Addresses in URLs are not looked up.
    pub fn choosing(fits: Arc<Fits>) -> Self {
        let mut clients = Clients::default();
        clients.chosen = Chosen(Some(fits));
        Self(Arc::new(clients))
    }
}

impl Chosen {
    pub(super) fn among(&self, builder: ClientBuilder) -> ClientBuilder {
        match &self.0 {
            Some(_) => builder.dns_resolver(Arc::new(self.clone())),
            None => builder,
        }
    }

    /// Whether any address will do.
    pub(super) fn is_all(&self) -> bool {
        self.0.is_none()
    }

    fn takes(&self, host: &str, address: IpAddr) -> bool {
        self.0.as_ref().is_none_or(|fits| fits(host, address))
    }
}

impl Resolve for Chosen {
    fn resolve(&self, name: Name) -> Resolving {
        let chosen = self.clone();
        Box::pin(async move {
            let host = name.as_str();
            // The port is put in by whoever connects.
            let found = lookup_host((host, 0)).await?;
            let fit: Vec<_> = found.filter(|at| chosen.takes(host, at.ip())).collect();
            if fit.is_empty() {
                let why = format!("no address of `{host}` may be used");
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, why).into());
            }
            Ok(Box::new(fit.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use tokio::net::TcpListener;

    use super::*;
    use crate::config::{HttpConfig, TlsConfig};
    use crate::transport::testing::within;
    use crate::transport::{Endpoint, TransportError};

    /// What comes of a request to this machine by its name, and whether anybody connected.
    async fn asked(fits: Arc<Fits>) -> (TransportError, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = HttpConfig {
            url: format!("https://localhost:{port}/"),
            headers: Vec::new(),
            tls: TlsConfig::default(),
            oauth: None,
        };
        let endpoint = Endpoint::new(&HttpClient::choosing(fits), &config, 100).unwrap();
        let asking = endpoint.post(HeaderMap::new(), Bytes::new());
        let accepting = async {
            drop(listener.accept().await);
            true
        };
        let mut came = false;
        let failed = within(async {
            let mut asking = std::pin::pin!(asking);
            tokio::select! {
                biased;
                done = &mut asking => done,
                accepted = accepting => {
                    came = accepted;
                    asking.await
                }
            }
        })
        .await;
        (failed.err().unwrap(), came)
    }

    #[tokio::test]
    async fn only_addresses_that_fit_are_connected_to() {
        let (error, came) = asked(Arc::new(|host, _| host != "localhost")).await;
        assert!(
            !came && error.to_string().contains("may be used"),
            "{error}"
        );
        let (error, came) = asked(Arc::new(|host, at| host == "localhost" && at.is_ipv4())).await;
        assert!(came, "{error}");
    }
}
