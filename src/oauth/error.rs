//! What can go wrong with a login.

use crate::transport::TransportError;
use crate::vault::VaultError;

/// Why there is no token. Holds no secret: what an authorization server says is kept only where it repeats nothing of ours.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// An address that metadata or the server named must not be used.
    #[error("`{origin}` is not used for the login: {why}")]
    Unsafe {
        /// Scheme, host and port.
        origin: String,
        /// Why not.
        why: &'static str,
    },
    /// The authorization server or the server's metadata could not be reached. It may work later.
    #[error(transparent)]
    Unreachable(#[from] TransportError),
    /// No answer in time. It may work later.
    #[error("`{0}` did not answer in time")]
    Late(String),
    /// The server says nowhere how to log in.
    #[error("the server names no authorization server that mcpmux could log in at")]
    NoAuthority,
    /// Metadata contradicts itself or what it is for, so that none of it is believed.
    #[error("the metadata at `{origin}` is not believed: {why}")]
    Metadata {
        /// Where it came from.
        origin: String,
        /// What is wrong.
        why: String,
    },
    /// The authorization server knows no way for a client like us to be known to it.
    #[error("`{0}` registers no clients: one must be set up there, and named by `auth.clientId`")]
    NoClient(String),
    /// What is configured does not fit.
    #[error("{0}")]
    Config(&'static str),
    /// The authorization server said no.
    #[error("{what} was refused: {code}{}", if .why.is_empty() { String::new() } else { format!(" ({why})") })]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// The error code (RFC 6749, section 5.2).
        code: String,
        /// Its words, if they can be shown.
        why: String,
    },
    /// The authorization server answered nonsense.
    #[error("{what} failed: {why}")]
    Broken {
        /// What was asked for.
        what: &'static str,
        /// What is wrong with the answer.
        why: String,
    },
    /// What came back from the browser does not belong to this login, or is incomplete.
    #[error("the answer to the login is not accepted: {0}")]
    Callback(&'static str),
    /// Nobody logged in.
    #[error("nobody has logged in within {0} minutes")]
    NoAnswer(u64),
    /// The private key cannot sign.
    #[error("`auth.privateKey` is not usable: {0}")]
    Key(&'static str),
    /// What was stored could not be read or written.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl OAuthError {
    /// Whether the token that was shown is no good any more, so that only another login helps.
    pub(super) fn is_dead_grant(&self) -> bool {
        let is_refused = matches!(self, Self::Refused { code, .. } if code == "invalid_grant");
        is_refused || self.is_unknown_client()
    }

    /// Whether the authorization server does not know the client, or no longer.
    pub(super) fn is_unknown_client(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if ["invalid_client", "unauthorized_client"].contains(&code.as_str()))
    }
}
