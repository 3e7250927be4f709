//! Certificates and keys as they come, made here.

use std::fs;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::super::{Config, Sources, TlsConfig, TransportConfig};

/// A certificate and its key, as PEM.
fn identity() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["me".to_owned()]).unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// What `tls` comes to in a folder of these files; the errors as text.
fn read(files: &[(&str, &str)], tls: &str) -> Result<TlsConfig, String> {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let text = format!(r#"{{"mcpServers": {{"a": {{"url": "https://x", "tls": {tls}}}}}}}"#);
    let sources = Sources {
        cwd: dir.path().to_owned(),
        ..Sources::default()
    };
    let config = Config::from_text(Path::new("mcp.json"), &text, &sources);
    let config = config.map_err(|errors| errors.to_string())?;
    match &config.servers["a"].transport {
        TransportConfig::Http(http) => Ok(http.tls.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn authorities_and_identities_are_read_whatever_surrounds_them() {
    let ((ca, _), (cert, key)) = (identity(), identity());
    let bundle = format!("# ours\n{ca}\n-----BEGIN X-----\nAAAA\n-----END X-----\n{cert}");
    let files = [
        ("ca.pem", bundle.as_str()),
        ("me.pem", &cert),
        ("me.key", &key),
    ];
    let tls = read(
        &files,
        r#"{"ca": "ca.pem", "cert": "me.pem", "key": "me.key"}"#,
    )
    .unwrap();
    assert_eq!(tls.ca.as_ref().unwrap().matches("BEGIN").count(), 2);
    assert_eq!(
        tls.identity
            .as_ref()
            .unwrap()
            .expose()
            .matches("BEGIN")
            .count(),
        2
    );
    let both = format!("{key}{cert}");
    let one = read(&[("both.pem", &both)], r#"{"cert": "both.pem"}"#).unwrap();
    assert_eq!(one.identity, tls.identity);
    assert!(!format!("{tls:?}").contains("BEGIN"));
}

#[test]
fn what_cannot_be_used_is_told_with_its_place_and_nothing_of_it() {
    let ((cert, key), (_, other)) = (identity(), identity());
    let locked = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let torn = key.replace("-----END", "");
    for (key, wanted) in [
        (cert.as_str(), "it holds no private key"),
        (&other, "its private key is not that of the certificate"),
        (&locked, "its private key is encrypted"),
        (&torn, "a section of it has no end"),
    ] {
        let files = [("me.pem", cert.as_str()), ("me.key", key)];
        let errors = read(&files, r#"{"cert": "me.pem", "key": "me.key"}"#).unwrap_err();
        assert!(errors.contains("me.key` cannot be used: "), "{errors}");
        assert!(errors.contains(wanted), "{errors}");
        let body = key.lines().nth(1).unwrap();
        assert!(!errors.contains(body), "{errors}");
    }
    let errors = read(&[("ca.pem", &key)], r#"{"ca": "ca.pem"}"#).unwrap_err();
    assert!(errors.contains("it holds no certificate"), "{errors}");
}
