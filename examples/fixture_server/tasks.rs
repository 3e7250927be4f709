//! Tools that go on after the answer, as tasks of the extension `io.modelcontextprotocol/tasks`.

use std::time::Duration;

use futures_util::future::try_join_all;
use rmcp::ErrorData;
use rmcp::model::{
    CallToolResponse, CallToolResult, ClientCapabilities, CreateTaskResult, InputRequests,
};
use rmcp::task_manager::{TaskContext, TaskExit, TaskManager, TaskOptions};
use serde_json::Value;
use tokio::time::sleep;

use crate::content;
use crate::definitions::QUESTIONS;
use crate::questions::{Answers, Call, requests};

const JOB: Duration = Duration::from_millis(300);
const POLL_MS: u64 = 200;

/// The tools that are only served to a client that knows tasks.
pub(crate) const NEED_TASKS: [&str; 5] = [
    "failing_job",
    "protocol_error_job",
    "confirm_delete",
    "multi_input",
    "test_tool_with_task",
];

/// What a client lacks that cannot have tasks.
pub(crate) fn missing() -> ErrorData {
    let needed = ClientCapabilities::builder().enable_tasks().build();
    ErrorData::missing_required_client_capability(needed)
}

/// `slow_compute`: the same work at once or as a task.
pub(crate) fn slow_compute(call: &Call<'_>) -> (Duration, String) {
    let seconds = call
        .arguments
        .get("seconds")
        .and_then(Value::as_f64)
        .unwrap_or_default();
    let label = call
        .arguments
        .get("label")
        .and_then(Value::as_str)
        .unwrap_or("unnamed");
    let work = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    (work, format!("Computed {label} in {seconds} s."))
}

/// Starts the task of that name; the answers are those of the questions asked before it.
pub(crate) fn start(
    tasks: &TaskManager,
    call: &Call<'_>,
    answers: Answers,
) -> Result<CallToolResponse, ErrorData> {
    let asks = match QUESTIONS.get(call.name) {
        Some(question) => requests(&question.rounds[0], &call.arguments)?,
        None => InputRequests::new(),
    };
    let name = call.name.to_owned();
    let (work, result) = slow_compute(call);
    let options = TaskOptions::new().with_poll_interval_ms(POLL_MS);
    let task = tasks.spawn(options, move |context| {
        Box::pin(async move {
            match name.as_str() {
                "slow_compute" => wait(&context, work).await.map(|()| content::text(result)),
                "failing_job" => wait(&context, JOB)
                    .await
                    .map(|()| content::error("The job failed.")),
                "protocol_error_job" => {
                    wait(&context, JOB).await?;
                    Err(ErrorData::internal_error("The job broke down.", None).into())
                }
                "test_tool_with_task" => {
                    wait(&context, JOB).await.map(|()| summary(&name, &answers))
                }
                _ => inquire(&context, asks)
                    .await
                    .map(|answers| summary(&name, &answers)),
            }
        })
    });
    Ok(CreateTaskResult::new(task).into())
}

async fn wait(context: &TaskContext, time: Duration) -> Result<(), TaskExit> {
    tokio::select! {
        () = sleep(time) => Ok(()),
        () = context.cancelled() => Err(TaskExit::Cancelled),
    }
}

/// Asks everything at once and waits for all answers.
async fn inquire(context: &TaskContext, asks: InputRequests) -> Result<Answers, TaskExit> {
    let ask = async |(key, request): (String, _)| {
        let answer = context.request_input(key.clone(), request).await?;
        Ok((key, answer))
    };
    let answers: Result<Vec<_>, TaskExit> = try_join_all(asks.into_iter().map(ask)).await;
    answers.map(|answers| answers.into_iter().collect())
}

fn summary(name: &str, answers: &Answers) -> CallToolResult {
    let answers = serde_json::to_string(answers).unwrap_or_default();
    content::text(format!("{name} is done: {answers}"))
}
