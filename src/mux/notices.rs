//! What subscribers are told, and what they want to be told.

use std::collections::BTreeSet;

use crate::protocol::Kind;
use crate::upstream::RootsWanted;
use crate::wire::Json;

use super::call::Caller;

/// What a subscriber wants to know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Changes of these lists; those of templates come with those of resources.
    pub lists: BTreeSet<Kind>,
    /// Log messages that belong to no call.
    pub logs: Logs,
    /// What concerns this caller alone: changes of all its tasks, visits of URLs that it was asked for.
    pub caller: Option<Caller>,
    /// Whether it can be asked for its roots outside calls.
    pub roots: Roots,
}

/// Whether a subscriber tells its roots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// It does not, or has none.
    #[default]
    Untold,
    /// It does.
    Told,
}

/// Whether a subscriber takes log messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Logs {
    /// It does not.
    #[default]
    Unwanted,
    /// It does.
    Wanted,
}

/// Something that happened.
#[derive(Debug)]
pub enum Notice {
    /// A list is different now.
    ListChanged(Kind),
    /// A resource, by its public URI, is different now.
    Updated(String),
    /// A server said something: the params of a `notifications/message`.
    Log(Json),
    /// A server wants to know the caller's roots.
    RootsWanted(RootsWanted),
    /// A task changed its state: the params of the notification.
    Task(Json),
    /// A URL that the caller was asked for has been visited: the params of the notification.
    Visited(Json),
}
