//! What a server's own certificates make of a client, and what a failure of TLS looks like.

use std::error::Error;
use std::io;

use reqwest::{Certificate, Client, ClientBuilder, Identity};
use rustls::AlertDescription as Alert;

use crate::config::TlsConfig;

/// A client that trusts these authorities too, and shows this identity.
pub(super) fn equipped(
    builder: impl Fn() -> ClientBuilder,
    tls: &TlsConfig,
) -> Result<Client, reqwest::Error> {
    let authorities = match &tls.ca {
        Some(ca) => Certificate::from_pem_bundle(ca.as_bytes())?,
        None => Vec::new(),
    };
    let with_identity = |builder: ClientBuilder| match &tls.identity {
        Some(identity) => {
            Identity::from_pem(identity.expose().as_bytes()).map(|it| builder.identity(it))
        }
        None => Ok(builder),
    };
    let merged = builder().tls_certs_merge(authorities.clone());
    let built = with_identity(merged)?.build();
    if built.is_ok() || authorities.is_empty() {
        return built;
    }
    // A system without certificates can still do with those that are given.
    with_identity(builder().tls_certs_only(authorities))?.build()
}

/// An `io::Error` does not name what it wraps as its source.
pub(super) fn of_tls<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let wrapped = cause
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match wrapped {
        Some(inner) => of_tls(inner),
        None => cause.downcast_ref(),
    }
}

/// Whether a server did not like what the client showed of itself. It says so when the client already believes that the
/// connection stands, and has then looked at no request.
pub(super) fn refuses_client(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::AlertReceived(
            Alert::CertificateRequired
                | Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
                | Alert::HandshakeFailure
                | Alert::DecryptError
        )
    )
}
