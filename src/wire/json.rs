//! One JSON value, kept as the bytes it was received in.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::WireError;
use super::runs::Runs;
use super::scan;
use super::span::{Member, Span};
use super::text;
use super::walk::{Elements, Members};

/// Exactly one valid JSON value in UTF-8, without whitespace around it.
///
/// Cloning and slicing count references: a slice keeps the whole frame alive, see [`Json::detached`].
/// Equality is equality of text: `1` and `1.0` differ. Numbers of any size and lone surrogate escapes pass untouched.
#[derive(Clone)]
pub struct Json(Text);

/// No bigger than the bytes alone: values are moved a lot, and errors are made of them.
#[derive(Clone)]
enum Text {
    Short(Bytes),
    Long(Box<Long>),
}

/// A text of which something is known.
#[derive(Clone)]
struct Long {
    text: Bytes,
    runs: Runs,
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Json {}

impl Hash for Json {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

/// What a JSON value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// Any number.
    Number,
    /// Any string.
    String,
    /// `[…]`
    Array,
    /// `{…}`
    Object,
}

/// One member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    object: &'a Json,
    member: Member,
}

impl JsonKind {
    /// What the valid JSON text `text` is.
    pub(super) fn of(text: &[u8]) -> Self {
        match text.first() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            Some(b'"') => Self::String,
            Some(b't' | b'f') => Self::Bool,
            Some(b'n') => Self::Null,
            _ => Self::Number,
        }
    }
}

impl Json {
    /// Checks that `bytes` are one JSON value, and trims the whitespace around it; copies nothing.
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Self, WireError> {
        let bytes = bytes.into();
        let (value, runs) = scan::whole(&bytes)?;
        Ok(Self::scanned(bytes.slice(value.range()), &runs))
    }

    /// Encodes a value that we compose ourselves.
    ///
    /// # Panics
    /// If `T` refuses to be serialised, or has a map whose keys are no strings: a defect in `T`.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Self {
        let bytes = serde_json::to_vec(value).expect("our own types can be serialised");
        Self::trusted(bytes.into())
    }

    /// A literal of ours, which is JSON without whitespace around it; only debug builds check.
    ///
    /// # Panics
    /// In debug builds, if it is not.
    pub fn from_static(text: &'static str) -> Self {
        let json = Self::trusted(Bytes::from_static(text.as_bytes()));
        debug_assert!(json.is_whole(), "the literal is not one value");
        json
    }

    /// The string `text`.
    pub fn string(text: &str) -> Self {
        let mut out = Vec::with_capacity(text.len() + 2);
        text::quote(text, &mut out);
        Self::trusted(out.into())
    }

    /// The number `integer`.
    pub fn integer(integer: u64) -> Self {
        let mut out = Vec::with_capacity(text::MAX_DECIMAL);
        text::decimal(integer, &mut out);
        Self::trusted(out.into())
    }

    /// The value `null`.
    pub fn null() -> Self {
        Self::trusted(Bytes::from_static(b"null"))
    }

    /// The array of `elements`, each verbatim.
    pub fn array<'a>(elements: impl IntoIterator<Item = &'a Json>) -> Self {
        let mut out = vec![b'['];
        for element in elements {
            if out.len() > 1 {
                out.push(b',');
            }
            out.extend_from_slice(element.bytes());
        }
        out.push(b']');
        Self::trusted(out.into())
    }

    /// The object of `members` in the given order, each value verbatim. The keys should differ.
    pub fn object<'a>(members: impl IntoIterator<Item = (&'a str, &'a Json)>) -> Self {
        let mut out = vec![b'{'];
        for (key, value) in members {
            if out.len() > 1 {
                out.push(b',');
            }
            text::quote(key, &mut out);
            out.push(b':');
            out.extend_from_slice(value.bytes());
        }
        out.push(b'}');
        Self::trusted(out.into())
    }

    /// A text that the caller has put together from values, and so knows to be one value without whitespace around it;
    /// only debug builds check.
    pub(crate) fn composed(text: Vec<u8>) -> Self {
        let json = Self::trusted(text.into());
        debug_assert!(json.is_whole(), "the text is not one value");
        json
    }

    /// The value at `range` of the text, where the caller has put or seen one; only debug builds check.
    ///
    /// # Panics
    /// If the range is not within the text.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        let part = Self::scanned(self.bytes().slice(range), self.runs());
        debug_assert!(part.is_whole(), "the part is not one value");
        part
    }

    fn is_whole(&self) -> bool {
        scan::whole(self.bytes()).is_ok_and(|(value, _)| value.range() == (0..self.bytes().len()))
    }

    /// Bytes that the caller knows to be a value.
    pub(super) fn trusted(text: Bytes) -> Self {
        Self(Text::Short(text))
    }

    /// A value out of a text that has these runs.
    #[inline]
    pub(super) fn scanned(text: Bytes, runs: &Runs) -> Self {
        match runs.for_part(text.len()) {
            Some(runs) => Self(Text::Long(Box::new(Long { text, runs }))),
            None => Self::trusted(text),
        }
    }

    #[inline]
    fn bytes(&self) -> &Bytes {
        match &self.0 {
            Text::Short(text) => text,
            Text::Long(long) => &long.text,
        }
    }

    #[inline]
    fn runs(&self) -> &Runs {
        match &self.0 {
            Text::Short(_) => Runs::NONE,
            Text::Long(long) => &long.runs,
        }
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes()
    }

    /// The text, without a copy.
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Text::Short(text) => text,
            Text::Long(long) => long.text,
        }
    }

    /// Length of the text in bytes; never 0.
    #[allow(clippy::len_without_is_empty, reason = "no JSON text is empty")]
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Decodes the value; deep nesting and lone surrogates are refused here, not at parsing.
    pub fn decode<'a, T: Deserialize<'a>>(&'a self) -> Result<T, WireError> {
        serde_json::from_slice(self.bytes()).map_err(|error| WireError::Shape {
            detail: error.to_string(),
        })
    }

    /// What the value is.
    pub fn kind(&self) -> JsonKind {
        JsonKind::of(self.bytes())
    }

    /// The decoded string, if the value is one; a lone surrogate reads as U+FFFD.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        text::decode(self.bytes())
    }

    /// The member `key`, the last one if there are several; `None` if there is none or the value is no object.
    pub fn get(&self, key: &str) -> Option<Self> {
        let mut found = None;
        for member in Members::of_any(self.bytes(), self.runs()) {
            if member.key.is(self.bytes(), key) {
                found = Some(member.value);
            }
        }
        Some(self.slice(found?))
    }

    /// All members in order, duplicates too; `None` if the value is no object.
    pub fn members(&self) -> Option<Vec<(Cow<'_, str>, Self)>> {
        let read = |member: Member| (member.key.decode(self.bytes()), self.slice(member.value));
        Some(self.walk()?.map(read).collect())
    }

    /// Each member in order, duplicates too, without a look at its value; none if the value is no object.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        Members::of_any(self.bytes(), self.runs()).map(|member| Entry {
            object: self,
            member,
        })
    }

    /// Whether the value is an object without members.
    pub fn is_empty_object(&self) -> bool {
        self.walk()
            .is_some_and(|mut members| members.next().is_none())
    }

    /// All elements in order; `None` if the value is no array.
    pub fn elements(&self) -> Option<Vec<Self>> {
        let elements = Elements::of(self.bytes(), self.runs())?;
        Some(elements.map(|element| self.slice(element)).collect())
    }

    /// The same value in memory of its own, so that a small slice cannot pin a big frame.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self::trusted(Bytes::copy_from_slice(self.bytes()))
    }

    /// The members; `None` if the value is no object.
    pub(super) fn walk(&self) -> Option<Members<'_>> {
        Members::of(self.bytes(), self.runs())
    }

    /// The value at this place.
    pub(super) fn slice(&self, span: Span) -> Self {
        Self::scanned(self.bytes().slice(span.range()), self.runs())
    }
}

impl<'a> Entry<'a> {
    /// The decoded key in UTF-8; a lone surrogate reads as U+FFFD.
    pub fn key(&self) -> Cow<'a, [u8]> {
        self.member.key.bytes(self.object.bytes())
    }

    /// The value.
    pub fn value(&self) -> Json {
        self.object.slice(self.member.value)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.bytes()))
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Verbatim inside of anything that `serde_json` writes as text.
impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_slice(self.bytes())
            .map_err(<S::Error as serde::ser::Error>::custom)?;
        raw.serialize(serializer)
    }
}

/// Verbatim out of anything that `serde_json` reads; not under `flatten` or `untagged`, and `Option<Json>` takes `null` for none.
impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: Box<str> = Box::<RawValue>::deserialize(deserializer)?.into();
        Ok(Self::trusted(raw.into_boxed_bytes().into()))
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
