//! What a server says when it refuses: `WWW-Authenticate` (RFC 9110, section 11; RFC 6750; RFC 9728, section 5).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// The challenge for a bearer token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// Where the metadata of the server is.
    pub resource_metadata: Option<String>,
    /// The scopes that the request needs.
    pub scopes: Vec<String>,
    /// What was wrong with the token that was shown.
    pub error: Option<String>,
}

impl Challenge {
    /// The first challenge for a bearer token in the headers of a refusal.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .find_map(parse)
    }

    /// Whether the token would do if it had more scopes.
    pub fn wants_more(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }
}

/// One header may hold several challenges, each a scheme followed by parameters.
fn parse(value: &str) -> Option<Challenge> {
    let mut rest = value;
    let mut found: Option<Challenge> = None;
    while let Some(name) = token(&mut rest) {
        let Some(value) = parameter(&mut rest) else {
            if found.is_some() {
                break;
            }
            found = name.eq_ignore_ascii_case("bearer").then(Challenge::default);
            continue;
        };
        let Some(challenge) = &mut found else {
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "resource_metadata" => challenge.resource_metadata = Some(value),
            "scope" => {
                let scopes = value.split_ascii_whitespace();
                challenge.scopes = scopes.map(str::to_owned).collect();
            }
            "error" => challenge.error = Some(value),
            _ => {}
        }
    }
    found
}

/// The next token, behind spaces and commas.
fn token<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.trim_start_matches([' ', '\t', ',']);
    let end = text.find([' ', '\t', ',', '=', '"']).unwrap_or(text.len());
    let (token, behind) = text.split_at(end);
    *rest = behind;
    (!token.is_empty()).then_some(token)
}

/// The value, if `=` and a value follow.
fn parameter(rest: &mut &str) -> Option<String> {
    let text = rest.trim_start().strip_prefix('=')?.trim_start();
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        *rest = &text[end..];
        return Some(text[..end].to_owned());
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                *rest = &quoted[at + 1..];
                return Some(value);
            }
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    *rest = "";
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(challenge: &Challenge) -> String {
        challenge.scopes.join("+")
    }

    #[test]
    fn all_parts_of_a_challenge_are_read() {
        let text = r#"Bearer error="insufficient_scope", scope="a b",resource_metadata = "https://x/y?z=1,2", error_description="scope=\"evil\", error=\"none\"""#;
        let challenge = parse(text).unwrap();
        assert!(challenge.wants_more());
        assert_eq!(scopes(&challenge), "a+b");
        assert_eq!(
            challenge.resource_metadata.as_deref(),
            Some("https://x/y?z=1,2")
        );
    }

    #[test]
    fn only_the_challenge_for_a_bearer_token_counts() {
        let challenge =
            parse(r#"Basic realm="scope=x", bearer scope=read, DPoP scope="no""#).unwrap();
        assert_eq!(scopes(&challenge), "read");
        assert_eq!(parse("Bearer"), Some(Challenge::default()));
        assert_eq!(parse(r#"Negotiate, Basic realm="x", scope="y""#), None);
        assert_eq!(
            parse(r#"Bearer scope="never ends"#).map(|c| scopes(&c)),
            Some("never+ends".into())
        );
    }
}
