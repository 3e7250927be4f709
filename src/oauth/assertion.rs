//! Statements of a client about itself, signed with its private key (RFC 7523, section 2.2).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::json;

use super::OAuthError;
use crate::config::Secret;

/// What kind of statement it is, for the form.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long a statement holds, in seconds.
const LIFE: u64 = 60;

enum Key {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
}

/// The statement that we are `client`, for this issuer alone.
pub(super) fn sign(
    key: &Secret,
    key_id: Option<&str>,
    client: &str,
    issuer: &str,
) -> Result<String, OAuthError> {
    let key = Key::read(key)?;
    let mut header = json!({ "alg": key.algorithm(), "typ": "JWT" });
    if let Some(id) = key_id {
        header["kid"] = json!(id);
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let claims = json!({
        "iss": client,
        "sub": client,
        "aud": issuer,
        "iat": now,
        "exp": now + LIFE,
        "jti": format!("{:032x}", rand::random::<u128>()),
    });
    let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
    let text = format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    );
    let signature = URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes())?);
    Ok(format!("{text}.{signature}"))
}

impl Key {
    /// Reads a key in PEM: PKCS #8 (RSA, P-256, P-384, Ed25519), or PKCS #1 (RSA).
    fn read(pem: &Secret) -> Result<Self, OAuthError> {
        let (label, der) = body(pem.expose()).ok_or(OAuthError::Key("it is not in PEM"))?;
        if label == "RSA PRIVATE KEY" {
            let key = RsaKeyPair::from_der(&der);
            return key
                .map(Self::Rsa)
                .map_err(|_| OAuthError::Key("it is no RSA key"));
        }
        if label != "PRIVATE KEY" {
            return Err(OAuthError::Key(
                "it is not in PKCS #8 (`openssl pkcs8 -topk8 -nocrypt`)",
            ));
        }
        let ecdsa = |algorithm: &'static EcdsaSigningAlgorithm, name| {
            let key = EcdsaKeyPair::from_pkcs8(algorithm, &der, &SystemRandom::new());
            key.ok().map(|key| Self::Ecdsa(key, name))
        };
        ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, "ES256")
            .or_else(|| ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, "ES384"))
            .or_else(|| RsaKeyPair::from_pkcs8(&der).ok().map(Self::Rsa))
            .or_else(|| {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
                    .ok()
                    .map(Self::Ed25519)
            })
            .ok_or(OAuthError::Key("it is no RSA, P-256, P-384 or Ed25519 key"))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Ecdsa(_, name) => name,
            Self::Ed25519(_) => "EdDSA",
        }
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, OAuthError> {
        let failed = |_| OAuthError::Key("signing failed");
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
            Self::Ecdsa(key, _) => {
                let signature = key.sign(&random, text).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Self::Ed25519(key) => Ok(key.sign(text).as_ref().to_vec()),
        }
    }
}

/// Label and content of the first block.
fn body(pem: &str) -> Option<(String, Vec<u8>)> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let text: String = body.split_ascii_whitespace().collect();
    Some((label.to_owned(), STANDARD.decode(text).ok()?))
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, KeyPair, UnparsedPublicKey};

    use super::*;

    fn pem(der: &[u8]) -> Secret {
        let text = STANDARD.encode(der);
        Secret::new(format!(
            "-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"
        ))
    }

    #[test]
    fn a_statement_is_signed_and_says_who_for_whom_and_how_long() {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let der = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let jwt = sign(&pem(der.as_ref()), Some("k1"), "me", "https://as").unwrap();
        let (text, signature) = jwt.rsplit_once('.').unwrap();
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, der.as_ref(), &random).unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref());
        public.verify(text.as_bytes(), &decode(signature)).unwrap();
        let (header, claims) = text.split_once('.').unwrap();
        assert_eq!(decode(header), br#"{"alg":"ES256","typ":"JWT","kid":"k1"}"#);
        let claims: serde_json::Value = serde_json::from_slice(&decode(claims)).unwrap();
        assert_eq!(
            (&claims["iss"], &claims["sub"], &claims["aud"]),
            (&json!("me"), &json!("me"), &json!("https://as"))
        );
        assert_eq!(
            claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
            LIFE
        );
    }

    #[test]
    fn an_ed25519_key_signs_too() {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        assert!(sign(&pem(der.as_ref()), None, "me", "https://as").is_ok());
    }

    #[test]
    fn an_unusable_key_is_not_shown() {
        for text in [
            "hunter2",
            "-----BEGIN EC PRIVATE KEY-----\naHVudGVyMg==\n-----END EC PRIVATE KEY-----",
        ] {
            let error = sign(&Secret::new(text), None, "me", "https://as")
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with("`auth.privateKey`") && !error.contains("aHVu"),
                "{error}"
            );
        }
    }
}
