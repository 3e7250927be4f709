//! Replacing members of an object without touching the rest of it.

use std::borrow::Cow;

use bytes::Bytes;

use super::scan::Member;
use super::text;
use super::{Json, JsonKind};

/// Edits to the members of one JSON object; see [`Splice::finish`] for what becomes of the bytes.
#[derive(Clone, Debug)]
pub struct Splice {
    object: Json,
    edits: Vec<Edit>,
}

#[derive(Clone, Debug)]
struct Edit {
    key: Cow<'static, str>,
    /// The new value; `None` removes.
    value: Option<Json>,
}

impl Splice {
    /// Starts with no edits; `None` if the value is no object.
    pub fn new(object: &Json) -> Option<Self> {
        let is_object = object.kind() == JsonKind::Object;
        is_object.then(|| Self {
            object: object.clone(),
            edits: Vec::new(),
        })
    }

    /// Gives `key` the value `value`: in the place of its first occurrence, else behind the last member.
    /// Further occurrences are removed, however they are escaped.
    pub fn set(&mut self, key: impl Into<Cow<'static, str>>, value: Json) -> &mut Self {
        self.edit(key.into(), Some(value))
    }

    /// Removes every occurrence of `key`.
    pub fn remove(&mut self, key: impl Into<Cow<'static, str>>) -> &mut Self {
        self.edit(key.into(), None)
    }

    /// The edited object. All bytes of members that were not named stay, whitespace too; if nothing changes, it is the same slice.
    pub fn finish(&self) -> Json {
        if self.edits.is_empty() {
            return self.object.clone();
        }
        let named = |member: &Member| self.edits.iter().any(|edit| self.is(member, edit));
        let adds = self.edits.iter().any(|edit| edit.value.is_some());
        let mut members = self.object.walk().into_iter().flatten();
        if !adds && !members.any(|member| named(&member)) {
            return self.object.clone();
        }
        let mut weaver = Weaver::new(self.object.as_bytes(), self.added());
        let mut placed = vec![false; self.edits.len()];
        for member in self.object.walk().into_iter().flatten() {
            self.weave(&mut weaver, &mut placed, &member);
        }
        for (edit, placed) in self.edits.iter().zip(placed) {
            if let (Some(value), false) = (&edit.value, placed) {
                weaver.append(&edit.key, value);
            }
        }
        weaver
            .finish()
            .map_or_else(|| self.object.clone(), Json::trusted)
    }

    fn weave(&self, weaver: &mut Weaver<'_>, placed: &mut [bool], member: &Member) {
        let Some(index) = self.edits.iter().position(|edit| self.is(member, edit)) else {
            return weaver.keep(member);
        };
        match &self.edits[index].value {
            Some(value) if !placed[index] => {
                placed[index] = true;
                weaver.replace(member, value);
            }
            _ => weaver.drop(member),
        }
    }

    fn is(&self, member: &Member, edit: &Edit) -> bool {
        member.key.is(self.object.as_bytes(), &edit.key)
    }

    fn edit(&mut self, key: Cow<'static, str>, value: Option<Json>) -> &mut Self {
        match self.edits.iter_mut().find(|edit| edit.key == key) {
            Some(edit) => edit.value = value,
            None => self.edits.push(Edit { key, value }),
        }
        self
    }

    /// The most bytes that the edits can add.
    fn added(&self) -> usize {
        let size = |edit: &Edit| {
            edit.value
                .as_ref()
                .map_or(0, |value| value.len() + edit.key.len() + 4)
        };
        self.edits.iter().map(size).sum()
    }
}

/// Copies an object, in runs as long as the edits allow.
struct Weaver<'a> {
    object: &'a [u8],
    out: Vec<u8>,
    /// Up to here the object is dealt with: copied or left out.
    done: usize,
    /// End of the last member seen, or the byte behind the opening bracket.
    seen: usize,
    /// Whether the result has a member yet.
    occupied: bool,
    changed: bool,
}

impl<'a> Weaver<'a> {
    fn new(object: &'a [u8], added: usize) -> Self {
        let out = Vec::with_capacity(object.len() + added);
        Self {
            object,
            out,
            done: 0,
            seen: 1,
            occupied: false,
            changed: false,
        }
    }

    fn keep(&mut self, member: &Member) {
        if !self.occupied && self.changed {
            // Members before this one are gone, and so is the comma after them.
            self.done = member.start;
        }
        self.occupied = true;
        self.seen = member.value.end;
    }

    fn replace(&mut self, member: &Member, value: &Json) {
        self.keep(member);
        self.copy_to(member.value.start);
        self.out.extend_from_slice(value.as_bytes());
        self.done = member.value.end;
        self.changed = true;
    }

    fn drop(&mut self, member: &Member) {
        if self.occupied {
            self.copy_to(self.seen);
        } else if !self.changed {
            self.copy_to(member.start);
        }
        self.done = member.value.end;
        self.seen = member.value.end;
        self.changed = true;
    }

    fn append(&mut self, key: &str, value: &Json) {
        self.copy_to(self.seen);
        if self.occupied {
            self.out.push(b',');
        }
        text::quote(key, &mut self.out);
        self.out.push(b':');
        self.out.extend_from_slice(value.as_bytes());
        self.occupied = true;
        self.changed = true;
    }

    fn copy_to(&mut self, end: usize) {
        self.out.extend_from_slice(&self.object[self.done..end]);
        self.done = end;
    }

    /// The result; `None` if it is the object itself.
    fn finish(mut self) -> Option<Bytes> {
        self.copy_to(self.object.len());
        self.changed.then(|| self.out.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Applies edits such as `("name", Some("1"))` and compares the whole text.
    #[track_caller]
    fn check(object: &'static str, edits: &[(&'static str, Option<&'static str>)], expected: &str) {
        let mut splice = Splice::new(&Json::from_static(object)).unwrap();
        for (key, value) in edits {
            match value {
                Some(value) => splice.set(*key, Json::from_static(value)),
                None => splice.remove(*key),
            };
        }
        let result = splice.finish();
        assert_eq!(result.to_string(), expected);
        assert_eq!(Json::parse(result.clone().into_bytes()), Ok(result));
    }

    #[test]
    fn a_value_is_replaced_in_place() {
        check(
            "{ \"a\" : 1e400 ,\n\"name\" :\t\"old\" , \"z\": [ 1 ] }",
            &[("name", Some("\"new\""))],
            "{ \"a\" : 1e400 ,\n\"name\" :\t\"new\" , \"z\": [ 1 ] }",
        );
    }

    #[test]
    fn an_escaped_key_is_the_key_it_decodes_to() {
        check(
            r#"{"n\u0061me":1}"#,
            &[("name", Some("2"))],
            r#"{"n\u0061me":2}"#,
        );
        check(r#"{"n\u0061me":1}"#, &[("name", None)], "{}");
    }

    #[test]
    fn only_the_outer_members_are_touched() {
        check(
            r#"{"arguments":{"name":"decoy"},"name":"a"}"#,
            &[("name", Some("2"))],
            r#"{"arguments":{"name":"decoy"},"name":2}"#,
        );
    }

    #[test]
    fn an_absent_key_is_appended() {
        check("{ }", &[("a", Some("1"))], r#"{"a":1 }"#);
        check(
            "{\"x\":0\n}",
            &[("a\"", Some("1")), ("b", Some("2"))],
            "{\"x\":0,\"a\\\"\":1,\"b\":2\n}",
        );
    }

    #[test]
    fn duplicates_of_an_edited_key_go() {
        let object = r#"{"name":1, "x":0, "n\u0061me":2, "name":3}"#;
        check(object, &[("name", Some("9"))], r#"{"name":9, "x":0}"#);
        check(object, &[("name", None)], r#"{"x":0}"#);
    }

    #[test]
    fn members_are_removed_with_their_commas() {
        let object = "{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }";
        check(object, &[("a", None)], "{ \"b\" : 2 , \"c\" : 3 }");
        check(object, &[("b", None)], "{ \"a\" : 1 , \"c\" : 3 }");
        check(object, &[("c", None)], "{ \"a\" : 1 , \"b\" : 2 }");
        check(object, &[("a", None), ("b", None)], "{ \"c\" : 3 }");
        check(
            object,
            &[("a", None), ("c", Some("9"))],
            "{ \"b\" : 2 , \"c\" : 9 }",
        );
        check(object, &[("a", None), ("b", None), ("c", None)], "{  }");
        check(
            object,
            &[("a", None), ("b", None), ("c", None), ("d", Some("4"))],
            "{ \"d\":4 }",
        );
    }

    #[test]
    fn the_last_edit_of_a_key_counts() {
        check(
            r#"{"a":1}"#,
            &[("a", Some("2")), ("a", Some("3"))],
            r#"{"a":3}"#,
        );
        check(r#"{"a":1}"#, &[("a", Some("2")), ("a", None)], "{}");
        check(r#"{"a":1}"#, &[("a", None), ("a", Some("2"))], r#"{"a":2}"#);
    }

    #[test]
    fn no_change_is_the_same_slice() {
        let object = Json::from_static(r#"{"a":1}"#);
        let mut splice = Splice::new(&object).unwrap();
        assert_eq!(
            splice.finish().as_bytes().as_ptr(),
            object.as_bytes().as_ptr()
        );
        splice.remove("absent");
        assert_eq!(
            splice.finish().as_bytes().as_ptr(),
            object.as_bytes().as_ptr()
        );
    }

    #[test]
    fn only_objects_can_be_spliced() {
        for text in ["[]", "null", "1", "\"{}\""] {
            assert!(Splice::new(&Json::from_static(text)).is_none());
        }
    }
}
