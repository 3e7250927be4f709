//! First contact: open the link, find out the era (2026-07-28, "Versioning", and the pages of the transports).

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::timeout;
use tracing::debug;

use crate::config::{ServerConfig, TransportConfig};
use crate::protocol::{
    ClientProfile, Era, Method, ProtocolVersion, RpcError, ServerFeatures, code,
};
use crate::wire::Json;

use super::connection::{Carrier, Connection};
use super::dialect::Dialect;
use super::exchange::Exchange;
use super::legacy::Legacy;
use super::link::{Link, Means};
use super::modern::{self, Modern};
use super::pending::Interest;
use super::{Outgoing, UpstreamError};

/// How long a server may take to answer the probe before the handshake is tried as well.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that answers.
pub(super) struct Contact {
    pub(super) link: Link,
    pub(super) features: ServerFeatures,
    pub(super) version: ProtocolVersion,
}

/// Opens the link and finds out how the server speaks.
pub(super) async fn contact(
    config: &ServerConfig,
    means: &Means,
) -> Result<Contact, UpstreamError> {
    let link = Link::open(config, means).await?;
    let probe_time = PROBE_TIMEOUT.min(config.startup_timeout / 2);
    match find_era(&link.connection, probe_time).await {
        Ok(found) => return Ok(met(link, found)),
        Err(UpstreamError::Lost) if link.is_pipe() => {}
        Err(refused) if is_reason_to_fall_back(&refused) => {
            return fall_back(config, means, refused).await;
        }
        Err(error) => return Err(error),
    }
    // Some old servers end at the first request that is no handshake: give them what they want.
    debug!(upstream = %config.name, "the server ended at the probe; trying the handshake alone");
    drop(link);
    let link = Link::open(config, means).await?;
    match shake_hands(&link.connection).await {
        Ok(found) => Ok(met(link, found)),
        Err(error) => Err(link.last_words(error).await),
    }
}

/// The statuses with which a server of the HTTP+SSE transport refuses a handshake by POST (2025-11-25, "Backwards
/// compatibility"). An error that answers the handshake itself comes from a server that knows how to take it.
fn is_reason_to_fall_back(refused: &UpstreamError) -> bool {
    use UpstreamError::{Denied, Status};
    matches!(refused, Status(status) | Denied { status, .. } if matches!(status, 400 | 404 | 405))
}

/// Looks whether the server behind a URL speaks the older transport. If not, it is what it said first that counts.
async fn fall_back(
    config: &ServerConfig,
    means: &Means,
    refused: UpstreamError,
) -> Result<Contact, UpstreamError> {
    let TransportConfig::Http(http) = &config.transport else {
        return Err(refused);
    };
    let link = match Link::open_sse(http, config, means).await {
        Ok(link) => link,
        Err(error @ UpstreamError::NeedsLogin { .. }) => return Err(error),
        Err(error) => {
            debug!(upstream = %config.name, %error, "the server does not speak HTTP+SSE either");
            return Err(refused);
        }
    };
    let found = shake_hands(&link.connection).await?;
    Ok(met(link, found))
}

fn met(link: Link, (dialect, features, version): Found) -> Contact {
    link.connection.speak(dialect);
    Contact {
        link,
        features,
        version,
    }
}

type Found = (Dialect, ServerFeatures, ProtocolVersion);

/// What an answer to the probe says.
enum Probed {
    /// The server is modern.
    Modern(Box<Found>),
    /// The server wants a handshake.
    Legacy,
    /// The server refused the very revision that it says it speaks.
    Refused,
}

/// Asks `server/discover`; whatever is not a modern answer means a handshake.
async fn find_era(
    connection: &Arc<Connection>,
    probe_time: Duration,
) -> Result<Found, UpstreamError> {
    if let Carrier::Sse(_) = &connection.carrier {
        // A transport that is older than the era.
        return shake_hands(connection).await;
    }
    let mut probe = discover(connection).await?;
    if let Ok(answer) = timeout(probe_time, probe.result()).await {
        return match judge(answer)? {
            Probed::Modern(found) => Ok(*found),
            Probed::Legacy => shake_hands(connection).await,
            Probed::Refused => discover_again(connection).await,
        };
    }
    // Slow to start, perhaps: the late answer to the probe counts as well as that to the handshake.
    let late = async {
        match probe.result().await.map(|result| judge(Ok(result))) {
            Ok(Ok(Probed::Modern(found))) => *found,
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        found = late => Ok(found),
        shaken = shake_hands(connection) => shaken,
    }
}

async fn discover(connection: &Arc<Connection>) -> Result<Box<Exchange>, UpstreamError> {
    let mut probe = ask(connection, Method::Discover, None).await?;
    // A server that does not know the probe would not know its cancellation either.
    probe.let_go();
    Ok(probe)
}

/// "Retry with a version from `supported`" (2026-07-28, "Versioning"): once, with the same one.
async fn discover_again(connection: &Arc<Connection>) -> Result<Found, UpstreamError> {
    let answer = discover(connection).await?.result().await;
    match judge(answer)? {
        Probed::Modern(found) => Ok(*found),
        Probed::Legacy => shake_hands(connection).await,
        Probed::Refused => Err(UpstreamError::Broken(format!(
            "the server refuses revision {}, which it says it speaks",
            modern::version().as_str()
        ))),
    }
}

async fn shake_hands(connection: &Arc<Connection>) -> Result<Found, UpstreamError> {
    let (legacy, features) = Legacy::initialize(connection).await?;
    let version = legacy.version;
    Ok((Dialect::Legacy(legacy), features, version))
}

fn judge(answer: Result<Json, UpstreamError>) -> Result<Probed, UpstreamError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Discovered {
        supported_versions: Vec<String>,
    }
    let ours = modern::version();
    match answer {
        Ok(result) => match result.decode::<Discovered>() {
            Ok(discovered) if knows_ours(&discovered.supported_versions)? => {
                let features = ServerFeatures::read(&result);
                let dialect = Dialect::Modern(Modern::default());
                Ok(Probed::Modern(Box::new((dialect, features, ours))))
            }
            _ => Ok(Probed::Legacy),
        },
        Err(UpstreamError::Answered(error)) => match RpcError::code_of(&error.json) {
            Some(code::UNSUPPORTED_VERSION) => {
                let data = error
                    .json
                    .get("data")
                    .and_then(|data| data.get("supported"));
                let versions: Vec<String> =
                    data.and_then(|list| list.decode().ok()).unwrap_or_default();
                Ok(if knows_ours(&versions)? {
                    Probed::Refused
                } else {
                    Probed::Legacy
                })
            }
            Some(code::HEADER_MISMATCH | code::MISSING_CAPABILITY) => Err(UpstreamError::Broken(
                format!("the server refused the probe: {}", error.json),
            )),
            _ => Ok(Probed::Legacy),
        },
        // A refusal without a modern error body is how legacy servers answer (but a broken or closed door
        // says nothing about the era).
        Err(
            UpstreamError::Status(400..=499)
            | UpstreamError::Denied {
                status: 400..=499, ..
            }
            | UpstreamError::Broken(_),
        ) => Ok(Probed::Legacy),
        Err(other) => Err(other),
    }
}

/// Whether our modern revision is among these. `false`: a legacy one is.
fn knows_ours(versions: &[String]) -> Result<bool, UpstreamError> {
    if versions
        .iter()
        .any(|version| version == modern::version().as_str())
    {
        return Ok(true);
    }
    let knows_legacy = versions
        .iter()
        .any(|version| ProtocolVersion::parse(version).is_some_and(|v| v.era() == Era::Legacy));
    if knows_legacy {
        return Ok(false);
    }
    Err(UpstreamError::Broken(format!(
        "the server speaks only revisions that mcpmux does not know: {}",
        versions.join(", ").escape_debug()
    )))
}

/// The mux as a client, on its own account.
pub(super) fn own_profile() -> Arc<ClientProfile> {
    Arc::new(ClientProfile::mux())
}

/// Sends a request of the mux itself: in the words of the era, or the modern ones before it is known.
pub(super) async fn ask(
    connection: &Arc<Connection>,
    method: Method,
    params: Option<Json>,
) -> Result<Box<Exchange>, UpstreamError> {
    let outgoing = Outgoing::own(method, params, own_profile());
    let unknown = Dialect::Modern(Modern::default());
    let draft = |id| {
        let dialect = connection.dialect().unwrap_or(&unknown);
        dialect.draft(&outgoing, id, &connection.carrier)
    };
    let mut exchange = connection.start(Interest::default(), draft).await?;
    exchange.heard_always();
    Ok(exchange)
}
