//! `auth`, `headers` and `envHeaders` of an entry → the headers of every request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};

use super::error::{Findings, Problem};
use super::keys::AUTH_TYPES;
use super::oauth::OAuthConfig;
use super::place::Place;
use super::secret::Secret;
use super::shape;
use super::tree::Node;

/// The value of an environment variable, if it is set.
pub(crate) type Variable<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

/// The `type` that stands for no header, but for a login.
const OAUTH: &str = "oauth";

/// How to log in at the server of an entry with these headers; `None` if they hold its credentials.
pub(crate) fn login(
    entry: &Node,
    headers: &[(String, Secret)],
    findings: &mut Findings,
) -> Option<OAuthConfig> {
    let auth = entry.get("auth").filter(|auth| auth.map().is_some());
    let kind = auth.and_then(|auth| auth.get("type")?.text());
    let is_fixed = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    match (auth, kind) {
        (Some(auth), Some(OAUTH)) if is_fixed => {
            let name = "Authorization".to_owned();
            findings.error(&auth.place, Problem::HeaderTwice { name });
            None
        }
        (Some(auth), Some(OAUTH)) => Some(OAuthConfig::read(auth, findings)),
        (None, _) if !is_fixed => Some(OAuthConfig::default()),
        _ => None,
    }
}

/// The headers of an entry whose shape is checked. What is wrong is reported and left out.
pub(crate) fn headers(
    entry: &Node,
    variable: &Variable<'_>,
    findings: &mut Findings,
) -> Vec<(String, Secret)> {
    let mut headers: Vec<(String, Secret)> = Vec::new();
    for (name, node) in members(entry, "headers") {
        if let Some(value) = node.text() {
            add(&mut headers, (name, value), &node.place, findings);
        }
    }
    for (name, node) in members(entry, "envHeaders") {
        let Some(named) = node.text() else { continue };
        if let Some(value) = variable(named).filter(|value| !value.trim().is_empty()) {
            add(&mut headers, (name, value), &node.place, findings);
        } else {
            let (name, variable) = (name.clone(), named.to_owned());
            findings.warning(&node.place, Problem::HeaderUnset { name, variable });
        }
    }
    if let Some(auth) = entry.get("auth").filter(|auth| auth.map().is_some()) {
        match credentials(auth) {
            Ok(Some((name, value))) => add(&mut headers, (&name, &value), &auth.place, findings),
            Ok(None) => {}
            Err(problem) => findings.error(&auth.place, problem),
        }
    }
    headers
}

fn members<'a>(entry: &'a Node, key: &str) -> impl Iterator<Item = (&'a String, &'a Node)> {
    let map = entry.get(key).and_then(Node::map);
    map.into_iter().flatten()
}

fn add(
    headers: &mut Vec<(String, Secret)>,
    (name, value): (&str, &str),
    place: &Place,
    findings: &mut Findings,
) {
    let shown = name.to_owned();
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        findings.error(place, Problem::HeaderName { name: shown });
    } else if HeaderValue::from_bytes(value.as_bytes()).is_err() {
        findings.error(place, Problem::HeaderValue { name: shown });
    } else if headers
        .iter()
        .any(|(known, _)| known.eq_ignore_ascii_case(name))
    {
        findings.error(place, Problem::HeaderTwice { name: shown });
    } else {
        headers.push((shown, Secret::new(value)));
    }
}

/// The header that `auth` stands for; `None` if a part of it is wrong and was reported.
fn credentials(auth: &Node) -> Result<Option<(String, String)>, Problem> {
    let Some(kind) = auth.get("type") else {
        return Err(Problem::Missing { key: "type".into() });
    };
    let Ok(kind) = shape::word(kind, AUTH_TYPES) else {
        return Ok(None);
    };
    match kind {
        OAUTH => Ok(None),
        "bearer" => {
            let token = part(auth, "token")?;
            Ok(token.map(|token| ("Authorization".into(), format!("Bearer {token}"))))
        }
        "apiKey" => {
            let name = auth.get("header").map_or(Some("X-API-Key"), Node::text);
            Ok(name
                .zip(part(auth, "key")?)
                .map(|(name, key)| (name.into(), key.into())))
        }
        _ => {
            let pair = part(auth, "username")?.zip(part(auth, "password")?);
            pair.map(|(name, password)| basic(name, password))
                .transpose()
        }
    }
}

fn basic(name: &str, password: &str) -> Result<(String, String), Problem> {
    if name.contains(':') {
        return Err(Problem::UserName);
    }
    Ok(("Authorization".to_owned(), basic_value(name, password)))
}

/// The value of the header for a name and a password.
pub(crate) fn basic_value(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

/// A part that must be there; `None` if it is, but wrong.
fn part<'a>(auth: &'a Node, key: &str) -> Result<Option<&'a str>, Problem> {
    auth.get(key)
        .map(Node::text)
        .ok_or_else(|| Problem::Missing {
            key: key.to_owned(),
        })
}
