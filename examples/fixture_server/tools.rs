//! One call of a tool.

use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, SamplingCapability,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::changes::Change;
use crate::content;
use crate::definitions::QUESTIONS;
use crate::fixture::{Fixture, is_modern};
use crate::pace;
use crate::questions::{Answers, Asked, Call, ask};
use crate::tasks;

type Context = RequestContext<RoleServer>;

/// Answers, asks, or starts a task.
pub(crate) async fn call(
    fixture: &Fixture,
    request: CallToolRequestParams,
    context: Context,
) -> Result<CallToolResponse, ErrorData> {
    let call = Call {
        name: &request.name,
        arguments: request.arguments.unwrap_or_default(),
        responses: request.input_responses.unwrap_or_default(),
        state: request.request_state,
    };
    let has_tasks = context
        .client_capabilities()
        .is_some_and(|known| known.supports_tasks());
    match call.name {
        name if tasks::NEED_TASKS.contains(&name) && !has_tasks => Err(tasks::missing()),
        "test_tool_with_task" => ask_then_start(fixture, call, &context).await,
        name if tasks::NEED_TASKS.contains(&name) => {
            tasks::start(&fixture.shared.tasks, &call, Answers::new())
        }
        "slow_compute" if has_tasks => tasks::start(&fixture.shared.tasks, &call, Answers::new()),
        "test_missing_capability" => sampling_only(fixture, call, &context).await,
        name if QUESTIONS.contains_key(name) => ask_then_answer(fixture, call, &context).await,
        _ => answer(fixture, &call, &context).await.map(Into::into),
    }
}

async fn ask_then_answer(
    fixture: &Fixture,
    call: Call<'_>,
    context: &Context,
) -> Result<CallToolResponse, ErrorData> {
    let name = call.name;
    match ask(&QUESTIONS[name], call, &fixture.shared.codec, context).await? {
        Asked::Open(open) => Ok(open.into()),
        Asked::Answered(answers) => Ok(reply(name, &answers).into()),
    }
}

async fn ask_then_start(
    fixture: &Fixture,
    call: Call<'_>,
    context: &Context,
) -> Result<CallToolResponse, ErrorData> {
    let start = Call {
        arguments: call.arguments.clone(),
        responses: Answers::new(),
        ..call
    };
    let asking = Call {
        name: start.name,
        state: start.state.clone(),
        ..call
    };
    match ask(
        &QUESTIONS[start.name],
        asking,
        &fixture.shared.codec,
        context,
    )
    .await?
    {
        Asked::Open(open) => Ok(open.into()),
        Asked::Answered(answers) => tasks::start(&fixture.shared.tasks, &start, answers),
    }
}

/// What the tool says once its questions are answered.
fn reply(name: &str, answers: &Answers) -> CallToolResult {
    let first = answers.values().next().unwrap_or(&Value::Null);
    let text = |pointer: &str| {
        first
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or("nobody")
    };
    content::text(match name {
        "test_sampling" => format!("LLM response: {}", text("/content/text")),
        "test_missing_capability" => "The client can sample.".to_owned(),
        "test_elicitation" => format!("User response: {first}"),
        "test_input_required_result_elicitation" => format!("Hello, {}!", text("/content/name")),
        "test_input_required_result_request_state" => format!("state-ok: {first}"),
        _ => {
            let answers = serde_json::to_string(answers).unwrap_or_default();
            format!("Answers: {answers}")
        }
    })
}

/// A tool that neither asks nor is a task.
async fn answer(
    fixture: &Fixture,
    call: &Call<'_>,
    context: &Context,
) -> Result<CallToolResult, ErrorData> {
    Ok(match call.name {
        "test_simple_text" => content::text("This is a simple text response for testing."),
        "test_image_content" => content::image(),
        "test_audio_content" => content::audio(),
        "test_embedded_resource" => content::embedded(),
        "test_multiple_content_types" => content::mixed(),
        "test_error_handling" => {
            content::error("This tool intentionally returns an error for testing")
        }
        "test_tool_with_progress" => pace::test_progress(context).await?,
        "test_reconnection" => pace::reconnect(context).await?,
        "test_tool_with_logging" | "test_logging_tool" => return log(fixture, call, context).await,
        "test_toggled_tool" => content::text("I am here today."),
        "test_custom_header" | "json_schema_2020_12_tool" => {
            content::text(Value::Object(call.arguments.clone()).to_string())
        }
        "greet" => content::text(format!("Hello, {}!", string(call, "name"))),
        "slow_compute" => {
            let (work, result) = tasks::slow_compute(call);
            sleep(work).await;
            content::text(result)
        }
        _ => return extra(fixture, call, context).await,
    })
}

async fn log(
    fixture: &Fixture,
    call: &Call<'_>,
    context: &Context,
) -> Result<CallToolResult, ErrorData> {
    let lines = [
        "Tool execution started",
        "Tool processing data",
        "Tool execution completed",
    ];
    let wanted = if call.name == "test_logging_tool" {
        &lines[..1]
    } else {
        &lines[..]
    };
    pace::log(fixture, context, wanted).await
}

/// Refuses clients that cannot sample. What a client of the handshake era can do, it shows when it is asked.
async fn sampling_only(
    fixture: &Fixture,
    call: Call<'_>,
    context: &Context,
) -> Result<CallToolResponse, ErrorData> {
    if !is_modern(context) {
        return ask_then_answer(fixture, call, context).await;
    }
    if context
        .client_capabilities()
        .is_some_and(|known| known.sampling.is_some())
    {
        return Ok(content::text("The client can sample.").into());
    }
    let mut needed = ClientCapabilities::default();
    needed.sampling = Some(SamplingCapability::default());
    Err(ErrorData::missing_required_client_capability(needed))
}

/// What the suite does not ask for: changes, and tools for tests and people.
async fn extra(
    fixture: &Fixture,
    call: &Call<'_>,
    context: &Context,
) -> Result<CallToolResult, ErrorData> {
    let shared = &fixture.shared;
    Ok(match call.name {
        "test_trigger_tool_change" => {
            shared.tools.flip();
            shared.listeners.announce(Change::Tools).await;
            content::text("The list of tools has changed.")
        }
        "test_trigger_prompt_change" => {
            shared.prompts.flip();
            shared.listeners.announce(Change::Prompts).await;
            content::text("The list of prompts has changed.")
        }
        "test_trigger_resource_change" => {
            shared.resources.flip();
            shared.listeners.announce(Change::Resources).await;
            content::text("The list of resources has changed.")
        }
        "touch" => {
            shared
                .listeners
                .announce(Change::Updated(string(call, "uri").to_owned()))
                .await;
            content::text("The subscribers know.")
        }
        "echo" => content::text(string(call, "message")),
        "add" => {
            let sum = number(call, "a") + number(call, "b");
            let mut result = content::text(sum.to_string());
            result.structured_content = Some(json!({ "sum": sum }));
            result
        }
        "sleep" => {
            sleep(Duration::from_millis(count(call, "ms") as u64)).await;
            content::text("Awake again.")
        }
        "progress" => {
            let steps = u32::try_from(count(call, "steps")).unwrap_or(u32::MAX);
            let done = (1..=steps).map(f64::from);
            pace::progress(context, done, f64::from(steps), Duration::ZERO).await?
        }
        "big" => content::text("x".repeat(count(call, "bytes"))),
        name => {
            return Err(ErrorData::invalid_params(
                format!("unknown tool `{name}`"),
                None,
            ));
        }
    })
}

fn string<'a>(call: &'a Call<'_>, name: &str) -> &'a str {
    call.arguments
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn number(call: &Call<'_>, name: &str) -> f64 {
    call.arguments
        .get(name)
        .and_then(Value::as_f64)
        .unwrap_or_default()
}

fn count(call: &Call<'_>, name: &str) -> usize {
    call.arguments
        .get(name)
        .and_then(Value::as_u64)
        .unwrap_or_default() as usize
}
