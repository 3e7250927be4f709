//! Tasks: calls that go on after their first answer (2025-11-25, "Tasks"; from 2026-07-28 SEP-2663).

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;

use crate::wire::{Json, Splice};

/// The extension under which modern peers have tasks.
pub const TASKS: &str = "io.modelcontextprotocol/tasks";
/// The member of `_meta` that says which task a message belongs to (2025-11-25).
pub const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// The server is at it.
    Working,
    /// The server waits for answers.
    InputRequired,
    /// There is a result.
    Completed,
    /// There is an error, or a result that says so.
    Failed,
    /// Nothing will come of it.
    Cancelled,
}

/// What a server says of a task, as far as the mux reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskState {
    /// The task's id, as the server gave it.
    pub id: Json,
    /// Where it is.
    pub status: TaskStatus,
    /// The server's words for that.
    pub message: Option<Json>,
    /// How often the server wants to be asked.
    pub interval: Option<Duration>,
}

impl TaskState {
    /// Reads a task in the form of either era. `None`: it is none.
    pub fn read(task: &Json) -> Option<Self> {
        let id = task.get("taskId").filter(|id| id.text().is_some())?;
        let interval = ["pollIntervalMs", "pollInterval"]
            .iter()
            .find_map(|member| task.get(member)?.decode::<f64>().ok())
            .and_then(|millis| Duration::try_from_secs_f64(millis / 1e3).ok());
        Some(Self {
            id: id.detached(),
            status: task.get("status")?.decode().ok()?,
            message: task
                .get("statusMessage")
                .filter(|message| message.text().is_some())
                .map(|message| message.detached()),
            interval,
        })
    }
}

/// Whether a legacy tool can only be called as a task: its `execution.taskSupport` is `required`.
pub fn requires_task(tool: &Json) -> bool {
    let support = tool.get("execution").and_then(|how| how.get("taskSupport"));
    support.as_ref().and_then(Json::text).as_deref() == Some("required")
}

/// The task that a legacy message says it belongs to.
pub fn related_task(message: &Json) -> Option<String> {
    let related = message.get("_meta")?.get(RELATED_TASK)?;
    related.get("taskId")?.text().map(Cow::into_owned)
}

/// The message without a word of the task that it belongs to.
pub fn without_related_task(message: Json) -> Json {
    let Some(meta) = message.get("_meta") else {
        return message;
    };
    let (Some(mut splice), Some(mut inner)) = (Splice::new(&message), Splice::new(&meta)) else {
        return message;
    };
    let rest = inner.remove(RELATED_TASK).finish();
    if rest == meta {
        return message;
    }
    if rest.is_empty_object() {
        splice.remove("_meta");
    } else {
        splice.set("_meta", rest);
    }
    splice.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_of_both_eras_are_read() {
        let read = |text| TaskState::read(&Json::from_static(text));
        let modern = read(r#"{"taskId":"a","status":"input_required","pollIntervalMs":250}"#);
        let modern = modern.expect("a task");
        assert_eq!(modern.status, TaskStatus::InputRequired);
        assert_eq!(modern.interval, Some(Duration::from_millis(250)));
        let legacy = read(r#"{"taskId":"a","status":"working","pollInterval":1e3}"#);
        let legacy = legacy.expect("a task");
        assert_eq!(legacy.interval, Some(Duration::from_secs(1)));
        for none in [
            r#"{"taskId":1,"status":"working"}"#,
            r#"{"taskId":"a","status":"resting"}"#,
            r#"{"taskId":"a"}"#,
            "[]",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn the_task_of_a_message_can_be_taken_out_of_it() {
        let without = |text| without_related_task(Json::from_static(text)).to_string();
        assert_eq!(
            without(
                r#"{"a":1e400, "_meta":{"io.modelcontextprotocol/related-task":{"taskId":"t"}}}"#
            ),
            r#"{"a":1e400}"#
        );
        assert_eq!(
            without(r#"{"_meta":{ "b":2,"io.modelcontextprotocol/related-task":{}}}"#),
            r#"{"_meta":{ "b":2}}"#
        );
        let untouched = r#"{ "_meta": {"b":2} }"#;
        assert_eq!(without(untouched), untouched);
    }
}
