//! The rmcp client. It takes operations as they are written, so that it decodes what it sends as well.

use std::time::{Duration, Instant};

use rmcp::model::{ClientRequest, ProtocolVersion, ServerResult};
use rmcp::service::{ClientServiceExt as _, RoleClient, RunningService, ServiceError};
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientLifecycleMode, Peer};
use serde::Serialize;
use serde_json::{Value, json};

use crate::lists::LISTS;
use crate::session::{Answers, Era, Operation, Session, Target};

/// How long the lists of a mux may take to become complete.
const SETTLE: Duration = Duration::from_secs(90);
/// How often they are looked at meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the sessions one after the other.
pub(crate) fn drive(sessions: &[Session]) -> Result<Answers, String> {
    // reqwest comes without one; a second call changes nothing, and says so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let mut answers = Answers::default();
    for session in sessions {
        if let Err(error) = runtime.block_on(run(session, &mut answers)) {
            answers.note(json!({ "session": session.id, "exception": error }));
        }
    }
    Ok(answers)
}

async fn run(session: &Session, answers: &mut Answers) -> Result<(), String> {
    let client = connect(session).await?;
    for operation in &session.operations {
        let mut line = match perform(client.peer(), operation).await {
            Ok(result) => json!({ "result": result }),
            Err(ServiceError::McpError(error)) => json!({ "error": value(&error)? }),
            Err(error) => json!({ "exception": error.to_string() }),
        };
        line["session"] = json!(session.id);
        line["operation"] = json!(operation.id);
        answers.note(line);
    }
    client.cancel().await.map_err(|error| error.to_string())?;
    Ok(())
}

async fn connect(session: &Session) -> Result<RunningService<RoleClient, ()>, String> {
    let modern = || vec![ProtocolVersion::V_2026_07_28];
    let lifecycle = match session.era {
        Era::Legacy => ClientLifecycleMode::Initialize,
        Era::Modern => ClientLifecycleMode::Discover {
            preferred_versions: modern(),
        },
        Era::Auto => ClientLifecycleMode::Auto {
            preferred_versions: modern(),
            legacy_version: None,
        },
    };
    let connected = match &session.target {
        Target::Http(url) => {
            let transport = StreamableHttpClientTransport::from_uri(url.as_str());
            ().serve_with_lifecycle(transport, lifecycle).await
        }
        Target::Sse(_) | Target::Ws(_) => return Err("rmcp has no such transport".to_owned()),
        Target::Stdio(words) => {
            let mut command = tokio::process::Command::new(&words[0]);
            command.args(&words[1..]);
            let quiet = TokioChildProcess::builder(command)
                .stderr(std::process::Stdio::null())
                .spawn();
            let (transport, _) = quiet.map_err(|error| error.to_string())?;
            ().serve_with_lifecycle(transport, lifecycle).await
        }
    };
    connected.map_err(|error| error.to_string())
}

/// One operation.
async fn perform(peer: &Peer<RoleClient>, operation: &Operation) -> Result<Value, ServiceError> {
    let params = operation.params.clone();
    match operation.method.as_str() {
        "server" => Ok(peer.peer_info().map_or(
            Value::Null,
            |info| json!({ "revision": info.protocol_version, "capabilities": info.capabilities }),
        )),
        "settle" => settle(peer, &params.unwrap_or_default()).await,
        method if method.ends_with("/list") => walk(peer, method).await,
        method => ask(peer, method, params).await,
    }
}

/// All pages of a list as one.
async fn walk(peer: &Peer<RoleClient>, method: &str) -> Result<Value, ServiceError> {
    let mut cursor = None::<Value>;
    let mut entries = Vec::new();
    loop {
        let params = cursor.as_ref().map(|cursor| json!({ "cursor": cursor }));
        let mut page = ask(peer, method, params).await?;
        let page = page
            .as_object_mut()
            .ok_or(ServiceError::UnexpectedResponse)?;
        cursor = page.remove("nextCursor");
        let member = page.iter().find(|(_, value)| value.is_array());
        let (member, more) = member.ok_or(ServiceError::UnexpectedResponse)?;
        entries.extend(more.as_array().into_iter().flatten().cloned());
        if cursor.is_none() {
            return Ok(json!({ (member.clone()): entries }));
        }
    }
}

/// Waits until the lists have all that is wanted, named by its key; returns what they lack in the end.
async fn settle(peer: &Peer<RoleClient>, wanted: &Value) -> Result<Value, ServiceError> {
    let until = Instant::now() + SETTLE;
    loop {
        let mut lacking = json!({});
        for list in LISTS {
            let there = walk(peer, list.method).await?;
            let there = there[list.member].as_array().into_iter().flatten();
            let there: Vec<_> = there.map(|entry| &entry[list.key]).collect();
            let keys = wanted[list.method].as_array().into_iter().flatten();
            let lack: Vec<_> = keys.filter(|key| !there.contains(key)).collect();
            if !lack.is_empty() {
                lacking[list.method] = json!(lack);
            }
        }
        if lacking == json!({}) || Instant::now() > until {
            return Ok(lacking);
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn ask(
    peer: &Peer<RoleClient>,
    method: &str,
    params: Option<Value>,
) -> Result<Value, ServiceError> {
    let mut request = json!({ "method": method });
    if let Some(params) = params {
        request["params"] = params;
    }
    let request: ClientRequest =
        serde_json::from_str(&request.to_string()).map_err(|_| ServiceError::UnexpectedResponse)?;
    let result: ServerResult = peer.send_request(request).await?;
    value(&result).map_err(|_| ServiceError::UnexpectedResponse)
}

fn value<T: Serialize>(from: &T) -> Result<Value, String> {
    serde_json::to_value(from).map_err(|error| error.to_string())
}
