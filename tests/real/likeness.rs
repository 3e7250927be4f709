//! What two legs may differ in, and nothing else: names, the clock, and what separates the eras.

use serde_json::{Map, Value};

use crate::clients::Client;
use crate::lists::public;
use crate::session::Era;

/// Whether the mux had to translate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crossing {
    /// Client and server speak the same: all must be equal.
    None,
    /// A client of the old revisions, a server of the new one.
    OldClient,
    /// A client of the new revision, a server of the old ones.
    NewClient,
}

impl Crossing {
    pub(crate) fn of(client: Era, server: Era) -> Self {
        match (client, server) {
            (Era::Legacy, Era::Modern) => Self::OldClient,
            (Era::Auto | Era::Modern, Era::Legacy) => Self::NewClient,
            _ => Self::None,
        }
    }
}

const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
/// "Not found" before 2026-07-28, and since; which one a client sees is a matter of its revision.
const NOT_FOUND: (i64, i64) = (-32002, -32602);

/// Between whom the results were, which decides what may differ.
#[derive(Clone, Copy)]
pub(crate) struct Likeness<'a> {
    pub(crate) client: Client,
    pub(crate) crossing: Crossing,
    pub(crate) server: &'a str,
}

impl Likeness<'_> {
    /// The line of one operation without what may differ.
    pub(crate) fn line(self, line: &Value) -> Value {
        let mut line = line.clone();
        unclock(&mut line, self.server);
        if self.client == Client::Inspector {
            self.inspected(&mut line);
        }
        if self.crossing == Crossing::None {
            return line;
        }
        if let Some(result) = line.get_mut("result").and_then(Value::as_object_mut) {
            unenvelop(result, self.crossing);
        }
        if let Some(code) = line.pointer_mut("/error/code")
            && *code == NOT_FOUND.0
        {
            *code = NOT_FOUND.1.into();
        }
        if let Some(Value::String(text)) = line.get_mut("exception") {
            *text = text.replace(&NOT_FOUND.0.to_string(), &NOT_FOUND.1.to_string());
        }
        line
    }

    /// The inspector tells the name of a tool that fails, and shows `resultType` only where the server
    /// knows of tasks, which the mux does as soon as one of its servers does.
    fn inspected(self, line: &mut Value) {
        if let Some(Value::String(text)) = line.get_mut("exception") {
            *text = text.replace(&public(self.server, ""), "");
        }
        if let Some(result) = line.get_mut("result").and_then(Value::as_object_mut)
            && result.get("resultType") == Some(&"complete".into())
        {
            result.remove("resultType");
        }
    }

    /// One entry of a list: the inspector takes out what the new revision no longer has.
    pub(crate) fn entry(self, entry: &Value) -> Value {
        let mut entry = entry.clone();
        if self.client == Client::Inspector
            && self.crossing == Crossing::NewClient
            && let Some(members) = entry.as_object_mut()
        {
            members.remove("execution");
        }
        entry
    }
}

/// Removes the members that only results of the new revision have.
fn unenvelop(result: &mut Map<String, Value>, crossing: Crossing) {
    // An old client must not be shown this one, so it is only taken from those that may be.
    if crossing == Crossing::NewClient && result.get("resultType") == Some(&"complete".into()) {
        result.remove("resultType");
    }
    result.remove("ttlMs");
    result.remove("cacheScope");
    if let Some(Value::Object(meta)) = result.get_mut("_meta") {
        meta.remove(SERVER_INFO);
        if meta.is_empty() {
            result.remove("_meta");
        }
    }
}

/// Hides the time of day that server-everything writes, and today's date in server-time's answers.
fn unclock(value: &mut Value, server: &str) {
    match value {
        Value::String(text) if server == "everything" => {
            if let Some((before, _)) = text.split_once(" created at ") {
                *text = format!("{before} created at …");
            }
        }
        Value::String(text) if server == "time" => *text = undate(text),
        Value::Array(items) => items.iter_mut().for_each(|item| unclock(item, server)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|inner| unclock(inner, server)),
        _ => {}
    }
}

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// Every `YYYY-MM-DDT` and every day of the week replaced.
fn undate(text: &str) -> String {
    let mut text = text.to_owned();
    for day in DAYS {
        text = text.replace(day, "DAY");
    }
    let is_date = |piece: &[u8]| {
        let digit = |at: usize| piece[at].is_ascii_digit();
        piece[4] == b'-' && piece[7] == b'-' && [0, 1, 2, 3, 5, 6, 8, 9].into_iter().all(digit)
    };
    while let Some(at) = text.as_bytes().windows(10).position(is_date) {
        text.replace_range(at..at + 10, "DATE");
    }
    text
}
