//! A connection, as long as its requests are usual.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{StatusCode, Version};

use super::super::alike::{Alike, Ends};
use super::super::http_server::{HttpRequest, HttpService, ServeOptions, handled};
use super::super::idle::Activity;
use super::super::listener::Accepted;
use super::super::patience::Patience;
use super::super::reply::HttpReply;
use super::head::Head;
use super::reply::After;
use super::wire::{NoBody, Wire};

/// A connection that carries usual requests.
pub(in crate::transport) struct Usual<'a, S> {
    pub(in crate::transport) service: &'a S,
    pub(in crate::transport) options: &'a ServeOptions,
    pub(in crate::transport) peer: Option<SocketAddr>,
    pub(in crate::transport) activity: &'a Arc<Activity>,
}

/// A connection with a request that is not usual, of which this much has been read.
pub(in crate::transport) type Unusual = (Bytes, Patience<Accepted>);

/// The request that came last, for the next one to begin alike.
struct Known {
    head: Alike,
    request: HttpRequest,
}

impl<S: HttpService> Usual<'_, S> {
    /// Answers requests until the client has gone, or the connection is to end. `Some`: until one is not usual.
    pub(in crate::transport) async fn serve(&self, io: Patience<Accepted>) -> Option<Unusual> {
        let mut wire = Wire::new(io);
        let mut known = None;
        loop {
            let read = wire.read().await?;
            let Some((request, ends)) = self.request(&mut known, &read) else {
                return Some((read, wire.into_inner()));
            };
            let busy = self.activity.begin(Version::HTTP_11);
            let (reply, mut after) = self.answer(&mut wire, request, read, ends).await?;
            if self.activity.is_ending() {
                after = After::Nothing;
            }
            wire.answer(reply, after).await?;
            drop(busy);
            if after == After::Nothing {
                return None;
            }
        }
    }

    /// The request that begins here, without its body, if it is usual and allowed. What was made of the head of the last one
    /// serves again where that is the same: 6 000 instructions less.
    fn request<'k>(
        &self,
        known: &'k mut Option<Known>,
        read: &[u8],
    ) -> Option<(&'k mut HttpRequest, Ends)> {
        let again = |known: &Known| known.head.again(read);
        let mut ends = known.as_ref().and_then(again);
        if ends.is_none() {
            *known = Some(self.learn(read)?);
            ends = known.as_ref().and_then(again);
        }
        let ends = ends.filter(|ends| ends.body <= self.options.max_body)?;
        Some((&mut known.as_mut()?.request, ends))
    }

    fn learn(&self, read: &[u8]) -> Option<Known> {
        let head = Head::usual(read)?;
        let request = HttpRequest {
            method: head.method,
            target: head.target,
            headers: head.headers,
            body: Bytes::new(),
            peer: self.peer,
            upgrade: None,
        };
        let allowed = &self.options.allowed;
        allowed.check(&request.target, &request.headers).ok()?;
        Some(Known {
            head: head.text,
            request,
        })
    }

    /// Reads the body and asks the service. All that was read is let go of before the answer is sent, so that it can be
    /// read to again. `None`: the client has gone.
    async fn answer(
        &self,
        wire: &mut Wire,
        request: &mut HttpRequest,
        read: Bytes,
        ends: Ends,
    ) -> Option<(HttpReply, After)> {
        let begun = read.slice(ends.head..);
        drop(read);
        let pause = self.options.body_timeout;
        request.body = match wire.body(begun, ends.body, pause).await {
            Ok(body) => body,
            Err(NoBody::Gone) => return None,
            Err(NoBody::Late) => {
                let late = HttpReply::empty(StatusCode::REQUEST_TIMEOUT);
                return Some((late, After::Nothing));
            }
        };
        let reply = wire.unless_gone(handled(self.service, request)).await?;
        request.body = Bytes::new();
        Some((reply, After::More))
    }
}
