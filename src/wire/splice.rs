//! Replacing members of an object without touching the rest of it.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::Json;
use super::pieces::Sink;
use super::span::Member;
use super::text;

/// How many members of an object are noted without memory of their own: as many as params, results and `_meta` have.
const USUAL: usize = 5;

/// Edits to the members of one JSON object; see [`Splice::finish`] for what becomes of the bytes.
///
/// The object is walked once, at the start; edits and [`Splice::get`] go by what was noted then.
#[derive(Clone, Debug)]
pub struct Splice {
    object: Json,
    members: SmallVec<[(Member, Fate); USUAL]>,
    /// What comes behind the last member.
    added: Vec<(Cow<'static, str>, Json)>,
}

/// What becomes of a member.
#[derive(Clone, Debug, PartialEq)]
enum Fate {
    Stays,
    Goes,
    Becomes(Json),
}

impl Splice {
    /// Starts with no edits; `None` if the value is no object.
    pub fn new(object: &Json) -> Option<Self> {
        let mut members = SmallVec::new();
        for member in object.walk()? {
            members.push((member, Fate::Stays));
        }
        Some(Self {
            object: object.clone(),
            members,
            added: Vec::new(),
        })
    }

    /// The member `key` as it was before all edits, the last one if there are several.
    pub fn get(&self, key: &str) -> Option<Json> {
        let text = self.object.as_bytes();
        let mut members = self.members.iter().rev();
        let (member, _) = members.find(|(member, _)| member.key.is(text, key))?;
        Some(self.object.slice(member.value))
    }

    /// Gives `key` the value `value`: in the place of its first occurrence, else behind the last member.
    /// Further occurrences are removed, however they are escaped.
    pub fn set(&mut self, key: impl Into<Cow<'static, str>>, value: Json) -> &mut Self {
        let key = key.into();
        let text = self.object.as_bytes();
        let mut value = Some(value);
        for (member, fate) in &mut self.members {
            if member.key.is(text, &key) {
                *fate = match value.take() {
                    Some(same) if same.as_bytes() == &text[member.value.range()] => Fate::Stays,
                    Some(value) => Fate::Becomes(value),
                    None => Fate::Goes,
                };
            }
        }
        if let Some(value) = value {
            match self.added.iter_mut().find(|(added, _)| *added == key) {
                Some((_, added)) => *added = value,
                None => self.added.push((key, value)),
            }
        }
        self
    }

    /// Removes every occurrence of `key`.
    pub fn remove(&mut self, key: &str) -> &mut Self {
        let text = self.object.as_bytes();
        for (member, fate) in &mut self.members {
            if member.key.is(text, key) {
                *fate = Fate::Goes;
            }
        }
        self.added.retain(|(added, _)| added != key);
        self
    }

    /// The edited object. All bytes of members that were not named stay, whitespace too; if nothing changes, it is the same slice.
    pub fn finish(&self) -> Json {
        if !self.changes() {
            return self.object.clone();
        }
        let mut out = Vec::with_capacity(self.room());
        self.write(&mut out);
        Json::trusted(out.into())
    }

    /// Whether the edited object is empty.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.members.iter().all(|(_, fate)| *fate == Fate::Goes)
    }

    /// Whether the edited object is another text than the object.
    pub fn changes(&self) -> bool {
        !self.added.is_empty() || self.members.iter().any(|(_, fate)| *fate != Fate::Stays)
    }

    /// Appends the edited object.
    pub(super) fn write(&self, out: &mut impl Sink) {
        let mut weaver = Weaver::new(&self.object, out);
        for (member, fate) in &self.members {
            match fate {
                Fate::Stays => weaver.keep(member),
                Fate::Goes => weaver.drop(member),
                Fate::Becomes(value) => weaver.replace(member, value),
            }
        }
        for (key, value) in &self.added {
            weaver.append(key, value);
        }
        weaver.finish();
    }

    /// At least the length of the edited object, in bytes.
    pub(super) fn room(&self) -> usize {
        let replaced = self.members.iter().map(|(_, fate)| match fate {
            Fate::Becomes(value) => value.len(),
            Fate::Stays | Fate::Goes => 0,
        });
        let added = self.added.iter();
        let added = added.map(|(key, value)| key.len() + value.len() + 4);
        self.object.len() + replaced.sum::<usize>() + added.sum::<usize>()
    }
}

/// Copies an object, in runs as long as the edits allow.
struct Weaver<'a, T> {
    object: &'a Json,
    out: &'a mut T,
    /// Up to here the object is dealt with: copied or left out.
    done: usize,
    /// End of the last member seen, or the byte behind the opening bracket.
    seen: usize,
    /// Whether the result has a member yet.
    occupied: bool,
    changed: bool,
}

impl<'a, T: Sink> Weaver<'a, T> {
    fn new(object: &'a Json, out: &'a mut T) -> Self {
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
            self.done = member.start();
        }
        self.occupied = true;
        self.seen = member.value.end;
    }

    fn replace(&mut self, member: &Member, value: &Json) {
        self.keep(member);
        self.copy_to(member.value.start);
        self.out.part(value, 0..value.len());
        self.done = member.value.end;
        self.changed = true;
    }

    fn drop(&mut self, member: &Member) {
        if self.occupied {
            self.copy_to(self.seen);
        } else if !self.changed {
            self.copy_to(member.start());
        }
        self.done = member.value.end;
        self.seen = member.value.end;
        self.changed = true;
    }

    fn append(&mut self, key: &str, value: &Json) {
        self.copy_to(self.seen);
        let out = self.out.own();
        if self.occupied {
            out.push(b',');
        }
        text::quote(key, out);
        out.push(b':');
        self.out.part(value, 0..value.len());
        self.occupied = true;
        self.changed = true;
    }

    fn copy_to(&mut self, end: usize) {
        self.out.part(self.object, self.done..end);
        self.done = end;
    }

    fn finish(mut self) {
        self.copy_to(self.object.len());
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
                None => splice.remove(key),
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
