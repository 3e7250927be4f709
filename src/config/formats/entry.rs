//! One entry while it is lowered.

use indexmap::IndexMap;

use super::super::place::Place;
use super::super::tree::{Form, Node, Text, Value};
use super::dialect::{Becomes, Rule};
use super::login;

/// The members of an entry, in our own keys.
pub(super) struct Entry {
    place: Place,
    members: IndexMap<String, Node>,
    /// What is said about the login, as members of `auth`.
    login: IndexMap<String, Node>,
}

impl Entry {
    /// Translates the members of an entry.
    pub(super) fn of(place: Place, written: IndexMap<String, Node>, rules: &[Rule]) -> Self {
        let mut entry = Self {
            place,
            members: IndexMap::new(),
            login: IndexMap::new(),
        };
        entry.translate(written, rules);
        entry
    }

    /// The whole entry.
    pub(super) fn into_node(mut self) -> Node {
        self.settle_login();
        Node {
            value: Value::Map(self.members),
            place: self.place,
        }
    }

    /// Where the entry was written.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// What it has under a key of ours; `None` if that is absent or null.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.members.get(key).filter(|node| !node.is_null())
    }

    /// Whether it has a key of ours, be it null.
    pub(super) fn has(&self, key: &str) -> bool {
        self.members.contains_key(key)
    }

    /// Takes out what it has under a key.
    pub(super) fn take(&mut self, key: &str) -> Option<Node> {
        self.members.shift_remove(key)
    }

    /// All values, to change them.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.members.values_mut().chain(self.login.values_mut())
    }

    /// Adds a key of ours unless it is there.
    pub(super) fn put(&mut self, key: &str, node: Node) {
        if self.get(key).is_none() {
            self.set(key, node);
        }
    }

    /// Sets a key of ours.
    pub(super) fn set(&mut self, key: &str, node: Node) {
        self.members.insert(key.to_owned(), node);
    }

    /// Adds a member of one of our sections of rules unless it is there.
    pub(super) fn put_member(&mut self, section: &str, key: &str, node: Node) {
        let place = node.place.clone();
        let Some(whole) = self.members.get_mut(section).filter(|node| !node.is_null()) else {
            let members = IndexMap::from([(key.to_owned(), node)]);
            let whole = Node {
                value: Value::Map(members),
                place,
            };
            return self.set(section, whole);
        };
        // The short form, an array, says what is allowed.
        if whole.list().is_some() {
            let short = std::mem::replace(&mut whole.value, Value::Map(IndexMap::new()));
            let allow = Node {
                value: short,
                place: whole.place.clone(),
            };
            whole.value = Value::Map(IndexMap::from([("allow".to_owned(), allow)]));
        }
        if let Value::Map(members) = &mut whole.value {
            members.entry(key.to_owned()).or_insert(node);
        }
    }

    /// Adds a member of `auth` for a login unless it is there.
    pub(super) fn log_in(&mut self, key: &str, node: Node) {
        self.login.entry(key.to_owned()).or_insert(node);
    }

    /// What is said about the login holds unless there are other credentials.
    fn settle_login(&mut self) {
        let auth = self.members.get_mut("auth");
        if let Some(auth) = auth.filter(|auth| login::of_cursor(auth)) {
            let value = std::mem::replace(&mut auth.value, Value::Null);
            let place = auth.place.clone();
            login::oauth(self, Node { value, place });
        }
        let said = std::mem::take(&mut self.login);
        if let Some(place) = said.values().next().map(|node| node.place.clone())
            && self.get("url").is_some()
            && !self.has_credentials()
        {
            self.put("auth", login::auth(&place, said));
        }
    }

    /// Whether a header says who we are, or a command may say it.
    fn has_credentials(&self) -> bool {
        let mut headers = ["headers", "envHeaders"]
            .into_iter()
            .filter_map(|key| self.get(key)?.map())
            .flat_map(IndexMap::keys);
        self.has("headersHelper") || headers.any(|name| name.eq_ignore_ascii_case("authorization"))
    }

    /// Ours stand as they are, and come first, so that they are stronger.
    fn translate(&mut self, written: IndexMap<String, Node>, rules: &[Rule]) {
        let rule = |key: &str| rules.iter().find(|(theirs, _)| *theirs == key);
        let mut theirs = Vec::new();
        for (key, node) in written {
            match rule(&key) {
                None => {
                    self.members.entry(key).or_insert(node);
                }
                // A key that stays what it is keeps its place among the others.
                Some((_, Becomes::Word(ours, words))) if *ours == key => {
                    self.members.entry(key).or_insert(word(node, words));
                }
                Some((_, becomes)) => theirs.push((key, becomes, node)),
            }
        }
        for (key, becomes, node) in theirs {
            if !node.is_null() {
                self.apply(&key, becomes, node, rules);
            }
        }
    }

    fn apply(&mut self, key: &str, becomes: &Becomes, node: Node, rules: &[Rule]) {
        match becomes {
            Becomes::Nothing => {}
            Becomes::Key(ours) => self.put(ours, node),
            Becomes::Member(section, ours) => self.put_member(section, ours, node),
            Becomes::Millis(ours) => self.put(ours, millis(node)),
            Becomes::Word(ours, words) => self.put(ours, word(node, words)),
            Becomes::Bearer => self.put("auth", bearer(node)),
            Becomes::BearerVariable => self.put("auth", bearer(reference(node))),
            Becomes::Login(said) => login::log_in(self, said, node),
            Becomes::With(translate) => translate(self, node),
            Becomes::Spread => match node.value {
                Value::Map(nested) => self.translate(nested, rules),
                value => self.put(key, Node { value, ..node }),
            },
        }
    }
}

/// An object with these members, all of which stand at one place.
pub(super) fn object<const N: usize>(place: &Place, members: [(&str, Node); N]) -> Node {
    let members = members.map(|(key, node)| (key.to_owned(), node));
    Node {
        value: Value::Map(IndexMap::from(members)),
        place: place.clone(),
    }
}

/// `false`, as if it had been written at this place.
pub(super) fn off(place: &Place) -> Node {
    Node {
        value: Value::Bool(false),
        place: place.clone(),
    }
}

/// A number of milliseconds with its unit.
fn millis(node: Node) -> Node {
    match &node.value {
        Value::Number(digits) => Node::literal(&format!("{digits}ms"), node.place),
        _ => node,
    }
}

/// Our word for theirs; a word without a row stays.
fn word(mut node: Node, words: &[(&str, &str)]) -> Node {
    if let Value::Text(text) = &mut node.value
        && let Some((_, ours)) = words.iter().find(|(theirs, _)| *theirs == text.text)
    {
        (*ours).clone_into(&mut text.text);
    }
    node
}

fn bearer(token: Node) -> Node {
    let place = token.place.clone();
    let kind = Node::literal("bearer", place.clone());
    object(&place, [("type", kind), ("token", token)])
}

/// `${NAME}` for the name of a variable.
pub(super) fn reference(mut node: Node) -> Node {
    if let Value::Text(Text {
        text,
        form: Form::Literal,
    }) = &mut node.value
    {
        *text = format!("${{{text}}}");
    }
    node
}
