//! Request ids.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use bytes::Bytes;

use super::text;
use super::{Json, JsonKind};

/// A request id, a string or a number (JSON-RPC 2.0 section 4), echoed verbatim.
///
/// Two ids are equal if they mean the same: escapes are decoded, and `1.0` is `1`. The string `"1"` and the number `1` differ.
#[derive(Clone)]
pub struct RequestId(Repr);

/// Ids written as plain integers, nearly all, need no memory.
#[derive(Clone)]
enum Repr {
    Integer(u64),
    Verbatim(Json),
}

/// What an id means, for comparison.
#[derive(PartialEq, Eq, Hash)]
enum Meaning<'a> {
    Integer(u64),
    Text(Cow<'a, [u8]>),
}

impl RequestId {
    /// The id that `json` is; `None` if it is neither a string nor a number. The text is copied out of its frame.
    pub fn from_json(json: &Json) -> Option<Self> {
        Self::read(json.as_bytes())
    }

    /// The id that the valid JSON text `json` is.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        let verbatim = || Repr::Verbatim(Json::trusted(Bytes::copy_from_slice(json)));
        match JsonKind::of(json) {
            JsonKind::Number => {
                let integer = plain_integer(json).map(Repr::Integer);
                Some(Self(integer.unwrap_or_else(verbatim)))
            }
            JsonKind::String => Some(Self(verbatim())),
            _ => None,
        }
    }

    /// The id as it was written.
    pub fn as_json(&self) -> Json {
        match &self.0 {
            Repr::Integer(integer) => Json::integer(*integer),
            Repr::Verbatim(json) => json.clone(),
        }
    }

    /// Appends the id as it was written.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Repr::Integer(integer) => text::decimal(*integer, out),
            Repr::Verbatim(json) => out.extend_from_slice(json.as_bytes()),
        }
    }

    /// The id as a non-negative integer, if it is one; `7.0` is, `"7"` is not.
    pub fn as_u64(&self) -> Option<u64> {
        match self.meaning() {
            Meaning::Integer(integer) => Some(integer),
            Meaning::Text(_) => None,
        }
    }

    fn meaning(&self) -> Meaning<'_> {
        let json = match &self.0 {
            Repr::Integer(integer) => return Meaning::Integer(*integer),
            Repr::Verbatim(json) => json,
        };
        if json.kind() == JsonKind::String {
            return Meaning::Text(canonical_string(json.as_bytes()));
        }
        let number = without_zero_fraction(json.as_bytes());
        match plain_integer(number) {
            Some(integer) => Meaning::Integer(integer),
            None => Meaning::Text(Cow::Borrowed(number)),
        }
    }
}

/// The integer that `number` spells without sign, fraction and exponent, if it fits.
fn plain_integer(number: &[u8]) -> Option<u64> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    let (first, rest) = number.split_first()?;
    rest.iter().try_fold(digit(first)?, |value, byte| {
        value.checked_mul(10)?.checked_add(digit(byte)?)
    })
}

/// Peers that keep all numbers as floating point echo `1` as `1.0`.
fn without_zero_fraction(number: &[u8]) -> &[u8] {
    let Some(point) = memchr::memchr(b'.', number) else {
        return number;
    };
    if number[point + 1..].iter().all(|digit| *digit == b'0') {
        &number[..point]
    } else {
        number
    }
}

/// The string with minimal escaping. A lone surrogate cannot be decoded, so such a string only equals itself.
fn canonical_string(literal: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', literal).is_none() {
        return Cow::Borrowed(literal);
    }
    let decoded = text::unescape(&literal[1..literal.len() - 1]);
    if decoded.lossy {
        return Cow::Borrowed(literal);
    }
    let mut out = Vec::with_capacity(literal.len());
    text::quote(&decoded.text, &mut out);
    Cow::Owned(out)
}

impl From<u64> for RequestId {
    fn from(id: u64) -> Self {
        Self(Repr::Integer(id))
    }
}

impl PartialEq for RequestId {
    fn eq(&self, other: &Self) -> bool {
        self.meaning() == other.meaning()
    }
}

impl Eq for RequestId {}

impl Hash for RequestId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.meaning().hash(state);
    }
}

/// The JSON text.
impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Integer(integer) => write!(f, "{integer}"),
            Repr::Verbatim(json) => write!(f, "{json}"),
        }
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn id(text: &'static str) -> RequestId {
        RequestId::from_json(&Json::from_static(text)).unwrap()
    }

    #[test]
    fn ids_are_echoed_verbatim() {
        for text in [
            "0",
            "18446744073709551615",
            "18446744073709551616",
            "-1",
            "-0",
            "1.0",
            "1e2",
        ] {
            assert_eq!(id(text).as_json(), Json::from_static(text));
            assert_eq!(id(text).to_string(), text);
        }
        assert_eq!(
            id(r#""a\u0062\/""#).as_json(),
            Json::from_static(r#""a\u0062\/""#)
        );
        assert_eq!(RequestId::from(7).as_json(), Json::from_static("7"));
    }

    #[test]
    fn ids_that_mean_the_same_are_equal() {
        let same = [
            ("1", "1.0"),
            ("1.00", "1"),
            (r#""a""#, r#""\u0061""#),
            (r#""/""#, r#""\/""#),
        ];
        for (left, right) in same {
            assert_eq!(id(left), id(right));
            assert_eq!(
                HashSet::from([id(left), id(right)]).len(),
                1,
                "{left} {right}"
            );
        }
    }

    #[test]
    fn ids_that_differ_are_told_apart() {
        let all = [
            "1",
            r#""1""#,
            "-1",
            "1.5",
            "1e0",
            "10",
            r#""\ud800""#,
            r#""\ud801""#,
            r#""\ufffd""#,
        ];
        let distinct: HashSet<RequestId> = all.into_iter().map(id).collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn integers_can_be_read() {
        let read: Vec<_> = ["7", "7.0", "-7", "7.5", r#""7""#]
            .map(|text| id(text).as_u64())
            .into();
        assert_eq!(read, [Some(7), Some(7), None, None, None]);
    }

    #[test]
    fn only_strings_and_numbers_are_ids() {
        for text in ["null", "true", "[]", "{}"] {
            assert_eq!(RequestId::from_json(&Json::from_static(text)), None);
        }
    }
}
