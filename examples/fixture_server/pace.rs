//! Tools that take their time: progress, log lines, and a stream that breaks off.

use std::time::Duration;

use rmcp::model::{
    CallToolResult, LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use tokio::time::sleep;

use crate::content;
use crate::fixture::{Fixture, is_modern};
use crate::sessions::OpenStream;

const STEP: Duration = Duration::from_millis(50);

type Context = RequestContext<RoleServer>;

/// Reports `done / total` for each of `steps`, where the client gave a token, and answers.
pub(crate) async fn progress(
    context: &Context,
    steps: impl Iterator<Item = f64>,
    total: f64,
    step: Duration,
) -> Result<CallToolResult, ErrorData> {
    let token = context.meta.get_progress_token();
    for done in steps {
        if let Some(token) = token.clone() {
            let params = ProgressNotificationParam::new(token, done).with_total(total);
            context.peer.notify_progress(params).await.map_err(gone)?;
        }
        sleep(step).await;
    }
    Ok(content::text("The work is done."))
}

/// 0, 50 and 100 of 100, 50 ms apart.
pub(crate) async fn test_progress(context: &Context) -> Result<CallToolResult, ErrorData> {
    progress(context, [0.0, 50.0, 100.0].into_iter(), 100.0, STEP).await
}

/// Logs each line at level info, 50 ms apart, to a client that wants to see them.
pub(crate) async fn log(
    fixture: &Fixture,
    context: &Context,
    lines: &[&str],
) -> Result<CallToolResult, ErrorData> {
    let wanted = if is_modern(context) {
        context.meta.log_level()
    } else {
        Some(fixture.level())
    };
    let visible = wanted.is_some_and(|level| level as u8 <= LoggingLevel::Info as u8);
    for line in lines.iter().filter(|_| visible) {
        let params = LoggingMessageNotificationParam::new(LoggingLevel::Info, (*line).into());
        context
            .peer
            .notify_logging_message(params)
            .await
            .map_err(gone)?;
        sleep(STEP).await;
    }
    Ok(content::text("The lines are logged."))
}

/// Breaks off the event stream of this call, so that the client has to come back for the answer.
pub(crate) async fn reconnect(context: &Context) -> Result<CallToolResult, ErrorData> {
    if let Some(stream) = context.extensions.get::<OpenStream>() {
        stream.break_off(crate::RETRY).await.map_err(gone)?;
    }
    sleep(STEP).await;
    Ok(content::text("Reconnection test completed."))
}

fn gone(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}
