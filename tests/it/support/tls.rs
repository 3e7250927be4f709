//! TLS before a fake: an authority of the test, and a front that takes the encryption off.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_util::task::TaskTracker;

/// Who vouches for certificates; no system knows it.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM.
pub(crate) struct Identity {
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    pub(crate) fn identity(&self, name: &str) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let cert = params.signed_by(&key, &self.0).expect("a certificate");
        Identity {
            cert: cert.pem(),
            key: key.serialize_pem(),
        }
    }

    /// Writes it down where an entry can name it.
    pub(crate) fn write(&self, dir: &Path) -> Value {
        std::fs::write(dir.join("ca.pem"), self.0.pem()).expect("a file");
        json!({"ca": "ca.pem"})
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("an authority");
        Arc::new(roots)
    }
}

impl Identity {
    /// Adds it to the keys of `tls`.
    pub(crate) fn write(&self, dir: &Path, tls: &mut Value) {
        std::fs::write(dir.join("me.pem"), &self.cert).expect("a file");
        std::fs::write(dir.join("me.key"), &self.key).expect("a file");
        tls["cert"] = json!("me.pem");
        tls["key"] = json!("me.key");
    }
}

/// Which clients a front lets in.
pub(crate) enum Admits<'a> {
    Everybody,
    KnownTo(&'a Authority),
}

/// Listens with a certificate of this authority for `localhost`, and hands what comes to `to`. Ends with the test.
pub(crate) fn front(authority: &Authority, admits: &Admits<'_>, to: SocketAddr) -> SocketAddr {
    let Identity { cert, key } = authority.identity("localhost");
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("TLS");
    let builder = match admits {
        Admits::Everybody => builder.with_no_client_auth(),
        Admits::KnownTo(authority) => {
            let provider = Arc::new(default_provider());
            let verifier = WebPkiClientVerifier::builder_with_provider(authority.roots(), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
    };
    let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).expect("PEM")];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM");
    let mut config = builder.with_single_cert(chain, key).expect("an identity");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let addr = listener.local_addr().expect("the port's number");
    listener.set_nonblocking(true).expect("a listener");
    thread::spawn(move || serve(listener, &acceptor, to));
    addr
}

fn serve(
    listener: std::net::TcpListener,
    acceptor: &TlsAcceptor,
    to: SocketAddr,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let tracker = TaskTracker::new();
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            let acceptor = acceptor.clone();
            tracker.spawn(async move {
                let mut near = acceptor.accept(stream).await?;
                let mut far = TcpStream::connect(to).await?;
                tokio::io::copy_bidirectional(&mut near, &mut far).await
            });
        }
    })
}
