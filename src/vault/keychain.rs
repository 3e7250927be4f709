//! The keychain of the system: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.
//!
//! Every call may block, and may make the system ask the user: not for async code.

use keyring::{Entry, Error};

use super::VaultError;

/// What is kept for `account` under `service`; `None` if nothing is.
pub fn get(service: &str, account: &str) -> Result<Option<String>, VaultError> {
    match entry(service, account)?.get_password() {
        Ok(secret) => Ok(Some(secret)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(refused(&error)),
    }
}

/// Keeps `secret` in place of what was there.
pub fn set(service: &str, account: &str, secret: &str) -> Result<(), VaultError> {
    let kept = entry(service, account)?.set_password(secret);
    kept.map_err(|error| refused(&error))
}

/// Forgets what is kept, if anything is.
pub fn remove(service: &str, account: &str) -> Result<(), VaultError> {
    match entry(service, account)?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(refused(&error)),
    }
}

/// Whether there may be a keychain at all; on Linux that takes a message bus.
pub fn is_likely() -> bool {
    if !cfg!(all(unix, not(target_os = "macos"))) {
        return true;
    }
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("DBUS_SESSION_BUS_ADDRESS").is_some()
        || set("XDG_RUNTIME_DIR")
            .is_some_and(|folder| std::path::Path::new(&folder).join("bus").exists())
}

fn entry(service: &str, account: &str) -> Result<Entry, VaultError> {
    Entry::new(service, account).map_err(|error| refused(&error))
}

/// Some of the errors hold the bytes of a secret: only those are shown that cannot.
fn refused(error: &Error) -> VaultError {
    let why = match error {
        Error::NoDefaultStore => "there is none".to_owned(),
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => cause.to_string(),
        Error::BadEncoding(_) => "what is kept there is no text".to_owned(),
        Error::TooLong(..) => "the secret is too long for it".to_owned(),
        Error::Ambiguous(_) => "there are several entries of this name".to_owned(),
        _ => "it refused".to_owned(),
    };
    VaultError::Keychain(why)
}
