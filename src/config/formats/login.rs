//! How other programs say how to log in at a server: in our words.

use indexmap::IndexMap;

use super::super::oauth::redirect;
use super::super::place::Place;
use super::super::tree::{Node, Value};
use super::entry::Entry;

/// What they say, and what it becomes. They do not contradict each other.
const SAID: &[(&str, Becomes)] = &[
    ("clientId", Becomes::Key("clientId")),
    ("client_id", Becomes::Key("clientId")),
    ("CLIENT_ID", Becomes::Key("clientId")),
    ("clientSecret", Becomes::Key("clientSecret")),
    ("client_secret", Becomes::Key("clientSecret")),
    ("CLIENT_SECRET", Becomes::Key("clientSecret")),
    ("scopes", Becomes::Words("scopes")),
    ("scope", Becomes::Words("scopes")),
    ("callbackPort", Becomes::PortOf("redirectUrl")),
    ("redirectUri", Becomes::Redirect("redirectUrl")),
    ("authServerMetadataUrl", Becomes::Issuer("issuer")),
    // Here it is always on.
    ("enabled", Becomes::Nothing),
];

/// Where an authorization server has its metadata (RFC 8414, section 3.1).
const WELL_KNOWN: [&str; 2] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
];

enum Becomes {
    Nothing,
    Key(&'static str),
    /// Words in one string are several.
    Words(&'static str),
    /// The port of Claude Code's redirect.
    PortOf(&'static str),
    /// A redirect, if it is one to this machine.
    Redirect(&'static str),
    /// Whose metadata is at an address.
    Issuer(&'static str),
}

/// Takes over an object about the login. What it says that has no row keeps its name, so that it is reported.
pub(super) fn oauth(entry: &mut Entry, node: Node) {
    let Value::Map(members) = node.value else {
        return entry.put("oauth", node);
    };
    for (key, node) in members {
        log_in(entry, &key, node);
    }
}

/// Takes over one thing about the login, as it is called in an `oauth` object.
pub(super) fn log_in(entry: &mut Entry, key: &str, node: Node) {
    if node.is_null() {
        return;
    }
    let row = SAID.iter().find(|(theirs, _)| *theirs == key);
    match row.map(|(_, becomes)| becomes) {
        None => entry.log_in(key, node),
        Some(Becomes::Nothing) => {}
        Some(Becomes::Key(ours)) => entry.log_in(ours, node),
        Some(Becomes::Words(ours)) => entry.log_in(ours, words(node)),
        Some(Becomes::PortOf(ours)) => {
            let port = node.shown();
            let url = format!("http://localhost:{port}/callback");
            entry.log_in(ours, Node::literal(&url, node.place));
        }
        Some(Becomes::Redirect(ours)) => {
            let is_here = node.text().is_some_and(|text| redirect(text).is_some());
            entry.log_in(if is_here { ours } else { key }, node);
        }
        Some(Becomes::Issuer(ours)) => {
            let issuer = node.text().and_then(issuer);
            if let Some(issuer) = issuer {
                entry.log_in(ours, Node::literal(&issuer, node.place));
            }
        }
    }
}

/// Cursor says it under `auth`, which has a `type` if it is ours.
pub(super) fn of_cursor(auth: &Node) -> bool {
    let member = |key| auth.get(key).is_some();
    !member("type") && (member("CLIENT_ID") || member("CLIENT_SECRET"))
}

/// `auth` with what was said about the login.
pub(super) fn auth(place: &Place, said: IndexMap<String, Node>) -> Node {
    let kind = ("type".to_owned(), Node::literal("oauth", place.clone()));
    Node {
        value: Value::Map(std::iter::once(kind).chain(said).collect()),
        place: place.clone(),
    }
}

fn words(node: Node) -> Node {
    let Some(text) = node.text() else {
        return node;
    };
    let word = |word: &str| Node::literal(word, node.place.clone());
    let value = Value::List(text.split_whitespace().map(word).collect());
    Node {
        value,
        place: node.place,
    }
}

/// Whose metadata is at this address: the well-known part stands before the issuer's path, or behind it.
fn issuer(metadata: &str) -> Option<String> {
    WELL_KNOWN.iter().find_map(|well_known| {
        let (before, behind) = metadata.split_once(well_known)?;
        let whole = behind.is_empty() || behind.starts_with('/');
        whole.then(|| format!("{before}{behind}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuer_is_what_is_left_of_the_address_of_its_metadata() {
        let found = |path: &str| issuer(&format!("https://a.example{path}"));
        let issuers = [
            (
                "/.well-known/oauth-authorization-server",
                "https://a.example",
            ),
            (
                "/.well-known/oauth-authorization-server/b/c",
                "https://a.example/b/c",
            ),
            ("/b/.well-known/openid-configuration", "https://a.example/b"),
        ];
        for (path, expected) in issuers {
            assert_eq!(found(path).as_deref(), Some(expected));
        }
        assert_eq!(found("/.well-known/openid-configurations"), None);
        assert_eq!(found("/metadata.json"), None);
    }
}
