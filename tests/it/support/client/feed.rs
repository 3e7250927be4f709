//! Notifications that belong to no request, wherever they come.

use serde_json::json;

use super::exchange::next_message;
use super::{Client, Exchange, Link};
use crate::support::msg::Owner;
use crate::support::{Era, Msg, Response};

/// Where unasked notifications arrive.
pub(crate) enum Feed<'c> {
    Link(&'c Client),
    Get(Box<Response>),
    Listen(Box<Exchange<'c>>),
}

impl<'c> Feed<'c> {
    #[track_caller]
    pub(super) fn open(client: &'c Client) -> Self {
        match (client.era, &client.link) {
            (Era::Legacy, Link::Stdio(_)) => Self::Link(client),
            (Era::Legacy, Link::Http { .. }) => {
                let stream = client.get_stream();
                assert_eq!(stream.status(), 200, "for a GET stream");
                Self::Get(Box::new(stream))
            }
            (Era::Modern, _) => {
                let all = json!({
                    "toolsListChanged": true,
                    "promptsListChanged": true,
                    "resourcesListChanged": true,
                });
                let ask = client.ask("subscriptions/listen");
                let mut listen = ask.member("notifications", &all.to_string()).send();
                let first = listen.next();
                assert_eq!(first.method(), "notifications/subscriptions/acknowledged");
                Self::Listen(Box::new(listen))
            }
        }
    }

    /// The next notification.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Msg {
        match self {
            Self::Link(client) => client.stdio().take("a notification", |msg| {
                !msg.is_response() && !matches!(msg.owner(), Owner::Token(_))
            }),
            Self::Get(response) => next_message(response).expect("a notification"),
            Self::Listen(exchange) => exchange.next(),
        }
    }
}
