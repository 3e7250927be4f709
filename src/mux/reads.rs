//! `resources/read` and its like: whom to ask for a URI, and URIs in what servers answer.

use std::sync::{Arc, LazyLock};

use memchr::memmem::Finder;

use crate::catalog::{Catalog, Route, UriRoute};
use crate::protocol::{Kind, Method, OriginalName, ServerName};
use crate::upstream::{Step, UpstreamError};
use crate::wire::Json;

use super::call::Call;
use super::error::{CallError, Unknown};
use super::forward::{Repeatable, Running, outgoing, start, text};
use super::hub::{Begun, Mux};
use super::rewrite::with_public_uris;

/// How many servers are asked for a URI that nobody lists.
const MAX_ASKED: usize = 16;
/// What results with links have in them.
static LINK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("resource_link"));
/// How long a result may be to be searched for links.
const MAX_SEARCHED: usize = 1024 * 1024;

/// Whom a URI belongs to: who lists it, whose template it fits, who gave out a link to it, who alone owns its scheme;
/// else those that may know it are asked one after the other.
pub(super) async fn read(hub: &Mux, call: &Arc<Call>) -> Result<Begun, CallError> {
    let uri = text(call.read.uri.as_ref(), "uri")?;
    let catalog = hub.listed(|catalog| is_listed(catalog, &uri)).await;
    let leads = catalog.resolve_uri(&uri);
    // The folder of a skill says more than a template or a scheme.
    let skill = match leads {
        UriRoute::Exact(_) => None,
        _ => hub.skills.route(&uri),
    };
    if let Some(route) = skill
        && catalog.may_read(&route.server, route.original.as_str())
    {
        return ask(hub, call, &uri, &route).await;
    }
    let owners = match leads {
        UriRoute::Exact(route) => {
            return ask(hub, call, &uri, route).await;
        }
        UriRoute::Template(route) => {
            return ask(hub, call, &uri, &route).await;
        }
        UriRoute::Denied => Vec::new(),
        UriRoute::Owners(owners) => match hub.links.owner(&uri) {
            Some(server) if catalog.may_read(&server, &uri) => vec![server],
            _ => owners,
        },
    };
    let mut answer = Err(CallError::Unknown(Unknown {
        kind: Kind::Resource,
        suggestion: catalog.suggest(Kind::Resource, &uri).cloned(),
        name: uri.clone().into_owned(),
    }));
    let last = owners.len().min(MAX_ASKED).saturating_sub(1);
    for (index, server) in owners.iter().take(MAX_ASKED).enumerate() {
        let route = Route {
            server: server.clone(),
            original: OriginalName::new(uri.as_ref()),
        };
        let asked = ask(hub, call, &uri, &route).await;
        if index == last {
            return asked;
        }
        match asked {
            Ok(Begun::Running(running)) => match found(*running).await {
                Ok(running) => return Ok(Begun::Running(Box::new(running))),
                Err(error) => answer = Err(error),
            },
            Ok(kept) => return Ok(kept),
            Err(error) => answer = Err(error),
        }
    }
    answer
}

/// Gives what was kept of an earlier read, else asks the server.
async fn ask(hub: &Mux, call: &Arc<Call>, uri: &str, route: &Route) -> Result<Begun, CallError> {
    let Route { server, original } = route;
    let ticket = hub.cache.ticket(call, server, original);
    if let Some(mut said) = ticket.as_ref().and_then(|ticket| hub.cache.get(ticket)) {
        said.json = hub.with_public_uris(server, &call.method, said.json);
        return Ok(Begun::Done(said));
    }
    let outgoing = outgoing(call, "uri", uri, original);
    let mut running = start(hub, call, server, outgoing, Repeatable::Yes).await?;
    running.ticket = ticket;
    Ok(Begun::Running(Box::new(running)))
}

/// Whether a URI is somebody's for certain.
pub(super) fn is_listed(catalog: &Catalog, uri: &str) -> bool {
    matches!(
        catalog.resolve_uri(uri),
        UriRoute::Exact(_) | UriRoute::Template(_)
    )
}

/// Waits for a server that may or may not know the URI: one that answers or asks knows it.
async fn found(mut running: Running) -> Result<Running, CallError> {
    let step = tokio::time::timeout_at(running.deadline, async {
        loop {
            match running.errand.step().await {
                Ok(Step::Event(_)) => {}
                other => return other,
            }
        }
    });
    let error = match step.await {
        Ok(Ok(step)) => {
            running.ahead = Some(step);
            return Ok(running);
        }
        Ok(Err(error)) => error,
        Err(_) => UpstreamError::Timeout(running.timeout),
    };
    Err(CallError::of(&running.server, error))
}

impl Mux {
    /// Remembers the links that a result gives out: they need not be in any list.
    pub(super) fn learn_links(&self, server: &ServerName, method: &Method, result: &Json) {
        if !matches!(method, Method::ToolsCall | Method::PromptsGet)
            || result.len() > MAX_SEARCHED
            || LINK.find(result.as_bytes()).is_none()
        {
            return;
        }
        let content = result.get("content");
        for item in content
            .as_ref()
            .and_then(Json::elements)
            .unwrap_or_default()
        {
            let is_link = item
                .get("type")
                .is_some_and(|kind| kind.as_bytes() == b"\"resource_link\"");
            if let Some(uri) = item
                .get("uri")
                .filter(|_| is_link)
                .as_ref()
                .and_then(Json::text)
            {
                self.links.learn(&uri, server);
            }
        }
    }

    /// The result with the server's URIs in their public form, if any of them collided with another's.
    pub(super) fn with_public_uris(
        &self,
        server: &ServerName,
        method: &Method,
        result: Json,
    ) -> Json {
        let catalog = self.catalog.load();
        let rewrites = catalog.uri_rewrites(server);
        if rewrites.is_none() && self.skills.keep_uris() {
            return result;
        }
        let public = |uri: &str| {
            let listed = rewrites.and_then(|rewrites| rewrites.public(uri));
            let listed = listed.map(std::borrow::Cow::into_owned);
            listed.or_else(|| self.skills.public(server, uri))
        };
        with_public_uris(&result, method, &public)
    }
}
