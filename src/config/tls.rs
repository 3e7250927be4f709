//! `tls` of an entry: whom to trust beside the system, and what to show of oneself.

use std::fmt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::error::{Findings, Problem};
use super::expand::Paths;
use super::secret::Secret;
use super::small_file::read_small;
use super::tree::Node;

/// Certificates of one server entry; none by default. `Debug` shows none of them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// The authorities to trust beside those of the system: one or more certificates, as PEM.
    pub ca: Option<String>,
    /// What the client shows of itself: its certificate, those that lead from it to an authority, and its key, as PEM.
    pub identity: Option<Secret>,
}

impl TlsConfig {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.ca.is_none() && self.identity.is_none()
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("ca", &self.ca.is_some())
            .field("identity", &self.identity)
            .finish()
    }
}

/// The certificates of an entry whose shape is checked. What is wrong is reported and left out.
pub(crate) fn read(entry: &Node, paths: &Paths<'_>, findings: &mut Findings) -> TlsConfig {
    let Some(tls) = entry.get("tls").filter(|tls| tls.map().is_some()) else {
        return TlsConfig::default();
    };
    let mut reader = Reader { paths, findings };
    let ca = reader.file(tls.get("ca")).and_then(|file| {
        let encoded = authorities(&file.text);
        reader.checked(&file, encoded)
    });
    let (cert, key) = (tls.get("cert"), tls.get("key"));
    if let (None, Some(key)) = (cert, key) {
        let problem = Problem::Missing { key: "cert".into() };
        reader.findings.error(&key.place, problem);
    }
    let identity = reader.file(cert).and_then(|cert| {
        // Some programs keep both in one file.
        let chain = certificates(&cert.text);
        let chain = reader.checked(&cert, chain);
        let key = match key {
            Some(key) => Some(reader.file(Some(key))?),
            None => None,
        };
        let chain = chain?;
        let with_key = key.as_ref().unwrap_or(&cert);
        let identity = identity(chain, &with_key.text);
        reader.checked(with_key, identity).map(Secret::new)
    });
    TlsConfig { ca, identity }
}

/// A file that a key names.
struct File<'a> {
    node: &'a Node,
    path: PathBuf,
    text: String,
}

struct Reader<'a> {
    paths: &'a Paths<'a>,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn file<'n>(&mut self, node: Option<&'n Node>) -> Option<File<'n>> {
        let node = node?;
        let path = self
            .paths
            .resolve(node.text().filter(|path| !path.is_empty())?);
        self.findings.files.extend(path.iter().cloned());
        let read = path.and_then(|path| read_small(&path).map(|text| (path, text)));
        match read {
            Ok((path, text)) => Some(File { node, path, text }),
            Err(problem) => {
                self.findings.error(&node.place, problem);
                None
            }
        }
    }

    fn checked<T>(&mut self, file: &File<'_>, found: Result<T, String>) -> Option<T> {
        found
            .map_err(|reason| {
                let path = file.path.clone();
                let problem = Problem::Pem { path, reason };
                self.findings.error(&file.node.place, problem);
            })
            .ok()
    }
}

fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, Error> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match found {
        Ok(found) if found.is_empty() => Err("it holds no certificate".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(plain(&error)),
    }
}

fn authorities(text: &str) -> Result<String, String> {
    let found = certificates(text)?;
    let mut store = RootCertStore::empty();
    let mut encoded = String::new();
    for certificate in found {
        encoded += &pem("CERTIFICATE", &certificate);
        let added = store.add(certificate);
        added.map_err(|_| "one of its certificates is broken".to_owned())?;
    }
    Ok(encoded)
}

/// The certificates and the key that is in this text, if they belong together.
fn identity(chain: Vec<CertificateDer<'static>>, text: &str) -> Result<String, String> {
    let key = match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
        Ok(key) => key,
        Err(Error::NoItemsFound) if text.contains("ENCRYPTED PRIVATE KEY") => {
            return Err("its private key is encrypted".to_owned());
        }
        Err(Error::NoItemsFound) => return Err("it holds no private key".to_owned()),
        Err(error) => return Err(plain(&error)),
    };
    let label = match &key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    let mut encoded: String = chain
        .iter()
        .map(|certificate| pem("CERTIFICATE", certificate))
        .collect();
    encoded += &pem(label, key.secret_der());
    let key = any_supported_type(&key)
        .map_err(|_| "its private key is broken, or of an unknown kind".to_owned())?;
    match CertifiedKey::new(chain, key).keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(encoded)
        }
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err("its private key is not that of the certificate".to_owned())
        }
        Err(_) => Err("the certificate that it belongs to is broken".to_owned()),
    }
}

/// Nothing of what the file holds.
fn plain(error: &Error) -> String {
    match error {
        Error::MissingSectionEnd { .. } => "a section of it has no end",
        Error::Base64Decode(_) => "a section of it is not base64",
        _ => "it is not in the format PEM",
    }
    .to_owned()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}
